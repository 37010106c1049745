"""Whatever the caller's shell has left, a run that changes nothing changes nothing, and says so in the same words."""

from __future__ import annotations

import re
import shlex

import pytest
from conftest import Tester
from hostile import HOSTILE
from testinfra.host import Host

# What programs read by themselves while an image is built, pushed and rolled out, which a plan does not do.
TOGETHER = ("a proxy that knows nothing of this machine", "kubectl's preferences", "another Helm", "another context of Docker", "another minikube")
GONE = "a folder that is gone"
APART = (GONE, "settings of shells", "few files and small ones")
MOST = 6
PIP_CONF = "mkdir -p ~/.config/pip; printf '[install]\\ntarget = /nowhere\\nuser = true\\n' >> ~/.config/pip/pip.conf"
CHECKOUT = "/home/tester/todochat"
ELSEWHERE = "/srv/todochat"
# Checkouts that the tester cannot write to: what makes each, and takes it away. Where packages are installed is left out.
NOT_MINE = {
    "somebody else's": (
        f"set -o pipefail; mkdir {ELSEWHERE}; tar --create --directory={CHECKOUT} --exclude=./.venv --exclude=./.ansible . "
        f"| tar --extract --directory={ELSEWHERE} --no-same-owner; chmod 755 {ELSEWHERE}",
        f"rm -r {ELSEWHERE}",
    ),
    "read-only": (
        f"mkdir {ELSEWHERE}; mount --bind {CHECKOUT} {ELSEWHERE}; mount -o remount,bind,ro {ELSEWHERE}",
        f"umount {ELSEWHERE}; rmdir {ELSEWHERE}",
    ),
}
# By which root is shut out of a folder, as of a file system of the network.
FUSE = "sudo apt-get install --yes --quiet=2 --no-install-recommends bindfs fuse3 && sudo chmod 666 /dev/fuse"
# The tester's place on this machine's own disk, as `bootstrap` has it.
OWN = "/srv/tester"


def plan(tester: Tester, before: str) -> tuple[int, str]:
    result = tester.host.run("su --login tester --command %s", f"cd todochat\n{before}\nmake plan 2>&1")
    return result.rc, str(result.stdout)


def told(output: str) -> list[str]:
    """What the phases did and the end, without what is another one each time: how long it took, and how much was looked at twice.

    A phase that does nothing is told of where it takes a while.
    """
    lines = [re.sub(r"\d+:\d\d|\b\d+ s\b|\b(ok|skipped|modules)=\d+", "", line) for line in output.splitlines() if re.match(r"\S", line)]
    return [line for line in lines if not line.endswith((" ...", ", as it was", ", nothing to do"))]


@pytest.fixture(scope="module")
def usual(host: Host) -> list[str]:
    status, output = plan(Tester(host), ":")
    assert status == 0, output
    assert "changed=0 unreachable=0 failed=0" in output
    return told(output)


def groups() -> list[list[str]]:
    """What can be had together: no two set the same, and what the rest of its own shell would trip over is alone."""
    found: list[list[str]] = []
    taken: list[set[str]] = []
    for name, shell in HOSTILE.items():
        sets = set(re.findall(r"\b(\w+)=|\b(umask)\b", shell))
        free = [number for number, group in enumerate(found) if not {name, group[0]} & {*APART} and len(group) < MOST and not taken[number] & sets]
        if not free:
            found.append([])
            taken.append(set())
        number = free[0] if free else -1
        found[number].append(name)
        taken[number] |= sets
    return found


@pytest.mark.parametrize("names", groups(), ids=", ".join)
def test_a_plan_is_the_same(tester: Tester, usual: list[str], names: list[str]) -> None:
    def differs(*chosen: str) -> str:
        status, output = plan(tester, "\n".join(HOSTILE[name] for name in chosen))
        if chosen == (GONE,):  # from there advice names the checkout
            assert "make -C /home/tester/todochat " in output
            output = output.replace("make -C /home/tester/todochat ", "make ")
        return "" if status == 0 and told(output) == usual else output

    if together := differs(*names):
        assert {name: output for name in names if (output := differs(name))} == {}
        pytest.fail(f"These matter together: {together}")


@pytest.mark.parametrize("whose", NOT_MINE)
def test_a_plan_is_the_same_in_a_checkout_that_cannot_be_written_to(tester: Tester, usual: list[str], whose: str) -> None:
    """What is made for it lies in the caller's cache; the second is where the first was, and so has its Python environment."""
    there, gone = NOT_MINE[whose]
    tester.host.check_output("bash -ec %s", there)
    listed = f"find {ELSEWHERE} -xdev -printf '%p %C@\\n' | sort"
    try:
        before = tester.host.check_output(listed)
        tester.sees(f"cd {ELSEWHERE} && python3 bootstrap")
        status, output = plan(tester, f"cd {ELSEWHERE}")
        after = tester.host.check_output(listed)
    finally:
        tester.host.check_output("bash -ec %s", gone)
    assert status == 0, output
    assert told(output) == usual
    assert after == before


