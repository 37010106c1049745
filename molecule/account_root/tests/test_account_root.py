"""The whole way by root, whose files are root's alone: minikube has a user of its own, who sees none of them."""

from __future__ import annotations

import pytest
from testinfra.host import Host

FURNISH = """
set -e
umask 077
mkdir -p /root/.cache/todochat/store /root/.config /root/todochat
mount --bind /home/tester/.cache/todochat/store /root/.cache/todochat/store
cp --archive /home/tester/todochat/. /root/todochat
for file in .config/pip .npmrc; do test ! -e /home/tester/$file || cp --archive /home/tester/$file /root/$file; done
chown --recursive root: /root/todochat /root/.config
test ! -e /root/.npmrc || chown root: /root/.npmrc
chmod --recursive go= /root/todochat
"""


def types(host: Host, command: str) -> str:
    """What a command prints that root gives after a login, in the checkout; it must succeed."""
    result = host.run("su --login root --command %s", f"umask 077; cd todochat && {command} 2>&1 < /dev/null")
    assert result.rc == 0, f"{command}: {result.stdout}{result.stderr}"
    return str(result.stdout)


@pytest.fixture(scope="module", autouse=True)
def root(host: Host) -> None:
    """The checkout is in root's home."""
    host.check_output("bash -c %s", FURNISH)


def test_everything_runs_and_minikube_by_a_user_of_its_own(host: Host) -> None:
    assert "failed=0" in types(host, "make up")
    assert host.group("docker").members == ["minikube"]
    assert host.file("/root/todochat").mode == 0o700


def test_the_second_run_has_nothing_to_do(host: Host) -> None:
    assert "changed=0 unreachable=0 failed=0" in types(host, "make up")


def test_all_is_well(host: Host) -> None:
    assert "(all is well)" in types(host, "make status")


def test_all_is_taken_away_again(host: Host) -> None:
    types(host, "make down ARGS='-e remove=data,installed'")
    assert not host.exists("docker")
    assert not host.user("minikube").exists
