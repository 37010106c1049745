"""Leaving, level by level: what each level names is gone, nothing of others is touched, and data goes only where it is named.

The order matters: it is one long visit to one machine.
"""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import PAUSE, Tester
from testinfra.host import Host

MOLECULE = Path(__file__).resolve().parents[2]
STORE = "/home/tester/.cache/todochat/store"
VAULT = "/home/tester/.config/todochat/todo/vault.yml"
HOME = "/home/tester/.local/share/todochat/todo/.minikube"
KUBECONFIG = "/home/tester/.local/state/todochat/todo/kubeconfig"
# What is not as on the fresh system after all is gone, and why.
# A member fewer changes these lines.
MEMBERSHIP = r"group docker:|file /etc/g(roup|shadow) |package distro-info-data "
EXCEPTIONS = {
    # of the checkout's .venv, as the last line says
    r"package python3(\.11)?-(venv|distutils|lib2to3|pip-whl|setuptools-whl) ",
    # where every program keeps its files; they are empty, and may as well be the user's own
    r"folder (/home/tester/\.(config|local|local/share|local/state|cache|kube)|/root/\.kube) ",
}


def change(host: Host, command: str) -> None:
    """Give a command as root that must succeed."""
    result = host.run("bash -c %s", command)
    assert result.rc == 0, f"{command}: {result.stdout}{result.stderr}"


def make(tester: Tester, target: str, arguments: str = "") -> str:
    """What `make` prints, which must succeed, with an empty line of arguments too."""
    return tester.sees(f"cd todochat && make {target} ARGS={shlex.quote(arguments)} 2>&1 < /dev/null")


def changed(output: str) -> int:
    found = re.search(r"changed=(\d+)", output)
    assert found, output
    return int(found[1])


def visitor(host: Host, visit: str) -> None:
    """A visitor signs up and leaves a todo (`begin`), or finds it again (`return`)."""
    environment = "cd /home/tester/todochat && PYTHONPATH=.ansible/collections python3 molecule/site/visitor.py"
    change(host, f"su tester --command {shlex.quote(f'{environment} {visit}')}")


def down(tester: Tester, remove: str, announced: tuple[str, ...], gone: tuple[str, ...]) -> tuple[set[str], str]:
    """Takes a level away, after check mode announced it and changed nothing; what stays in the inventory, and what was said.

    ``gone`` are patterns: every line of the inventory before that fits one of them goes, and no other does.
    """
    before = tester.inventory()
    argument = f"-e remove={remove}"
    plan = make(tester, "down", f"--check {argument}")
    assert [phrase for phrase in announced if not re.search(rf"would: .*{phrase}.* is gone", plan)] == [], plan
    assert tester.inventory() ^ before == set()
    said = make(tester, "down", argument)
    assert changed(said) > 0, said
    after = tester.inventory()
    assert {line for line in before - after if not any(re.match(pattern, line) for pattern in (*gone, MEMBERSHIP))} == set(), said
    assert {line for line in after - before if not re.match(MEMBERSHIP, line)} == set(), said
    assert [pattern for pattern in gone if any(re.match(pattern, line) for line in after)] == [], said
    return after, said


def give_store(host: Host) -> None:
    """The store as a user's own, each artifact a link to the one that all scenarios share."""
    change(host, f"su tester --command 'mkdir -p {STORE} && cp -rs /srv/store/. {STORE}'")


@pytest.fixture(scope="module")
def fresh(host: Host, tester: Tester) -> set[str]:
    """The inventory of the fresh system; the store that is mounted there is moved away first."""
    change(host, f"mkdir /srv/store && mount --move {STORE} /srv/store && rmdir {STORE} {Path(STORE).parent}")
    return {line for line in tester.inventory() if "/srv/store" not in line}


@pytest.fixture(scope="module")
def tester(host: Host) -> Tester:
    return Tester(host)