def test_a_script_that_only_its_owner_can_make_executable_is_named_with_what_does(tester: Tester) -> None:
    there, gone = NOT_MINE["somebody else's"]
    tester.host.check_output("bash -ec %s", f"{there}; chmod a-x {ELSEWHERE}/scripts/vault-password")
    try:
        status, output = plan(tester, f"cd {ELSEWHERE}")
        assert status != 0, output
        (mend,) = re.findall(r"cannot be executed, and is root's\. Have root run `(.*?)`", output)
        tester.host.check_output("sh -c %s", f"cd / && {mend}")
        tester.sees(f"cd {ELSEWHERE} && python3 bootstrap")
    finally:
        tester.host.check_output("bash -ec %s", gone)


def test_a_roll_out_is_the_same(tester: Tester) -> None:
    before = tester.built("backend")
    tester.sees("cd todochat && echo '# another line' >> apps/backend/src/todo_backend/__init__.py")
    shell = "\n".join(["cd todochat", *(HOSTILE[name] for name in TOGETHER), PIP_CONF, "make up 2>&1"])
    result = tester.host.run("su --login tester --command %s", shell)
    assert result.rc == 0, result.stdout
    (container,) = tester.kubectl("get deployment backend")["spec"]["template"]["spec"]["containers"]
    assert container["image"].endswith(tester.built("backend"))
    assert tester.built("backend") != before
    status, output = plan(tester, ":")
    assert status == 0, output
    assert "changed=0" in output, output


def test_another_docker_is_refused_by_name(tester: Tester) -> None:
    status, output = plan(tester, "export DOCKER_HOST=tcp://192.0.2.1:2375")
    assert status != 0
    assert "DOCKER_HOST=tcp://192.0.2.1:2375 asks for another Docker than this machine's" in output


def test_what_is_advised_can_be_pasted_in_the_folder_where_it_was_read(tester: Tester) -> None:
    """Cut out as it is printed."""

    def said(command: str) -> tuple[int, str]:
        result = tester.host.run("su --login tester --command %s", f"cd / && {command} 2>&1 < /dev/null")
        return result.rc, str(result.stdout)

    status, output = said("make -C ~/todochat logs ARGS='-e service=nothing'")
    assert status != 0, output
    (logs,) = re.findall(r"^What to do: .*: (make .*)\.$", output, re.MULTILINE)
    status, output = said(logs)
    assert status == 0, output
    (follow,) = re.findall(r"^ *Follow +(.*)$", output, re.MULTILINE)
    status, output = said(f"timeout 5 sh -c {shlex.quote(follow)}")
    assert status == 124, output  # it follows


def test_a_folder_that_root_cannot_read_is_named(tester: Tester) -> None:
    """As a home on the network's file system, from which root of this machine is shut out."""
    tester.sees(f"{FUSE} && mkdir far && bindfs --no-allow-other todochat far")
    result = tester.host.run("su --login tester --command %s", "cd far && make plan 2>&1")
    assert result.rc != 0
    assert "root of this machine is kept out of /home/tester/far, as by a file system of the network. Run `sudo install " in result.stdout
    assert "export HOME" not in result.stdout
    tester.sees("fusermount3 -u far")


def test_a_second_run_says_who_is_at_work(tester: Tester) -> None:
    """And ends where it is told so; to look is always possible."""
    tester.sees("cd todochat && umask 077 && (flock 9; sleep 600) 9> ~/.local/state/todochat/todo/run.lock & sleep 1")
    status, output = plan(tester, ":")
    assert status == 0, output
    result = tester.host.run("su --login tester --command %s", "cd todochat && TODOCHAT_WAIT=0 make stop 2>&1")
    assert result.rc != 0
    assert "at work on this deployment" in result.stdout or "has just begun on this deployment" in result.stdout
    assert "Nothing was done" in result.stdout
    tester.sees("pkill -f 'sleep 600'")
    assert tester.make("start")[0]


def test_with_a_home_on_the_network_all_goes_by_what_is_printed(tester: Tester) -> None:
    """From the beginning, in the shell that has run it, and in a later one. It comes last: it begins by taking all away."""
    passed, output = tester.make("down", "-e remove=data,cluster")
    assert passed, output
    store = ".cache/todochat/store"
    tester.sees(f"cd / && sudo install --directory --owner=tester {OWN} {OWN}/.cache {OWN}/.cache/todochat {OWN}/{store}")
    tester.sees(f"sudo mount --bind ~/{store} {OWN}/{store} && {FUSE} && cd / && bindfs --no-allow-other ~ ~")

    def said(command: str) -> tuple[int, str]:
        result = tester.host.run("su --login tester --command %s", f"{command} 2>&1 < /dev/null")
        return result.rc, str(result.stdout)

    try:
        status, output = said("cd todochat && make up")
        assert status != 0, output
        (first, later) = re.findall(r"Run `(.*?)`, then the same command there\. In each later shell, begin with `(.*?)`\.", output)[0]
        status, output = said(f"cd / && {first} && make up")
        assert status == 0, output
        assert "failed=0" in output
        status, output = said(f"{later} && cd {OWN}/todochat && make plan")
        assert status == 0, output
        assert "changed=0 unreachable=0 failed=0" in output
    finally:
        tester.host.run("su tester --command %s", "fusermount3 -u -z /home/tester")
