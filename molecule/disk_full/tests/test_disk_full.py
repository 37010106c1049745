"""Each folder that a run writes to, with no room left on its file system."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from contextlib import contextmanager

from conftest import Tester
from testinfra.host import Host

HOME = "/home/tester"
STATE = f"{HOME}/.local/state/todochat"
NO_ROOM = "No space left on device"


@contextmanager
def full(host: Host, folder: str, megabytes: int = 4) -> Iterator[None]:
    """Meanwhile the folder, with what is in it where that fits, is a file system of its own that has no room left."""
    quoted = shlex.quote(folder)
    fill = f"""set -e
    test -d {quoted} || install --directory --owner=tester --group=tester {quoted}
    rm -rf /mnt/copy && mkdir /mnt/copy
    [ "$(du --summarize --block-size=1M {quoted} | cut -f1)" -ge {megabytes} ] || cp -a {quoted}/. /mnt/copy
    owner=$(stat --format=%u:%g {quoted}) mode=$(stat --format=%a {quoted})
    mount -t tmpfs -o size={megabytes}M tmpfs {quoted}
    cp -a /mnt/copy/. {quoted}
    chown $owner {quoted} && chmod $mode {quoted}
    ! dd if=/dev/zero of={quoted}/filled bs=4k 2> /dev/null
    """
    host.check_output("bash -c %s", fill)
    try:
        yield
    finally:
        host.check_output("umount %s", folder)


def files(host: Host, folder: str) -> str:
    """Names and contents of all that is in a folder, but who was at work last, and what Docker's client keeps for itself."""
    others = r"-type f ! -name filled ! -name run.lock ! -name '*.turn' ! -path ./docker/\*"
    return str(host.check_output("bash -c %s", f"cd {shlex.quote(folder)} && find . {others} -exec sha256sum {{}} + | sort"))


def ends(tester: Tester, target: str, arguments: str, *phrases: str) -> None:
    """A target of make fails, with these words at its end, and without a trace of Python."""
    passed, output = tester.make(target, arguments)
    assert not passed, output
    end = " ".join(" ".join(output.splitlines()[-25:]).split()).lower()  # Docker writes it small
    assert [phrase for phrase in phrases if phrase.lower() not in end] == [], output
    assert "Traceback" not in output, output


def works(tester: Tester, target: str, arguments: str = "") -> str:
    passed, output = tester.make(target, arguments)
    assert passed, output
    return output


def test_what_a_run_keeps_for_itself(host: Host, tester: Tester) -> None:
    """Nothing is begun; to look is possible, and what is there stays as it is."""
    before = files(host, f"{STATE}/todo")
    with full(host, STATE):
        ends(tester, "up", "", NO_ROOM, "What to do")
        works(tester, "status")
        assert files(host, f"{STATE}/todo") == before
    assert "changed=0" in works(tester, "up")


def test_the_record_of_what_was_built(host: Host, tester: Tester) -> None:
    built = tester.built("backend")
    before = files(host, "/var/lib/todochat")
    tester.sees("cd todochat && echo '# another line' >> apps/backend/src/todo_backend/__init__.py")
    with full(host, "/var/lib/todochat"):
        ends(tester, "up", "", NO_ROOM, "What to do")
        assert files(host, "/var/lib/todochat") == before
    works(tester, "up")
    assert tester.built("backend") != built


def test_the_registrys_storage(host: Host, tester: Tester) -> None:
    """What was pushed is there, and what runs goes on; the next run pushes."""
    built = tester.built("backend")
    storage = host.check_output("docker volume inspect --format '{{.Mountpoint}}' todo-registry")
    tester.sees("cd todochat && echo '# one more line' >> apps/backend/src/todo_backend/__init__.py")
    with full(host, storage):
        ends(tester, "up", "", "cannot be pushed", "has room on its disk")
        assert tester.built("backend") == built
    works(tester, "status")
    works(tester, "up")
    assert tester.built("backend") != built
    assert host.check_output("docker ps --all --quiet --filter name=todo-registry-writer") == ""


def test_programs(host: Host, tester: Tester) -> None:
    before = files(host, "/opt/todochat")
    with full(host, "/opt/todochat", megabytes=20):
        ends(tester, "up", "--tags kubernetes_tools", NO_ROOM, "What to do")
        assert host.check_output("find /opt/todochat -name '.new-*'") == ""
    assert files(host, "/opt/todochat") == before
    assert "changed=0" in works(tester, "up", "--tags kubernetes_tools")


def test_a_vault(host: Host, tester: Tester) -> None:
    """A new one is whole or not there, and its password is not one of no characters."""
    before = files(host, f"{HOME}/.config/todochat")
    with full(host, f"{HOME}/.config/todochat"):
        result = host.run("su --login tester --command %s", "cd todochat && make vault DO=create ARGS='-e deployment_name=other' 2>&1")
        assert result.rc != 0
        assert NO_ROOM in result.stdout, result.stdout
        assert files(host, f"{HOME}/.config/todochat") == before
    works(tester, "status")


def test_a_backup(host: Host, tester: Tester) -> None:
    folder = f"{STATE}/todo/backups"
    with full(host, folder):
        ends(tester, "backup", "", "free", "needed", "What to do")
        assert files(host, folder) == ""
    works(tester, "backup")
    assert files(host, folder) != ""


def test_a_store_without_room_is_found_beforehand(host: Host, tester: Tester) -> None:
    with full(host, "/mnt/small"):
        ends(tester, "up", "-e artifact_store=/mnt/small/store", "free", "are needed", "What to do")
