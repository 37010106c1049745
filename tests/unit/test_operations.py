"""Other programs look at the deployment by a real client of MCP: they get what there is to see, without secrets, and can do nothing else."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from test_redaction import SAID

ROOT = Path(__file__).resolve().parents[2]
PYTHON = Path(sys.prefix) / "mcp/bin/python"
PLAYED = """Some phase ...
Some phase: 1 s, as it was
    {"seen": %s}
Done in 0:05   ok=2 changed=0
"""
LOOKS = ("-I", f"{ROOT}/bootstrap", "--", "ansible-playbook", "playbooks/operations.yml", "--check", "--extra-vars")


@pytest.fixture(scope="module", autouse=True)
def _installed() -> None:
    if not PYTHON.exists():
        install = [str(Path(sys.executable).with_name("ansible-playbook")), "playbooks/mcp.yml"]
        done = subprocess.run(install, cwd=ROOT, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr


@dataclass
class Machine:
    """What stands for Python in PATH, and so for bootstrap and all that it runs; it notes with what it was started."""

    folder: Path

    def says(self, said: str, beside: str = "", status: int = 0) -> None:
        (self.folder / "said").write_text(said)
        (self.folder / "beside").write_text(beside)
        program = f'#!/bin/sh\ncd {self.folder}\nprintf "%s\\n" "$@" >> started\ncat said; cat beside >&2; exit {status}\n'
        (self.folder / "python3").write_text(program)
        (self.folder / "python3").chmod(0o755)

    @property
    def configured(self) -> dict[str, Any]:
        path = f"{self.folder}:{os.environ['PATH']}"
        return {"command": str(PYTHON), "args": ["-I", f"{ROOT}/scripts/operations"], "env": {"PATH": path, "HOME": str(self.folder)}}

    def started(self) -> list[str]:
        return (self.folder / "started").read_text().splitlines() if (self.folder / "started").exists() else []

    def asked(self, *calls: tuple[str, dict[str, Any]]) -> dict[str, Any]:
        command = [str(PYTHON), "molecule/shared/operations_client.py", json.dumps({"mcpServers": {"x": self.configured}}), json.dumps(calls)]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        found: dict[str, Any] = json.loads(done.stdout)
        return found


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    made = Machine(tmp_path)
    made.says(PLAYED % json.dumps("All is well."))
    return made


def test_there_are_three_tools_that_only_read_and_what_they_take_is_bounded(machine: Machine) -> None:
    """None of what they refuse starts anything."""
    bad: list[tuple[str, dict[str, Any]]] = [
        *(("logs", {"service": name}) for name in ("", "-f", "--all", "backend,database", "backend -e look=x", "../x", None, ["backend"])),
        *(("logs", {"service": "backend", "lines": lines}) for lines in (0, -1, 501, "5 --follow", 1.5, None)),
        ("logs", {}),
        *((name, {}) for name in ("up", "down", "vault", "look", "main")),
    ]
    found = machine.asked(*bad)
    assert [tool["name"] for tool in found["tools"]] == ["diagnosis", "status", "logs"]
    assert all(tool["annotations"]["read_only_hint"] and not tool["annotations"]["destructive_hint"] for tool in found["tools"])
    assert [call for call, answer in zip(bad, found["answers"], strict=True) if not answer["error"]] == []
    assert machine.started() == []


def test_a_look_is_the_playbook_in_check_mode_and_what_it_has_seen(machine: Machine) -> None:
    found = machine.asked(("diagnosis", {}), ("status", {}), ("logs", {"service": "cluster", "lines": 500}), ("status", {"remove": "data"}))
    assert [answer["error"] for answer in found["answers"][:3]] == [False] * 3
    assert [answer["text"] for answer in found["answers"][:3]] == ["All is well."] * 3
    started = machine.started()
    looks = [started[at : at + 8] for at in range(0, len(started), 8)]
    assert all(tuple(look[:7]) == LOOKS for look in looks)
    given = [json.loads(look[7]) for look in looks]
    assert given[:3] == [{"look": "diagnosis"}, {"look": "status"}, {"look": "logs", "service": "cluster", "lines": 500}]
    assert given[3:] in ([], [{"look": "status"}])  # what it does not know goes nowhere


def test_why_a_look_fails_is_said(machine: Machine) -> None:
    sudo = "bootstrap: sudo asks for a password and there is no terminal to type it at. Run this at a terminal, as root, or allow sudo without a password."
    machine.says("", sudo, 1)
    (answer,) = machine.asked(("status", {}))["answers"]
    assert answer["error"]
    assert sudo in answer["text"]
    machine.says("A phase ...\n\nFailed:     It is known  (after 0:01)\nWhy:        No.\nWhat to do: Mend it at 10.20.30.40.\n", "", 2)
    (answer,) = machine.asked(("status", {}))["answers"]
    assert answer["error"]
    assert "A phase" not in answer["text"]
    assert "Why:        No.\nWhat to do: Mend it at [address]." in answer["text"]


def test_no_secret_is_in_what_is_seen_nor_in_a_failure(machine: Machine) -> None:
    lines = "\n".join(said for said, _ in SAID.values() if "jane" not in said and "Jane" not in said)
    machine.says(PLAYED % json.dumps(lines))
    seen = machine.asked(("logs", {"service": "backend"}))["answers"]
    machine.says("", lines, 1)
    failed = machine.asked(("logs", {"service": "backend"}))["answers"]
    for (answer,) in (seen, failed):
        assert len(answer["text"]) > 100
        assert [word for word in ("CANARY", "Q0FOQVJZ", "10.20.30.40") if word in answer["text"]] == []


def test_standard_output_carries_the_protocol_alone(machine: Machine) -> None:
    begin = {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}}
    messages: list[dict[str, Any]] = [
        {"id": 1, "method": "initialize", "params": begin},
        {"method": "notifications/initialized"},
        {"id": 2, "method": "tools/call", "params": {"name": "status", "arguments": {}}},
    ]
    machine.says((PLAYED % json.dumps("x")) * 3, "and beside\n")
    configured = machine.configured
    with subprocess.Popen(
        [configured["command"], *configured["args"]], env=configured["env"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin
        assert process.stdout
        for message in messages:
            process.stdin.write(json.dumps({"jsonrpc": "2.0", **message}) + "\n")
        process.stdin.flush()
        lines = [process.stdout.readline(), process.stdout.readline()]
        process.stdin.close()
        lines += process.stdout.readlines()
    answers = [json.loads(line) for line in lines]
    assert [(answer["jsonrpc"], answer["id"]) for answer in answers] == [("2.0", 1), ("2.0", 2)]
    assert answers[1]["result"]["content"][0]["text"] == "x"


@pytest.mark.skipif(os.geteuid() != 0, reason="the machine is looked at as root")
def test_on_this_machine_where_nothing_is_deployed(tmp_path: Path) -> None:
    """With all that it really starts."""
    machine = Machine(tmp_path)
    diagnosis, logs = machine.asked(("diagnosis", {}), ("logs", {"service": "database", "lines": 5}))["answers"]
    assert not diagnosis["error"], diagnosis
    assert "wrong" in diagnosis["text"]
    assert logs["error"]
    assert "Why:        The log of database cannot be read" in logs["text"]
    assert str(tmp_path) not in diagnosis["text"] + logs["text"]
