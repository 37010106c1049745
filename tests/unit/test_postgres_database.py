"""The module postgres_database against a stand-in for docker: what it predicts, when it fails, what it never shows."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.todochat.platform.plugins.module_utils.database import roles
from ansible_collections.todochat.platform.plugins.modules import postgres_database as module

PASSWORD = "canary-canary-canary"

DOCKER = """#!{python}
import json, os, sys
world = os.path.join(os.path.dirname(sys.argv[0]), "world")
status, ready, row, refuse = json.load(open(world))
with open(world + ".log", "a") as log:
    log.write(" ".join(sys.argv[1:]) + "\\n")
if sys.argv[1:3] == ["container", "inspect"]:
    if status == "absent":
        sys.exit("No such container")
    settings = {{"Networks": {{"todo": {{"IPAddress": "192.0.2.1"}}}}}}
    state = {{"Status": status}}
    print(json.dumps([{{"State": state, "RestartCount": 0, "Config": {{"Labels": None}}, "NetworkSettings": settings}}]))
elif "logs" in sys.argv:
    print("FATAL:  data directory has wrong ownership")
elif "pg_isready" in sys.argv:
    sys.exit(0 if ready else 2)
elif "psql" in sys.argv:
    sql = sys.stdin.read()
    if refuse:
        sys.exit("ERROR:  " + refuse)
    if "count(*)" in sql:
        left = row["sessions"] = row.get("sessions", 0) - 1
        json.dump([status, ready, row, refuse], open(world, "w"))
        print(max(left, 0))
    elif "json_build_object" in sql:
        print(json.dumps({{name: value for name, value in row.items() if name != "sessions"}}))
    else:
        open(world + ".sql", "a").write(sql)
"""

CONVERGED: dict[str, Any] = {
    "database_owner": "todo_owner",
    "owner_exists": True,
    "owner_can_login": False,
    "login_exists": True,
    "login_can_login": True,
    "login_verifier": roles.verifier(PASSWORD),
    "login_is_member": True,
    "login_settings": ["role=todo_owner"],
    "other_is_open": False,
    "rules": roles.rules(roles.Wanted("todo", "todo_owner", "todo_app", PASSWORD)),
}
EMPTY: dict[str, Any] = {
    "database_owner": None,
    "owner_exists": False,
    "owner_can_login": False,
    "login_exists": False,
    "login_can_login": False,
    "login_verifier": None,
    "login_is_member": False,
    "login_settings": None,
    "other_is_open": False,
    "rules": "host all all all scram-sha-256\n",
}


class Runner:
    """Runs the module as Ansible does."""

    def __init__(self, directory: Path) -> None:
        self.program = directory / "docker"
        self.program.write_text(DOCKER.format(python=sys.executable))
        self.program.chmod(0o755)
        self.world = directory / "world"

    def __call__(
        self, row: dict[str, Any], *, status: str = "running", ready: bool = True, refuse: str = "", check: bool = False, **changes: Any
    ) -> dict[str, Any]:
        self.world.write_text(json.dumps([status, ready, row, refuse]))
        arguments = {
            "container": "todo-database",
            "database": "todo",
            "owner": "todo_owner",
            "login": "todo_app",
            "password": PASSWORD,
            "other_login": "todo_app_2",
            "_ansible_check_mode": check,
            "_ansible_diff": True,
            **changes,
        }
        done = subprocess.run(
            [sys.executable, module.__file__],
            input=json.dumps({"ANSIBLE_MODULE_ARGS": arguments}),
            env={
                "PATH": str(self.program.parent),
                "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
            },
            capture_output=True,
            text=True,
            check=False,
        )
        assert PASSWORD not in done.stdout + done.stderr
        assert "SCRAM-SHA-256$" not in done.stdout + done.stderr
        result: dict[str, Any] = json.loads(done.stdout)
        return result

    def sql(self) -> str:
        """All statements that changed something."""
        path = Path(f"{self.world}.sql")
        return path.read_text() if path.exists() else ""

    def calls(self) -> str:
        """Everything that was ever on docker's command line."""
        return Path(f"{self.world}.log").read_text()