@pytest.mark.usefixtures("fresh")
def test_on_an_untouched_machine_there_is_nothing_to_remove(tester: Tester) -> None:
    for arguments in ("--check", "", "-e remove=installed,data"):
        assert changed(make(tester, "down", arguments)) == 0


def test_a_level_that_does_not_exist_is_refused(tester: Tester) -> None:
    result = tester.host.run("su --login tester --command %s", "cd todochat && make down ARGS='-e remove=cluster,everything' 2>&1")
    assert result.rc != 0
    assert "There is no everything that remove=cluster,everything could take away" in result.stdout
    assert "Name one or several of application, cluster, data, installed" in result.stdout


def test_the_machine_runs_the_application_beside_what_others_have(host: Host, tester: Tester) -> None:
    give_store(host)
    make(tester, "up")
    visitor(host, "begin")
    tester.sees("docker load --quiet --input /srv/store/pause/*/pause.tar")
    change(
        host,
        f"docker run --detach --name theirs --network $(docker network create theirs) --volume theirs:/data {PAUSE}"
        " && mkdir -p /opt/theirs /home/tester/.kube && echo mine > /opt/theirs/file && ln -s /opt/theirs/file /usr/local/bin/theirs"
        " && printf 'contexts:\\n- name: theirs\\ncurrent-context: theirs\\n' > /home/tester/.kube/config"
        " && echo mine > /home/tester/.config/theirs && chown --recursive tester: /home/tester/.kube"
        " && printf 'Package: theirs\\nPin: release *\\nPin-Priority: 1\\n' > /etc/apt/preferences.d/theirs.pref",
    )


THEIR_THINGS = {
    "container theirs",
    "network theirs",
    "volume theirs",
    "context theirs",
    "current context theirs",
    "link /usr/local/bin/theirs /opt/theirs/file root:root",
}


def test_the_application_goes_alone_and_comes_back(host: Host, tester: Tester) -> None:
    after, said = down(tester, "application", ("release backend", "release frontend", "Secret backend-secrets", "namespace todo"), ())
    assert after >= THEIR_THINGS
    assert tester.sees(f"KUBECONFIG={KUBECONFIG} kubectl get namespaces --output name | grep --count --invert-match -E 'kube-|default'; true") == "0"
    assert {"container todo", "container todo-registry", "container todo-database"} <= after
    assert re.search(r"Kept .*cluster todo.*volume todo-database \(data\)", said), said
    assert changed(make(tester, "down", "-e remove=application")) == 0
    make(tester, "up")
    visitor(host, "return")


def test_of_a_stopped_cluster_too(host: Host, tester: Tester) -> None:
    make(tester, "stop")
    assert "would: the application in the cluster todo" in make(tester, "down", "--check -e remove=application")
    make(tester, "down", "-e remove=application")
    assert host.check_output("docker inspect --format '{{.State.Status}}' todo") == "exited"


def test_the_cluster_goes_whatever_state_it_is_in(host: Host, tester: Tester) -> None:
    """It is stopped, and so is Docker; the first run is broken off; things with our names are somebody else's."""
    change(host, f"docker rm --force todo-registry && docker create --name todo-registry {PAUSE}")
    change(host, "systemctl stop docker.socket docker.service")
    break_off = [sys.executable, str(MOLECULE / "shared/break_off.py"), "todochat-down", "make down", "pgrep --full 'minikube delete'"]
    subprocess.run(break_off, check=True)
    before = tester.inventory()
    said = make(tester, "down")
    after = tester.inventory()
    assert re.search("Left alone +container todo-registry: nothing says that this deployment made it", said), said
    ours = rf"(container todo(-database)?|network todo|volume todo)$|(file|folder|link) ({HOME}|{Path(KUBECONFIG).parent.parent})"
    assert {line for line in before - after if not re.match(ours, line)} == set()
    assert {"volume todo-registry", "volume todo-database", "container todo-registry"} | THEIR_THINGS <= after
    assert not {"container todo", "container todo-database", "network todo", "volume todo"} & after
    assert not host.file(KUBECONFIG).exists
    assert changed(make(tester, "down")) == 0
    change(host, "docker rm todo-registry")


