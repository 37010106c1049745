"""`make move`: the order of its steps, what it refuses, and that whatever breaks it off has people served where they were.

The program is the real one, as a process of its own, which gets real signals; ansible-playbook is one of the test's, which keeps what it was told. The
module that has a deployment stand still is asked with a kubectl that keeps one Deployment, and the action on vaults with real vaults.
"""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible.module_utils.testing import patch_module_args
from ansible.parsing.vault import VaultLib, VaultSecret, VaultSecretsContext

from ansible_collections.todochat.platform.plugins.action import vault_accounts
from ansible_collections.todochat.platform.plugins.module_utils import vault
from ansible_collections.todochat.platform.plugins.module_utils.cluster.moved import ANNOTATION, Mark, mark
from ansible_collections.todochat.platform.plugins.modules import deployment_pause

ROOT = Path(__file__).resolve().parents[2]
# Of a deployment, `look` shows what is in its inventory; a playbook named in `fails` fails, and one in `hangs` waits for the end.
PLAYBOOK = """#!{python}
import json, os, signal, sys, time
from pathlib import Path
folder = Path("{folder}")
inventory = Path(next(one for one in sys.argv if one.startswith("--inventory=")).partition("=")[2])
names = [Path(one).stem for one in sys.argv if one.endswith(".yml") and not one.startswith("--inventory=")]
given = json.loads(next((one.partition("=")[2] for one in sys.argv if one.startswith("--extra-vars=")), "{{}}"))
def keep(name):
    with (folder / "told").open("a") as told:
        told.write(json.dumps([inventory.stem, name, "--check" in sys.argv, given]) + "\\n")
for name in names:
    keep(name)
    if name == "look":
        print("    " + json.dumps({{"seen": json.loads(inventory.read_text())}}))
    if name == "backup":
        Path(given["file"]).touch()
    if (folder / "fails").read_text() == f"{{inventory.stem}} {{name}}" and "--check" not in sys.argv:
        sys.exit(2)
    if (folder / "hangs").read_text() == f"{{inventory.stem}} {{name}}" and "--check" not in sys.argv:
        signal.signal(signal.SIGINT, lambda *_: (keep("interrupted"), sys.exit(99)))
        (folder / "hanging").touch()
        time.sleep(60)
"""
SEEN = {"name": "todo", "url": "http://here", "folder": "", "vault": "/vaults/here.yml", "database": "192.168.85.251:5432/todo", "replicas": 2, "mark": {}}
MARK = Mark("moved", "2026-01-02T03:04:05Z", "https://there", "inventory/local.yml", "inventory/work.yml", "todo", 2)
MOVED = MARK.__dict__ | {"sentence": MARK.sentence, "back": MARK.back}
BEFORE = ["work accounts", "work cluster", "work look", "work app", "work check", "here backup", "work restore --check"]
WINDOW = ["here pause paused", "here backup", "work restore"]
AFTER = ["here pause moved"]
BACK = ["here serve"]


