"""The application in the cluster of a system, and the load on it (see molecule/rollout/load.py)."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from conftest import OUTPUT, SYSTEM, Tester
from testinfra.host import Host

PROJECT = Path(__file__).resolve().parents[2]
CHECKOUT = "/home/tester/todochat"
URL = "http://127.0.0.1:30000"
ENVIRONMENT = "export KUBECONFIG=~/.local/state/todochat/todo/kubeconfig PATH=/opt/todochat/bin:$PATH;"
RELEASES = ("backend", "frontend")
ROLL_OUT = "--tags app_release,app_check"
# The autoscalers are there and have nothing to do, as no pod gets more CPU than that: only their own test is to change the number of pods.
SETTINGS = """---
app_release_backend_values: {autoscaling: {cpuPercent: 500}}
app_release_frontend_values: {autoscaling: {cpuPercent: 500}}
"""
# What a newer application differs in: the server, and what a browser has of it, scripts and styles.
EDITS = {
    "apps/backend/src/todo_backend/app.py": ('title="Todo chatbot"', 'title="Newer todo chatbot"'),
    "apps/frontend/app/todos/page.tsx": ('title: "Your list"', 'title: "Your newer list"'),
    "apps/frontend/components/logo.tsx": ("text-lg font-semibold tracking-tight", "text-lg font-semibold tracking-[-0.021em]"),
}
SETTLE_SECONDS = 240
START_SECONDS = 30
END_SECONDS = 60
TOLD: list[str] = []
"""Figures for people, which stand below the results of the tests."""
FILES: list[int] = []
"""How many each load has had."""


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    for line in [*TOLD, *([f"in all: {sum(FILES)} files of pages"] if FILES else [])]:
        terminalreporter.write_line(line)


class Deployment:
    """What an ordinary user of the system does with it and sees of it."""

    def __init__(self, host: Host) -> None:
        self.host = host
        self.tester = Tester(host)
        self.restarts_of_the_boot: dict[str, int] = {}

    def run(self, command: str) -> tuple[bool, str]:
        """Whether a command succeeds in the checkout, and what it prints, which is kept below tests/output."""
        result = self.host.run("su --login tester --command %s", f"cd todochat && {ENVIRONMENT} {{ {command}; }} 2>&1 < /dev/null")
        OUTPUT.mkdir(exist_ok=True)
        (OUTPUT / f"{SYSTEM}-{time.time():.2f}.log").write_text(f"{command}\n{result.stdout}", encoding="utf-8")
        return result.rc == 0, str(result.stdout)

    def passes(self, command: str) -> str:
        """What a command prints that must succeed."""
        passed, output = self.run(command)
        assert passed, f"{command}\n{output[-8000:]}"
        return output

    def up(self, arguments: str) -> str:
        return self.passes(f'make up ARGS="{arguments}"')

    def get(self, what: str) -> list[dict[str, Any]]:
        """Objects of the namespace, as kubectl says."""
        items: list[dict[str, Any]] = json.loads(self.tester.sees(f"{ENVIRONMENT} kubectl --namespace todo get {what} --output json"))["items"]
        return items

    def pods(self, release: str) -> dict[str, str]:
        """The image of each pod of a release that stays, by name."""
        found = self.get(f"pods --selector app.kubernetes.io/instance={release}")
        return {pod["metadata"]["name"]: pod["spec"]["containers"][0]["image"] for pod in found if "deletionTimestamp" not in pod["metadata"]}

    def all_pods(self) -> dict[str, dict[str, str]]:
        return {release: self.pods(release) for release in RELEASES}

    def unsettled(self) -> list[str]:
        """What is not yet as the Deployments say, pods that still leave among it."""
        problems = []
        for item in self.get("deployments,pods"):
            name, status = item["metadata"]["name"], item.get("status", {})
            if item["kind"] == "Pod":
                problems += [f"{name} leaves"] if "deletionTimestamp" in item["metadata"] else []
                continue
            wanted = item["spec"]["replicas"]
            counts = {count: status.get(count, 0) for count in ("replicas", "updatedReplicas", "availableReplicas")}
            if status.get("observedGeneration", 0) < item["metadata"]["generation"] or set(counts.values()) != {wanted}:
                problems.append(f"{name}: {counts} of {wanted}")
        return problems

    def settle(self) -> None:
        until(lambda: not self.unsettled(), SETTLE_SECONDS, self.unsettled)

    def restarts(self) -> dict[str, int]:
        """How often each container of the application has been started again, by pod and name."""
        statuses = {pod["metadata"]["name"]: pod["status"] for pod in self.get("pods")}
        kinds = ("initContainerStatuses", "containerStatuses")
        return {f"{pod}/{one['name']}": one["restartCount"] for pod, status in statuses.items() for kind in kinds for one in status.get(kind, [])}

    def killed(self) -> list[str]:
        """Containers of any namespace that ran out of memory, and those of the application that were started again, but for the boot's sake."""
        items = json.loads(self.tester.sees(f"{ENVIRONMENT} kubectl get pods --all-namespaces --output json"))["items"]
        found = []
        for pod in items:
            status = pod["status"]
            for container in [*status.get("initContainerStatuses", []), *status.get("containerStatuses", [])]:
                ended = [container.get(when, {}).get("terminated", {}).get("reason") for when in ("state", "lastState")]
                name = f"{pod['metadata']['name']}/{container['name']}"
                again = container["restartCount"] > self.restarts_of_the_boot.get(name, 0) and pod["metadata"]["namespace"] == "todo"
                if "OOMKilled" in ended or again:
                    found.append(f"{name}: {container['restartCount']} restarts, ended {ended}")
        return found

    def give(self, path: str, content: str) -> None:
        """A file of the user's has this content."""
        command = ["docker", "exec", "--interactive", "--user", "tester", SYSTEM, "tee", path]
        subprocess.run(command, input=content, text=True, stdout=subprocess.DEVNULL, check=True)

    def edit(self, back: bool = False) -> None:
        """The checkout is of a newer application, or what it was."""
        for file, texts in EDITS.items():
            content = (PROJECT / file).read_text(encoding="utf-8")
            assert texts[0] in content, f"{texts[0]!r} is not in {file} any more"
            self.give(f"{CHECKOUT}/{file}", content if back else content.replace(*texts))

    @contextmanager
    def load(self, name: str, *options: str, per_second: float = 5.0) -> Iterator[dict[str, Any]]:
        """Two clients use the application meanwhile and until it has settled, and nothing that they are answered is wrong.

        What is yielded holds the report afterwards. ``name`` is of the log below tests/output, which can be followed.
        """
        OUTPUT.mkdir(exist_ok=True)
        log, stop = OUTPUT / f"{SYSTEM}-load-{name}.log", f"/tmp/load-{name}.stop"
        self.host.check_output(f"rm -f {stop}")
        report: dict[str, Any] = {"log": str(log)}
        command = ["docker", "exec", SYSTEM, "python3", f"{CHECKOUT}/molecule/rollout/load.py", *options, URL, stop, str(per_second)]
        with log.open("w", encoding="utf-8") as said, subprocess.Popen(command, stdout=subprocess.PIPE, stderr=said, text=True) as process:
            try:
                until(lambda: process.poll() is not None or "the load begins" in log.read_text(encoding="utf-8"), START_SECONDS)
                assert process.poll() is None, log.read_text(encoding="utf-8")
                yield report
                self.settle()
            finally:
                self.host.check_output(f"touch {stop}")
                out, _ = process.communicate(timeout=END_SECONDS)
        assert out, log.read_text(encoding="utf-8")
        report.update(json.loads(out))
        FILES.append(report["files"])
        counts = f"{report['requests']} requests, {report['files']} files of pages by {report['names']} names, {len(report['failures'])} not right"
        TOLD.append(f"load {name}: {counts}; the slowest took {report['slowest']} s")
        with log.open("a", encoding="utf-8") as said:
            said.write(out)
        assert report["failures"] == [], log.read_text(encoding="utf-8")[-8000:]
        assert process.returncode == 0, out
        assert report["requests"] > 0
        assert report["acknowledged"] == report["read_back"]
        assert self.killed() == []


def until(condition: Callable[[], Any], seconds: float, why: Callable[[], Any] = lambda: "") -> None:
    """Returns as soon as the condition holds; it has to within so many seconds."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not within {seconds:.0f} s: {why()}"
        time.sleep(0.5)


@pytest.fixture(scope="module")
def deployment(host: Host) -> Deployment:
    """The application, of which nothing but a test changes the number of pods."""
    found = Deployment(host)
    found.give(f"{CHECKOUT}/group_vars/all/settings.yml", SETTINGS)
    found.up(ROLL_OUT)
    found.settle()
    found.restarts_of_the_boot = found.restarts()
    return found