def test_what_was_installed_goes_but_for_the_docker_that_holds_data(host: Host, tester: Tester) -> None:
    ours = (
        r"volume todo-registry$",
        r"image (todochat/|127\.0\.0\.1:5000/todo/)",
        r"(file|folder|link) /(opt/todochat|usr/local/bin/(kubectl|helm|minikube)|home/tester/\.local/share/todochat|home/tester/\.cache/todochat)",
        r"(file|folder) /home/tester/\.local/state/todochat",
        r"package (python3-apt|python-apt-common) ",
    )
    after, said = down(tester, "installed", ("/opt/todochat", "tester in the group docker"), ours)
    assert THEIR_THINGS | {"volume todo-database"} <= after
    assert re.search(r"Left alone +Docker \(docker.io, .*\): it holds .*container theirs", said), said
    assert host.file(VAULT).exists
    assert changed(make(tester, "down", "-e remove=installed")) == 0


def test_the_data_has_survived_it_all(host: Host, tester: Tester) -> None:
    give_store(host)
    make(tester, "up")
    visitor(host, "return")


def test_the_data_goes_when_it_is_named(tester: Tester) -> None:
    names = ("release backend", "container todo-database", r"volume todo-database \(data\)", f"vault {VAULT}")
    ours = (r"(container|volume) todo-database$", rf"(file|folder) {Path(VAULT).parent}", "(file|folder) /home/tester/.config/todochat")
    after, _ = down(tester, "data", names, ours)
    assert {"container todo", "container todo-registry", "volume todo-registry"} | THEIR_THINGS <= after


def test_all_goes_but_for_the_docker_that_holds_what_others_have(host: Host, tester: Tester) -> None:
    # a build on this machine would have installed these
    change(host, "apt-get install --yes --quiet=2 --no-install-recommends gcc libc6-dev mmdebstrap")
    ours = (
        r"(container|volume|network) todo",
        r"image (todochat/|127\.0\.0\.1:5000/todo/)",
        r"(file|folder|link) /(opt/todochat|usr/local/bin/(kubectl|helm|minikube)|home/tester/\.(local/share|local/state|cache|config)/todochat)",
        r"package (gcc|libc6-dev|mmdebstrap|cpp|binutils|linux-libc-dev) ",
        # what they brought along, and the links and files of these
        r"package (?!docker|containerd|runc)|link /etc/alternatives|file /etc/gprofng.rc",
        MEMBERSHIP,
    )
    before = tester.inventory()
    said = make(tester, "down", "-e remove=installed,data")
    after = tester.inventory()
    assert {line for line in before - after if not re.match("|".join(ours), line)} == set(), said
    assert [line for line in after if re.match("|".join(ours[:4]), line)] == [], said
    assert after >= THEIR_THINGS
    assert re.search(r"Left alone +Docker \(docker.io, .*\): it holds .*theirs", said), said


def test_when_what_others_had_is_gone_the_machine_is_as_it_was(host: Host, tester: Tester, fresh: set[str]) -> None:
    change(
        host,
        f"docker rm --force theirs && docker network rm theirs && docker volume rm theirs && docker image rm {PAUSE}"
        " && rm -r /opt/theirs /usr/local/bin/theirs /home/tester/.kube/config /home/tester/.config/theirs /etc/apt/preferences.d/theirs.pref",
    )
    plan = make(tester, "down", "--check -e remove=installed,data")
    assert re.search("would: packages docker.io, .* and [0-9]+ that they brought along are gone|would: packages docker.io", plan), plan
    said = make(tester, "down", "-e remove=installed,data")
    assert "Checkout     it is yours: rm -r /home/tester/todochat" in said
    assert changed(make(tester, "down", "-e remove=installed,data")) == 0
    left = {line for line in tester.inventory() ^ fresh if "/srv/store" not in line}
    assert {line for line in left if not re.match("|".join(EXCEPTIONS), line)} == set()
