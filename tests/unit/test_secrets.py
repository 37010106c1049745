"""Every task that handles a secret is really failed by a scenario of the vault or backup, and every play that reads the vault checks it first."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]
SCENARIOS = "".join(path.read_text(encoding="utf-8") for name in ("vault_*", "backup") for path in ROOT.glob(f"molecule/{name}/tests/test_*.py"))
# They are given no secret, and show what those who have one say: the backend's log, the database's answer.
MEET = {"helm_releases", "app_check"}
# The others need not fail.
NOT_FAILED = {
    "The deployment is observed": "is given the host of an external database alone, and tells every state instead of failing",
    "The cluster has metrics-server": "deploys metrics-server, which meets no secret",
    "The cluster measures what its pods use": "deploys metrics-server, which meets no secret",
    "{{ title }}": "is failed under the title that playbooks/rollback.yml gives it",
    "What comes next": "prints a command that depends on the secret's name",
}
# Plays that read nothing of the vault.
NO_SECRETS = {"bundle.yml", "compose.yml", "down.yml", "logs.yml", "open.yml"}


def read(file: Path) -> Any:
    return yaml.safe_load(file.read_text(encoding="utf-8"))


def tasks(entries: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """All tasks, those in plays and blocks too."""
    for entry in entries:
        inner = [task for key in ("tasks", "block", "rescue", "always") for task in entry.get(key, [])]
        yield from tasks(inner) if inner else [entry]


def secret_variables() -> set[str]:
    """The roles' options that are not to be logged."""
    specifications = [read(file)["argument_specs"]["main"]["options"] for file in ROOT.glob("roles/*/meta/argument_specs.yml")]
    return {name for options in specifications for name, option in options.items() if option.get("no_log")}


def secret_modules() -> set[str]:
    """The modules with a parameter that is not to be logged, and the actions on the vault."""
    modules = {file.stem for file in ROOT.glob("plugins/modules/*.py") if '"no_log": True' in file.read_text(encoding="utf-8")}
    return modules | {file.stem for file in ROOT.glob("plugins/action/*.py") if "VaultAction" in file.read_text(encoding="utf-8")}


def handles_a_secret(task: dict[str, Any], variables: set[str], modules: set[str]) -> bool:
    called = {str(key).removeprefix("todochat.platform.") for key in task}
    included = any("import_" in key for key in called)
    return not included and bool(called & modules or variables & set(re.findall(r"\w+", yaml.safe_dump(task))))


def test_a_scenario_fails_every_task_that_handles_a_secret() -> None:
    variables, modules = secret_variables(), secret_modules() | MEET
    assert {"database_password", "app_secrets_jwt_keys"} <= variables
    assert {"kubernetes_secret", "postgres_database", "preflight", "vault_file", "vault_variable", "vault_rekey"} <= modules
    files = [*ROOT.glob("roles/*/tasks/*.yml"), *ROOT.glob("playbooks/**/*.yml")]
    found = {task["name"] for file in files for task in tasks(read(file)) if handles_a_secret(task, variables, modules)}
    failed = set(re.findall(r'refused\(\s*"([^"]+)"', SCENARIOS)) | set(re.findall(r'^    (?:task|edit|rotate) = "(.+)"$', SCENARIOS, re.MULTILINE))
    assert found - failed == set(NOT_FAILED)


def test_every_play_that_reads_the_vault_checks_it_first() -> None:
    for file in ROOT.glob("playbooks/*.yml"):
        first = read(file)[0]["tasks"][0]
        assert file.name in NO_SECRETS or first.get("ansible.builtin.import_tasks") == "tasks/vault.yml", file
        # a role's or a tag's own run too
        assert file.name not in {"cluster.yml", "app.yml", "check.yml"} or "always" in first["tags"], file
    for file in ROOT.glob("playbooks/vault/*.yml"):
        first = read(file)[0]["tasks"][0]
        assert first.get("ansible.builtin.import_tasks") == "../tasks/vault.yml" or set(first) & {f"todochat.platform.{name}" for name in secret_modules()}, (
            file
        )


def test_plays_without_the_vault_have_no_use_for_it() -> None:
    names = secret_variables() | {"vault_database_url"}
    for name in NO_SECRETS:
        text = (ROOT / "playbooks" / name).read_text(encoding="utf-8")
        assert not names & set(re.findall(r"\w+", text)), name