class Move:
    """The program, from the deployment `here` to `work`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "bin").mkdir()
        (folder / "bin/ansible-playbook").write_text(PLAYBOOK.format(python=sys.executable, folder=folder))
        (folder / "bin/sudo").write_text("#!/bin/sh\n")
        for program in (folder / "bin").iterdir():
            program.chmod(0o755)
        (folder / "here/backups").mkdir(parents=True)
        self.fails("")
        self.hangs("")
        self.has("here", folder=str(folder / "here"))
        self.has("work", name="work", url="https://there", folder=str(folder / "work"), vault="", database="db.example.org:5432/work", replicas=-1)

    def has(self, side: str, **seen: Any) -> None:
        (self.folder / f"{side}.yml").write_text(json.dumps(SEEN | seen))

    def fails(self, step: str) -> None:
        (self.folder / "fails").write_text(step)

    def hangs(self, step: str) -> None:
        (self.folder / "hangs").write_text(step)

    def also(self, line: str) -> None:
        """Each playbook runs that first."""
        program = self.folder / "bin/ansible-playbook"
        program.write_text(program.read_text().replace("for name in names:\n", f"for name in names:\n    {line}\n"))

    def begins(self, *arguments: str, **streams: Any) -> subprocess.Popen[str]:
        command = [sys.executable, str(ROOT / "scripts/move"), "--to", f"{self.folder}/work.yml", "-i", f"{self.folder}/here.yml", *arguments]
        environment = os.environ | {"PATH": f"{self.folder}/bin:{os.environ['PATH']}"}
        environment["ANSIBLE_COLLECTIONS_PATH"] = str(ROOT / ".ansible/collections")
        return subprocess.Popen(command, env=environment, text=True, **({"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT} | streams))

    def __call__(self, *arguments: str) -> tuple[int, str]:
        process = self.begins(*arguments)
        said, _ = process.communicate(timeout=60)
        return process.returncode, " ".join(said.split())

    def until_it_hangs(self) -> None:
        deadline = time.monotonic() + 30
        while not (self.folder / "hanging").exists():
            assert time.monotonic() < deadline
            time.sleep(0.02)

    @property
    def steps(self) -> list[str]:
        """But the looks at the beginning."""
        found = []
        for side, name, check, given in map(json.loads, (self.folder / "told").read_text().splitlines()):
            found.append(" ".join([side, name, *([given["state"]] if name == "pause" else []), *(["--check"] if check and name != "look" else [])]))
        return found[2:] if found[:2] == ["here look", "work look"] else found

    def told(self, step: str) -> dict[str, Any]:
        """The variables of the last run of a step."""
        side, name = step.split()
        given: list[dict[str, Any]] = [one[3] for one in map(json.loads, (self.folder / "told").read_text().splitlines()) if one[:2] == [side, name]]
        return given[-1]


@pytest.fixture
def move(tmp_path: Path) -> Move:
    return Move(tmp_path)


def test_all_that_can_be_is_done_while_people_work_and_then_the_data_goes(move: Move) -> None:
    status, said = move()
    assert (status, move.steps) == (0, [*BEFORE, *WINDOW, *AFTER]), said
    assert move.told("work restore")["deployment_moved"] == "serve"
    assert move.told("work restore")["file"] == move.told("here backup")["file"]
    assert move.told("work accounts") == {"source": "/vaults/here.yml"}
    backups = [file.name for file in (move.folder / "here/backups").iterdir()]
    assert [name.endswith("-move.tar") for name in backups] == [True], "the trial is gone, the backup is there"
    assert "people work at https://there" in said
    assert "No writes for 0 s" in said or "No writes for 1 s" in said
    assert f"make move TO={move.folder}/here.yml ARGS='-i {move.folder}/work.yml -e replace=todo'" in said


def test_where_people_come_back_to_stands_still_until_its_data_is_replaced(move: Move) -> None:
    move.has("work", mark=MOVED, folder="/work", database="db:5432/our/work", replicas=0)
    status, said = move("-e", "replace=our/work")
    assert status == 0, said
    assert move.steps == ["work accounts", "work cluster", "work look", "work secrets", "here backup", "work restore --check", *WINDOW, *AFTER]
    assert move.told("work restore")["replace"] == "our/work"


@pytest.mark.parametrize("step", BEFORE[:2] + BEFORE[3:6])
def test_what_fails_beforehand_touches_nothing_that_serves(move: Move, step: str) -> None:
    move.fails(step)
    status, said = move()
    assert status == 1, said
    assert move.steps == BEFORE[: BEFORE.index(step) + 1]
    assert "Nobody was moved: people work at http://here" in said


@pytest.mark.parametrize("step", ["here pause", "work restore"])
def test_what_fails_without_writes_has_people_served_where_they_were(move: Move, step: str) -> None:
    move.fails(step)
    status, said = move()
    assert status == 1
    assert move.steps[-1:] == BACK
    assert "people work at http://here as before" in said


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
@pytest.mark.parametrize("step", ["here pause", "work restore"])
def test_whoever_ends_it_has_people_served_where_they_were(move: Move, step: str, number: signal.Signals) -> None:
    move.hangs(step)
    process = move.begins()
    move.until_it_hangs()
    process.send_signal(number)
    said, _ = process.communicate(timeout=30)
    assert process.returncode == 128 + number
    assert move.steps[-2:] == [f"{step.split()[0]} interrupted", *BACK]
    assert "people work at http://here as before" in said


def test_a_second_signal_does_not_keep_people_from_being_served(move: Move) -> None:
    move.hangs("here pause")
    process = move.begins()
    move.until_it_hangs()
    (move.folder / "hanging").unlink()
    move.hangs("here serve")
    process.send_signal(signal.SIGINT)
    move.until_it_hangs()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        process.send_signal(number)
    time.sleep(1)  # nothing comes of it, which nothing tells
    assert process.poll() is None
    assert move.steps[-1:] == BACK
    process.kill()
    process.wait()


def test_a_terminal_that_is_closed_has_people_served_where_they_were(move: Move) -> None:
    move.hangs("work restore")
    master, slave = pty.openpty()
    process = move.begins(stdin=slave, stdout=slave, stderr=slave, start_new_session=True, preexec_fn=lambda: os.close(os.open(os.ttyname(0), os.O_RDWR)))
    os.close(slave)
    reader = subprocess.Popen(["cat"], stdin=master, stdout=subprocess.DEVNULL)
    move.until_it_hangs()
    os.close(master)
    reader.kill()
    reader.wait()
    assert process.wait(30) == 128 + signal.SIGHUP
    assert move.steps[-2:] == ["work interrupted", *BACK]


def test_people_stay_where_they_are_once_they_are_there(move: Move) -> None:
    move.also('if given.get("state") == "moved": (folder / "hanging").touch(); time.sleep(2)')
    process = move.begins(start_new_session=True)
    move.until_it_hangs()
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does
    said, _ = process.communicate(timeout=30)
    assert process.returncode == 0, said
    assert move.steps == [*BEFORE, *WINDOW, *AFTER]


def test_nobody_being_served_after_all_is_said_with_what_to_do(move: Move) -> None:
    move.fails("work restore")
    move.also('if name == "serve": sys.exit("no cluster")')
    status, said = move()
    assert status == 1
    assert "no cluster" in said
    assert "Nobody is served at http://here" in said
    assert "make up ARGS='-e deployment_moved=serve'" in said


def test_a_second_attempt_goes_on_from_one_that_was_killed(move: Move) -> None:
    move.has("here", folder=str(move.folder / "here"), replicas=0, mark=MOVED | {"state": "moving"})
    status, said = move()
    assert (status, move.steps) == (0, [*BACK, *BEFORE, *WINDOW, *AFTER]), said


def test_a_dry_run_says_what_would_happen_and_does_nothing(move: Move) -> None:
    status, said = move("--check")
    assert (status, move.steps) == (0, [])
    assert "People would move from http://here (192.168.85.251:5432/todo) to https://there (db.example.org:5432/work)" in said


def test_two_at_a_time_are_refused(move: Move) -> None:
    move.hangs("work cluster")
    first = move.begins()
    move.until_it_hangs()
    status, said = move()
    first.send_signal(signal.SIGTERM)
    first.communicate(timeout=30)
    assert status == 1
    assert "another `make move`" in said


def test_what_ends_beforehand_leaves_people_alone(move: Move) -> None:
    move.hangs("work cluster")
    process = move.begins()
    move.until_it_hangs()
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=30)
    assert process.returncode == 130
    assert move.steps == ["work accounts", "work cluster", "work interrupted"]


HERE = {"folder": "/here"}
WORK = {"folder": "/work", "database": "db:5432/work", "url": "https://there"}


@pytest.mark.parametrize(
    ("here", "work", "words"),
    [
        (HERE | {"mark": MOVED, "replicas": 0}, WORK, [MARK.sentence, MARK.back, "make up ARGS='-e deployment_moved=serve'"]),
        (HERE | {"replicas": -1}, WORK, ["serves nobody", "make up"]),
        (HERE, HERE, ["are the same deployment"]),
        (HERE, WORK | {"database": SEEN["database"]}, ["Both deployments have the database 192.168.85.251:5432/todo"]),
        (HERE, WORK | {"mark": MOVED}, ["has the data from before people moved away", "-e replace=work"]),
        (HERE, WORK | {"mark": MOVED | {"state": "moving"}}, ["Let it serve again first"]),
        (HERE | {"replicas": 0}, WORK | {"database": SEEN["database"]}, ["2 things stand in the way", "serves nobody", "Both deployments"]),
    ],
)
def test_it_refuses_before_anything_is_done(move: Move, here: dict[str, Any], work: dict[str, Any], words: list[str]) -> None:
    move.has("here", **here)
    move.has("work", **work)
    status, said = move()
    assert (status, move.steps) == (1, [])
    assert [word for word in words if word not in said] == [], said


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["-e", "deployment_name=x"], "make move takes no -e deployment_name=x"),
        (["--tags", "x"], "make move takes no --tags x"),
        (["--to", ""], "make move TO=inventory/work.yml"),
        (["--to", "inventory/none.yml"], "There is no inventory inventory/none.yml"),
    ],
)
def test_what_it_is_not_given_well_is_said(move: Move, arguments: list[str], words: str) -> None:
    status, said = move(*arguments)
    assert status == 1
    assert words in said
    assert not (move.folder / "told").exists()


# The module

KUBECTL = """#!{python}
import json, sys
from pathlib import Path
folder = Path("{folder}")
with (folder / "asked").open("a") as asked:
    asked.write(" ".join(sys.argv[3:6]) + "\\n")