@pytest.fixture
def run(tmp_path: Path) -> Runner:
    """The module with its stand-in."""
    return Runner(tmp_path)


def test_a_converged_server_is_left_alone(run: Runner) -> None:
    result = run(CONVERGED)
    assert (result["changed"], result["steps"], result["container"]["status"]) == (False, [], "running")
    assert result["container"]["addresses"] == {"todo": "192.0.2.1"}
    assert run.sql() == ""


def test_an_empty_server_is_predicted_and_then_filled_without_a_password_in_sight(run: Runner) -> None:
    predicted = run(EMPTY, check=True)
    assert predicted["changed"]
    assert predicted["steps"][1] == "would create database todo"
    assert run.sql() == ""

    done = run(EMPTY)
    assert [f"would {step}" for step in done["steps"]] == predicted["steps"]
    assert "SCRAM-SHA-256$" in run.sql()
    assert PASSWORD not in run.sql() + run.calls()
    assert "SCRAM-SHA-256$" not in run.calls()


@pytest.mark.parametrize("status", ["absent", "exited"])
def test_what_cannot_be_asked_yet_is_announced(run: Runner, status: str) -> None:
    assert run(EMPTY, status=status, ready=False, check=True)["changed"]
    assert run(EMPTY, status=status, ready=False, check=True, password="")["changed"]


def test_a_machine_without_docker_is_announced_in_check_mode_only(run: Runner) -> None:
    run.program.unlink()
    assert run(EMPTY, check=True)["changed"]
    assert "`make up ARGS='--tags container_engine'` first" in run(EMPTY)["msg"]


@pytest.mark.parametrize("check", [True, False])
def test_data_of_another_vault_is_named_and_left_alone(run: Runner, check: bool) -> None:
    row = {**CONVERGED, "login_verifier": roles.verifier("another password")}
    failed = run(row, check=check)
    assert failed["failed"]
    for words in ("todo-database", "todo_app", "the vault does not belong to this database", "-e database_reset_password=true"):
        assert words in failed["msg"]
    assert run.sql() == ""


def test_leave_to_reset_the_password_is_taken(run: Runner) -> None:
    row = {**CONVERGED, "login_verifier": roles.verifier("another password")}
    assert run(row, reset_password=True)["steps"] == ["set the password of todo_app"]


def test_the_login_before_stays_open_until_it_is_to_be_locked(run: Runner) -> None:
    row = {**CONVERGED, "other_is_open": True, "sessions": 4}
    result = run(row)
    assert (result["changed"], result["other_is_open"]) == (False, True)
    assert run(row, lock_other=True, check=True)["steps"] == ["would lock todo_app_2"]
    assert run.sql() == ""
    assert run(row, lock_other=True)["steps"] == ["lock todo_app_2"]
    # its sessions have ended by themselves
    assert json.loads(run.world.read_text())[2]["sessions"] == 0
    assert "ALTER ROLE todo_app_2 NOLOGIN PASSWORD NULL;" in run.sql()
    assert not run(CONVERGED, lock_other=True)["changed"]


def test_sessions_that_do_not_end_are_ended_when_the_time_is_over(run: Runner) -> None:
    row = {**CONVERGED, "other_is_open": True, "sessions": 1 << 30}
    assert run(row, lock_other=True, timeout=1)["changed"]
    assert "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'todo_app_2'" in run.sql()


def test_a_server_that_died_fails_with_its_last_words(run: Runner) -> None:
    failed = run(EMPTY, status="exited", ready=False)
    assert "it is exited" in failed["msg"]
    assert "data directory has wrong ownership" in failed["msg"]


def test_a_server_that_never_answers_fails_in_time(run: Runner) -> None:
    assert "does not accept connections (it is running" in run(EMPTY, ready=False, timeout=1)["msg"]


def test_a_refusal_keeps_its_message(run: Runner) -> None:
    assert "refused: ERROR: permission denied" in run(EMPTY, refuse="permission denied")["msg"]


def test_a_password_that_cannot_be_is_refused_before_anything(run: Runner) -> None:
    assert "printable ASCII" in run(EMPTY, password="")["msg"]
