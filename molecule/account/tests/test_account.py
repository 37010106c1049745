"""The whole way by Jane.Doe (see molecule/shared/jane.py). apt is at work when she begins, as at a machine's first boot.

On Debian 13 her account is none of the machine's own files, as where a directory has it, and she declines the group docker.
"""

from __future__ import annotations

import re
import shlex
import subprocess

import pytest
from conftest import SYSTEM
from jane import CHECKOUT, NAME, PASSWORD, PROXY, SUDOERS, at_a_terminal, script
from testinfra.host import Host

BUSY_SECONDS = 20
# Each lock for which apt or dpkg can be told to wait, as one after the other is taken by a first boot.
BUSY = f"""
import fcntl, time
for name in ("/var/lib/apt/lists/lock", "/var/cache/apt/archives/lock", "/var/lib/dpkg/lock-frontend"):
    with open(name, "w") as lock:
        fcntl.lockf(lock, fcntl.LOCK_EX)
        print(name, flush=True)
        time.sleep({BUSY_SECONDS})
"""
FURNISH = f"""
set -e
apt-get update --quiet=2
apt-get install --yes --quiet=2 --no-install-recommends locales tinyproxy
echo {shlex.quote(PROXY)} > /etc/tinyproxy/tinyproxy.conf
systemctl restart tinyproxy
echo http://$(hostname --all-ip-addresses | cut --delimiter=' ' --fields=1):3128 > /etc/proxy
localedef --inputfile=de_DE --charmap=UTF-8 de_DE.UTF-8
useradd --create-home --badname --shell /bin/bash {NAME}
echo {shlex.quote(SUDOERS)} > /etc/sudoers.d/jane
su --login {NAME} --command {shlex.quote(f"umask 077; mkdir -p .cache/todochat/store .config {shlex.quote(CHECKOUT)}")}
mount --bind /home/tester/.cache/todochat/store /home/{NAME}/.cache/todochat/store
cp --archive /home/tester/todochat/. {shlex.quote(CHECKOUT)}
for file in .config/pip .npmrc; do test ! -e /home/tester/$file || cp --archive /home/tester/$file /home/{NAME}/$file; done
chown --recursive {NAME}: {shlex.quote(CHECKOUT)} /home/{NAME}/.config
test ! -e /home/{NAME}/.npmrc || chown {NAME}: /home/{NAME}/.npmrc
"""
OF_A_DIRECTORY = SYSTEM.endswith("trixie")
MOVE = f"""
set -e
apt-get install --yes --quiet=2 --no-install-recommends libnss-extrausers
for file in passwd shadow group; do grep '^{NAME}:' /etc/$file > /var/lib/extrausers/$file; done
chmod 600 /var/lib/extrausers/shadow
for file in passwd shadow group gshadow; do sed --in-place '/^{NAME}:/d' /etc/$file; done
sed --in-place --regexp-extended 's/^(passwd|shadow|group):.*/& extrausers/' /etc/nsswitch.conf
getent passwd {NAME}
cd {shlex.quote(CHECKOUT)}/group_vars/all
echo 'deployment_minikube_user: minikube' > own.yml
chown {NAME}: own.yml
"""


def types(command: str, asked: int = 1) -> tuple[int, str]:
    """The exit status of what she types at a terminal, and what it shows; sudo's password as often as she is asked."""
    terminal = f"script --quiet --return --command {shlex.quote(script(command))} /dev/null"
    return at_a_terminal(["docker", "exec", "--interactive", SYSTEM, "su", "--login", NAME, "--command", f"timeout 1500 {terminal}"], asked)


@pytest.fixture(scope="module", autouse=True)
def jane(host: Host) -> None:
    """She has an account, and her checkout."""
    host.check_output("bash -c %s", FURNISH)
    host.check_output("echo %s | chpasswd", f"{NAME}:{PASSWORD}")
    if OF_A_DIRECTORY:
        host.check_output("bash -c %s", MOVE)


def test_while_apt_is_busy_it_waits_and_then_everything_runs(host: Host) -> None:
    subprocess.run(["docker", "exec", "--detach", SYSTEM, "python3", "-c", BUSY], check=True)
    status, shown = types("make up")
    assert status == 0, shown
    assert "failed=0" in shown
    assert PASSWORD not in shown
    assert (NAME in host.group("docker").members) is not OF_A_DIRECTORY


def test_the_second_run_has_nothing_to_do() -> None:
    status, shown = types("make up")
    assert status == 0, shown
    assert "changed=0 unreachable=0 failed=0" in shown


def test_all_is_well() -> None:
    status, shown = types("make status")
    assert status == 0, shown
    assert "(all is well)" in shown


def test_backups_run_while_nobody_types_a_password(host: Host) -> None:
    status, shown = types("make schedule")
    assert status == 0, shown
    assert ("these runs have the group docker, in which Jane.Doe is not" in " ".join(shown.split())) is OF_A_DIRECTORY
    host.check_output("systemctl start todochat-todo-backup")
    backup = host.check_output(f"ls /home/{NAME}/.local/state/todochat/todo/backups/*-scheduled.tar")
    assert host.check_output("stat --format='%%a %%U' %s", backup) == f"600 {NAME}"
    assert f"The drill passed: {backup}, " in " ".join(host.check_output("journalctl --unit=todochat-todo-backup --output=cat").split())
    assert (NAME in host.check_output("getent group docker")) is not OF_A_DIRECTORY


def test_a_checkout_that_was_moved_goes_on(host: Host) -> None:
    host.check_output("mv %s %s", CHECKOUT, f"{CHECKOUT} 2")
    host.check_output("ln --symbolic %s %s", f"{CHECKOUT} 2", CHECKOUT)
    status, shown = types("cd -P . && make plan")
    assert status == 0, shown
    assert "changed=0 unreachable=0 failed=0" in shown


def test_the_proxy_was_asked_for_what_is_outside_alone(host: Host) -> None:
    asked = re.findall(r"Request .*: [A-Z]+ (?:https?://)?([^\s/:]+)", host.check_output("journalctl --unit=tinyproxy --output=cat"))
    assert asked
    assert [name for name in asked if re.match(r"localhost$|127\.|192\.168\.|10\.|\[", name)] == []


def test_all_is_taken_away_again(host: Host) -> None:
    status, shown = types("make down ARGS='-e remove=data,installed'")
    assert status == 0, shown
    assert not host.exists("docker")
    assert NAME not in host.check_output("getent group docker || true")