if sys.argv[3] == "patch":
    patch = json.loads(sys.argv[-1].partition("=")[2])
    found = json.loads((folder / "deployment").read_text())
    found["metadata"]["annotations"] |= patch["metadata"]["annotations"]
    found["metadata"]["annotations"] = {{name: text for name, text in found["metadata"]["annotations"].items() if text is not None}}
    found["spec"] |= patch["spec"]
    (folder / "deployment").write_text(json.dumps(found))
elif "deployment/backend" in sys.argv:
    print((folder / "deployment").read_text(), end="")
    sys.exit(int((folder / "status").read_text()))
else:
    left = json.loads((folder / "pods").read_text())
    (folder / "pods").write_text(json.dumps(left[1:]))
    print(json.dumps({{"items": [{{"metadata": {{"name": name}}}} for name in left]}}))
"""


class Backend:
    """A Deployment in a cluster."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder, self.capsys = folder, capsys
        (folder / "kubectl").write_text(KUBECTL.format(python=sys.executable, folder=folder))
        (folder / "kubectl").chmod(0o755)
        (folder / "status").write_text("0")
        (folder / "pods").write_text('["backend-1", "backend-2"]')
        self.is_({"metadata": {"annotations": {"theirs": "stays"}}, "spec": {"replicas": 3}})

    def is_(self, deployment: dict[str, Any] | None) -> None:
        (self.folder / "deployment").write_text(json.dumps(deployment) if deployment else "")

    @property
    def found(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self.folder / "deployment").read_text())
        return found

    @property
    def patched(self) -> bool:
        return "patch" in (self.folder / "asked").read_text()

    def __call__(self, state: str, **given: Any) -> dict[str, Any]:
        where = {"kubectl": str(self.folder / "kubectl"), "kubeconfig": "/state/kubeconfig", "namespace": "todo"}
        with patch_module_args(where | {"state": state} | given), pytest.raises(SystemExit):
            deployment_pause.main()
        result: dict[str, Any] = json.loads(self.capsys.readouterr().out)
        return result


