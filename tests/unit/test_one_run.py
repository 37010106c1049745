"""One run at a time changes a deployment; the next one waits for it, or ends, and says for whom."""

from __future__ import annotations

import fcntl
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
PLAYBOOK = """
- name: Work
  hosts: localhost
  gather_facts: false
  environment: "{{ deployment_environment }}"
  tasks:
    - name: It is at work
      ansible.builtin.command:
        argv: [sh, -c, "echo $$ > FOLDER/at-work; while [ ! -e FOLDER/go ]; do sleep 0.05; done"]
      when: wait | default(false) | bool
      become: "{{ become | default(false) | bool }}"
"""


as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can be another account")


class Shop:
    """Playbooks with this project's configuration, and a home of their own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for name in ("site.yml", "status.yml"):
            (folder / name).write_text(PLAYBOOK.replace("FOLDER", str(folder)))
        self.environment = {name: value for name, value in os.environ.items() if not name.startswith("ANSIBLE_")}
        self.environment |= {f"XDG_{name}_HOME": str(folder / name.lower()) for name in ("CONFIG", "STATE", "CACHE")}

    def begin(self, playbook: str, *options: str, wait: int | None = None) -> subprocess.Popen[str]:
        command = [str(Path(sys.executable).parent / "ansible-playbook"), str(self.folder / playbook), *options]
        environment = self.environment | ({} if wait is None else {"TODOCHAT_WAIT": str(wait)})
        return subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    def run(self, playbook: str, *options: str, wait: int | None = 0) -> tuple[int, str]:
        with self.begin(playbook, *options, wait=wait) as process:
            said, _ = process.communicate(timeout=60)
        return process.returncode, said

    @contextmanager
    def at_work(self, *options: str) -> Iterator[subprocess.Popen[str]]:
        """A run is at work meanwhile, and ends then."""
        with self.begin("site.yml", "--extra-vars=wait=true", *options) as process:
            until(lambda: (self.folder / "at-work").exists())
            try:
                yield process
            finally:
                (self.folder / "go").touch()
                process.communicate(timeout=60)


def until(so: object) -> None:
    deadline = time.monotonic() + 60
    while not so():  # type: ignore[operator]
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return Shop(tmp_path)


@pytest.fixture(scope="module")
def busy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Shop, int]]:
    """A run is at work in it, of this process."""
    shop = Shop(tmp_path_factory.mktemp("shop"))
    with shop.at_work() as first:
        yield shop, first.pid


def test_a_second_run_says_who_is_at_work_since_when_and_ends_where_it_is_told_so(busy: tuple[Shop, int]) -> None:
    shop, first = busy
    status, said = shop.run("site.yml")
    assert status != 0
    assert re.search(rf"`make up`, process {first}, is at work on this deployment since \d\d:\d\d:\d\d\. Nothing was done\.", said), said
    assert "What to do: Wait until that has ended" in said
    assert "gave up" not in said
    assert "Traceback" not in said
    assert "Callback dispatch" not in said


def test_or_it_waits_and_goes_on_when_the_first_has_ended(shop: Shop) -> None:
    with shop.at_work() as first:
        second = shop.begin("site.yml")
        assert second.stdout
        until(lambda: f"process {first.pid}" in second.stdout.readline())  # type: ignore[union-attr]
        assert second.poll() is None
    said, _ = second.communicate(timeout=60)
    assert second.returncode == 0, said


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_one_that_was_killed_blocks_nobody(shop: Shop, number: signal.Signals) -> None:
    with shop.at_work() as first:
        first.send_signal(number)
        (shop.folder / "go").touch()  # what it had begun ends by itself
        first.wait(60)
        status, said = shop.run("site.yml", wait=20)
    assert status == 0, said
    assert not (shop.folder / "state/todochat/todo").exists(), "there is no deployment, so nothing of a run stays"


def test_what_an_ended_run_has_left_at_work_is_waited_for(shop: Shop) -> None:
    kept = shop.folder / "state/todochat/todo/environment-999999999.json"
    with subprocess.Popen(["sh", "-c", "sleep 60; :", "sudo", f"echo BECOME-SUCCESS; TODOCHAT_ENVIRONMENT={kept} python"]) as left:
        status, said = shop.run("site.yml")
        assert status != 0
        assert f"What a run had begun that was ended is still at work on this deployment: process {left.pid}." in said
        left.kill()


def children(process: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{process}/task/{process}/children").read_text().split()]


@pytest.mark.parametrize("become", ["true", "false"])
def test_a_module_that_outlives_its_run_is_waited_for(shop: Shop, become: str) -> None:
    """A real one, as ansible.cfg has it run: nothing but the task's variables says whose it is."""
    with shop.at_work(f"--extra-vars=become={become}") as first:
        (worker,) = children(first.pid)
        (shell,) = children(worker)
        ended = [first.pid, worker, *([shell, *children(shell)] if become == "false" else [])]  # sudo's cannot be ended by its caller
        for process in ended:
            os.kill(process, signal.SIGKILL)
        status, said = shop.run("site.yml")
        assert status != 0
        assert "What a run had begun that was ended is still at work on this deployment" in said
        second = shop.begin("site.yml")
        assert second.stdout
        until(lambda: "is still at work" in second.stdout.readline())  # type: ignore[union-attr]
        assert f"`make up`, process {second.pid}, is at work on this deployment since" in shop.run("site.yml")[1]
        assert second.poll() is None
    said, _ = second.communicate(timeout=60)
    assert second.returncode == 0, said


@as_root
def test_what_another_account_calls_its_processes_is_nobodys_work(shop: Shop) -> None:
    kept = shop.folder / "state/todochat/todo/environment-999999999.json"
    calls = ["sh", "-c", "sleep 60; :", "sudo", f"TODOCHAT_ENVIRONMENT={kept} python"]
    asks = ["su", "root", "-c", f"TODOCHAT_ENVIRONMENT={kept} python"]  # it is root's, and waits for a password
    another: dict[str, Any] = {"user": 65534, "group": 65534, "extra_groups": []}
    people = [subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.DEVNULL, **another) for command in (calls, asks)]
    until(lambda: os.stat(f"/proc/{people[1].pid}").st_uid == 0)
    status, said = shop.run("site.yml")
    assert [one.poll() for one in people] == [None, None]
    for one in people:
        one.kill()
        one.communicate()
    assert status == 0, said


@as_root
def test_a_lock_that_somebody_else_has_put_there_is_refused_by_name(shop: Shop) -> None:
    lock = shop.folder / "state/todochat/todo/run.lock"
    lock.parent.mkdir(parents=True)
    lock.touch(mode=0o600)
    os.chown(lock, 65534, 65534)
    status, said = shop.run("site.yml")
    assert status != 0
    assert f"The lock {lock} is not this user's alone, so anybody could hold it." in said
    assert "Traceback" not in said


@pytest.mark.parametrize("looks", [["status.yml"], ["site.yml", "--check"]])
def test_who_only_looks_needs_not_wait(busy: tuple[Shop, int], looks: list[str]) -> None:
    status, said = busy[0].run(*looks)
    assert status == 0, said


def test_another_deployment_is_another_matter(busy: tuple[Shop, int]) -> None:
    status, said = busy[0].run("site.yml", "--extra-vars=deployment_name=other")
    assert status == 0, said


def test_the_callers_settings_are_kept_in_a_private_file_while_it_runs(shop: Shop) -> None:
    shop.environment |= {"PIP_INDEX_URL": "https://me:canary@index.example", "HTTPS_PROXY": "http://me:canary@proxy.example", "OTHER": "left"}
    with shop.at_work() as first:
        (kept,) = shop.folder.glob("state/todochat/todo/environment-*.json")
        assert kept.stat().st_mode & 0o777 == 0o600
        assert json.loads(kept.read_text()).items() >= {"PIP_INDEX_URL": "https://me:canary@index.example"}.items()
        assert "OTHER" not in kept.read_text()
        assert not [path for path in Path("/proc").glob("[0-9]*/cmdline") if "canary" in text_of(path)]
        first.kill()
        first.wait()
    shop.run("status.yml")
    assert not (shop.folder / "state/todochat/todo").exists()


def text_of(path: Path) -> str:
    with suppress(OSError):
        return path.read_bytes().decode(errors="replace")
    return ""


def test_who_leaves_takes_no_lock_that_another_has(tmp_path: Path) -> None:
    script = f"""
import sys
from pathlib import Path
sys.path[:0] = [{str(ROOT / ".ansible/collections")!r}]
from ansible_collections.todochat.platform.plugins.callback import one_run
folder = Path({str(tmp_path)!r}) / "todochat/todo"
one_run.leave(folder, __import__("os").getpid())
"""
    lock = tmp_path / "todochat/todo/run.lock"
    lock.parent.mkdir(parents=True)
    lock.touch(mode=0o600)
    with lock.open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        subprocess.run([sys.executable, "-c", script], check=True, timeout=60)
        assert lock.exists()
    subprocess.run([sys.executable, "-c", script], check=True, timeout=60)
    assert not lock.parent.exists()