@pytest.fixture
def backend(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Backend:
    monkeypatch.setattr(deployment_pause, "POLL_SECONDS", 0.01)
    return Backend(tmp_path, capsys)


PLACES = {"url": "https://there", "here": "inventory/local.yml", "there": "inventory/work.yml", "data": "todo"}


def test_it_stands_still_when_its_last_pod_has_gone_and_serves_again_as_before(backend: Backend) -> None:
    assert backend("paused", **PLACES)["changed"]
    assert json.loads((backend.folder / "pods").read_text()) == []
    assert backend.found["spec"]["replicas"] == 0
    moving = mark(backend.found)
    assert moving
    assert (moving.state, moving.replicas, moving.url) == ("moving", 3, "https://there")
    assert backend("moved")["changed"]
    assert not backend("moved")["changed"]
    assert backend("serving", _ansible_check_mode=True)["mark"]["back"] == "make move TO=inventory/local.yml ARGS='-i inventory/work.yml -e replace=todo'"
    assert backend.found["spec"]["replicas"] == 0
    assert backend("serving")["changed"]
    assert backend.found == {"metadata": {"annotations": {"theirs": "stays"}}, "spec": {"replicas": 3}}


def test_one_that_is_paused_anew_still_knows_how_many_pods_it_had(backend: Backend) -> None:
    for _ in range(2):
        backend("paused", **PLACES)
    backend("serving")
    assert backend.found["spec"]["replicas"] == 3


def test_where_nobody_has_moved_nothing_changes(backend: Backend) -> None:
    result = backend("serving")
    assert (result["changed"], result["mark"], result["replicas"], backend.patched) == (False, {}, 3, False)


@pytest.mark.parametrize(("deployment", "status"), [(None, "0"), (None, "1")])
def test_where_there_is_none_it_is_not_known(backend: Backend, deployment: None, status: str) -> None:
    backend.is_(deployment)
    (backend.folder / "status").write_text(status)
    assert backend("serving")["replicas"] == -1
    assert "no application" in backend("paused")["why"]


def test_pods_that_stay_are_named(backend: Backend) -> None:
    (backend.folder / "pods").write_text(json.dumps(["backend-1"] * 1000))
    assert "backend-1" in backend("paused", timeout=0)["why"]


def test_somebody_elses_annotation_is_no_mark() -> None:
    assert mark({"metadata": {"annotations": {ANNOTATION: "{}"}}}) is None
    assert mark({"metadata": {"annotations": {ANNOTATION: "x"}}}) is None


# What asks it


PLAY = """
- hosts: localhost
  connection: local
  gather_facts: false
  vars: {deployment_name: todo, deployment_without: [], deployment_kubeconfig: FOLDER/kubeconfig, deployment_kubectl: FOLDER/kubectl, deployment_moved: ""}
  tasks:
    - ansible.builtin.import_tasks: TASKS
    - ansible.builtin.debug: {msg: goes on}
"""


@pytest.mark.parametrize(
    ("there", "state", "given", "said", "replicas"),
    [
        (False, "moved", "", "goes on", 0),
        (True, "", "", "goes on", 3),
        (True, "moved", "", "make move TO=inventory/local.yml ARGS='-i inventory/work.yml -e replace=todo'", 0),
        (True, "moving", "", "make up ARGS='-e deployment_moved=serve'", 0),
        (True, "moved", "serv", "make up ARGS='-e deployment_moved=serve'", 0),
        (True, "moved", "serve", "goes on", 2),
    ],
)
def test_a_run_is_refused_where_people_have_moved_away(
    backend: Backend, there: bool, state: str, given: str, said: str, replicas: int
) -> None:
    folder = backend.folder
    if state:
        marked = Mark(state, "2026-01-02T03:04:05Z", "https://there", "inventory/local.yml", "inventory/work.yml", "todo", 2)
        backend.is_({"metadata": {"annotations": {ANNOTATION: marked.text()}}, "spec": {"replicas": 0}})
    if there:
        (folder / "kubeconfig").touch()
    (folder / "play.yml").write_text(PLAY.replace("FOLDER", str(folder)).replace("TASKS", str(ROOT / "playbooks/tasks/moved.yml")))
    command = [str(Path(sys.executable).parent / "ansible-playbook"), f"{folder}/play.yml", "--inventory=localhost,"]
    (folder / "ansible.cfg").touch()
    settings = {"ANSIBLE_CONFIG": f"{folder}/ansible.cfg", "ANSIBLE_BECOME_EXE": f"{folder}/become"}
    settings["ANSIBLE_COLLECTIONS_PATH"] = str(ROOT / ".ansible/collections")
    (folder / "become").write_text('#!/bin/sh\nwhile [ "$1" != /bin/sh ]; do shift; done\nexec "$@"\n')
    (folder / "become").chmod(0o755)
    variables = {"ansible_python_interpreter": sys.executable, "deployment_moved": given}
    done = subprocess.run([*command, f"--extra-vars={json.dumps(variables)}"], env=os.environ | settings, capture_output=True, text=True, check=False)
    assert said in done.stdout, done.stdout + done.stderr
    assert (done.returncode == 0) == ("goes on" in said)
    assert backend.found["spec"]["replicas"] == replicas


# The vaults


@pytest.fixture
def take(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., dict[str, Any]]:
    """The action, from the vault `here` to `work`."""
    secrets = [("default", VaultSecret(b"vault password of the tests"))]
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.setattr(VaultSecretsContext, "_current", VaultSecretsContext(secrets))

    def taken(here: dict[str, Any], work: dict[str, Any]) -> dict[str, Any]:
        for name, content in (("here", here), ("work", work)):
            (tmp_path / f"{name}.yml").write_bytes(VaultLib(secrets).encrypt(yaml.safe_dump(content), secrets[0][1]))
        action = vault_accounts.ActionModule.__new__(vault_accounts.ActionModule)
        action._task = type("Task", (), {"check_mode": False})()
        result = action.act({"path": str(tmp_path / "work.yml"), "team_path": None, "source": str(tmp_path / "here.yml")})
        content: dict[str, Any] = yaml.safe_load(VaultLib(secrets).decrypt((tmp_path / "work.yml").read_bytes()))
        return {**result, "content": content}

    return taken


def test_what_keeps_tokens_valid_is_taken_and_what_is_a_deployments_own_stays(take: Callable[..., dict[str, Any]]) -> None:
    own = {"vault_database_url": "postgresql://a:b@c/d", "vault_registry_login": "a:b"}
    here, work = {**vault.new_vault(), "vault_model_api_key": "k" * 20}, {**vault.new_vault(), **own}
    result = take(here, work)
    assert result["changed"]
    assert result["content"] == {**work, "vault_jwt_keys": here["vault_jwt_keys"], "vault_model_api_key": here["vault_model_api_key"]}
    assert here["vault_model_api_key"] not in result["msg"]
    assert not take(here, result["content"])["changed"]


def test_a_model_key_of_the_other_ones_own_stays_where_there_is_none(take: Callable[..., dict[str, Any]]) -> None:
    result = take(vault.new_vault(), {**vault.new_vault(), "vault_model_api_key": "k" * 20})
    assert result["content"]["vault_model_api_key"] == "k" * 20
