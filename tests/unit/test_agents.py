"""Assistants for operations: whose token they get and when it is renewed, what shows of it, and the environment of one of them."""

from __future__ import annotations

import base64
import json
import os
import shlex
import stat
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import jinja2
import pytest
import yaml
from script import wheel

from ansible_collections.todochat.platform.plugins.module_utils.cluster.agents import Kubeconfig, claims
from ansible_collections.todochat.platform.plugins.modules import agent_access, python_environment

ROOT = Path(__file__).resolve().parents[2]
ROLE = ROOT / "roles/ai_devops"
KEY = "canary-key-of-a-model-5150"
# What is started, below the folder of its test.
PROGRAMS = {"holmes": "environment/bin/holmes", "kubectl-ai": "programs/kubectl-ai"}
# Of a cluster that knows one administrator, and the tokens that it has made.
KUBECTL = """#!{python}
import base64, json, os, sys, time
here = os.path.dirname(sys.argv[0])
words, kubeconfig = sys.argv[1:], os.environ["KUBECONFIG"]
assert os.environ["KUBERC"] == "off"
with open(here + "/log", "a") as log:
    log.write(json.dumps(words) + "\\n")
if os.path.exists(here + "/down"):
    sys.exit("The connection to the server was refused")
said = json.load(open(kubeconfig))
token = said["users"][0]["user"]["token"] if said["users"] else ""
if "view" in words:
    print(json.dumps(said))
elif "create" in words and "token" in words:
    assert token == "administrator"
    seconds = int(words[-1].removeprefix("--duration=").removesuffix("s"))
    body = base64.urlsafe_b64encode(json.dumps({{"exp": int(time.time()) + seconds}}).encode()).decode().rstrip("=")
    made = "head." + body + ".canary-signature-" + str(len(open(here + "/log").readlines()))
    open(here + "/tokens", "a").write(made + "\\n")
    print(made)
elif "whoami" in words:
    if token not in open(here + "/tokens").read().split():
        sys.exit("error: You must be logged in to the server (Unauthorized)")
    print(json.dumps({{"status": {{"userInfo": {{"username": "system:serviceaccount:todo:agents"}}}}}}))
else:
    sys.exit("no such command: " + str(words))
"""


class Runner:
    """The module as Ansible runs it, with a kubectl that stands for a cluster."""

    def __init__(self, folder: Path) -> None:
        self.here = folder / "bin"
        self.here.mkdir()
        self.kubectl = self.here / "kubectl"
        self.kubectl.write_text(KUBECTL.format(python=sys.executable))
        self.kubectl.chmod(0o755)
        self.directory = folder / "state/agents"
        self.admin = folder / "kubeconfig"
        self.lead("https://127.0.0.1:32771")
        (self.here / "tokens").touch()

    def lead(self, server: str) -> None:
        """The administrator's kubeconfig leads there."""
        content = {
            "clusters": [{"name": "todo", "cluster": {"server": server, "certificate-authority-data": "Q0E="}}],
            "users": [{"name": "todo", "user": {"token": "administrator"}}],
        }
        self.admin.write_text(json.dumps(content))

    def run(self, check: bool = False, **given: object) -> dict[str, Any]:
        arguments = {
            "kubectl": str(self.kubectl),
            "kubeconfig": str(self.admin),
            "namespace": "todo",
            "account": "agents",
            "directory": str(self.directory),
            "model_key": KEY,
            **given,
        }
        said = run(agent_access.__file__, check, arguments)
        assert KEY not in said
        assert "canary-signature" not in said
        return json.loads(said)  # type: ignore[no-any-return]

    def kubeconfig(self) -> dict[str, Any]:
        content: dict[str, Any] = json.loads((self.directory / "kubeconfig").read_text())
        return content

    def token(self) -> str:
        return str(self.kubeconfig()["users"][0]["user"]["token"])

    def age(self, minutes: float) -> None:
        """The token has so many minutes left; the cluster still takes it."""
        head, _, tail = self.token().split(".")
        body = base64.urlsafe_b64encode(json.dumps({"exp": time.time() + 60 * minutes}).encode()).decode().rstrip("=")
        content = self.kubeconfig()
        content["users"][0]["user"]["token"] = f"{head}.{body}.{tail}"
        (self.directory / "kubeconfig").write_text(json.dumps(content))
        with (self.here / "tokens").open("a") as tokens:
            tokens.write(f"{head}.{body}.{tail}\n")


def run(module: str | None, check: bool, arguments: dict[str, Any]) -> str:
    """All that a module prints."""
    asked = json.dumps({"ANSIBLE_MODULE_ARGS": {**arguments, "_ansible_check_mode": check, "_ansible_remote_tmp": "/tmp"}})
    done = subprocess.run([sys.executable, str(module)], input=asked, capture_output=True, text=True, check=False)
    assert done.stderr == ""
    return done.stdout


@pytest.fixture
def runner(tmp_path: Path) -> Runner:
    return Runner(tmp_path)


def test_agents_get_a_kubeconfig_of_their_own_that_nobody_else_reads(runner: Runner) -> None:
    said = runner.run()
    assert said["changed"]
    assert said["server"] == "127.0.0.1"
    assert said["has_key"]
    left = claims(runner.token())["exp"] - time.time()
    assert 59 * 60 < left <= 60 * 60
    assert runner.kubeconfig()["contexts"][0]["context"]["namespace"] == "todo"
    assert "administrator" not in (runner.directory / "kubeconfig").read_text()
    assert (runner.directory / "model-key").read_text() == KEY
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (runner.directory, *runner.directory.iterdir())}
    assert modes == {"agents": 0o700, "kubeconfig": 0o600, "model-key": 0o600}
    assert KEY not in (runner.here / "log").read_text()


def test_nothing_changes_while_the_token_has_half_of_its_time_left(runner: Runner) -> None:
    runner.run()
    before = runner.token()
    assert not runner.run()["changed"]
    runner.age(31)
    assert not runner.run()["changed"]
    runner.age(29)
    assert runner.run(check=True)["changed"]
    assert runner.run()["changed"]
    assert runner.token() != before


def change_server(runner: Runner) -> None:
    runner.lead("https://127.0.0.1:32999")


def forget_tokens(runner: Runner) -> None:
    (runner.here / "tokens").write_text("")


def let_others_read(runner: Runner) -> None:
    (runner.directory / "kubeconfig").chmod(0o644)


def damage(runner: Runner) -> None:
    (runner.directory / "kubeconfig").write_text("{")


@pytest.mark.parametrize("happens", [change_server, forget_tokens, let_others_read, damage])
def test_what_does_not_serve_any_more_is_made_anew(happens: Any, runner: Runner) -> None:
    """Another address; an account that was made anew, as the whole cluster may have been; a file that others could read, or that is none."""
    runner.run()
    happens(runner)
    assert runner.run()["changed"]
    assert not runner.run()["changed"]
    assert stat.S_IMODE((runner.directory / "kubeconfig").stat().st_mode) == 0o600


def test_a_shorter_life_is_had_at_once(runner: Runner) -> None:
    runner.run()
    assert runner.run(seconds=900)["changed"]
    assert claims(runner.token())["exp"] - time.time() <= 15 * 60


@pytest.mark.parametrize("seconds", [599, 86401])
def test_a_life_that_kubernetes_would_not_give_is_refused(seconds: int, runner: Runner) -> None:
    said = runner.run(seconds=seconds)
    assert f"cannot be good for {seconds} seconds" in said["why"]
    assert not runner.directory.exists()


def test_the_key_goes_with_the_one_in_the_vault(runner: Runner) -> None:
    runner.run()
    assert runner.run(model_key="another-canary-of-16")["changed"]
    assert (runner.directory / "model-key").read_text() == "another-canary-of-16"
    said = runner.run(model_key="")
    assert said["changed"]
    assert not said["has_key"]
    assert not (runner.directory / "model-key").exists()
    assert not runner.run(model_key="")["changed"]


def test_check_mode_says_so_and_makes_nothing(runner: Runner) -> None:
    assert runner.run(check=True)["changed"]
    assert not runner.directory.exists()
    runner.run()
    assert not runner.run(check=True)["changed"]


def test_a_cluster_that_does_not_answer_is_named(runner: Runner) -> None:
    (runner.here / "down").touch()
    said = runner.run()
    assert "was refused" in said["why"]
    assert not runner.directory.exists()


@pytest.mark.parametrize("token", ["", "a.b", "a.!.c", "a.bnVsbA.c"])
def test_what_is_no_token_counts_as_run_out(token: str, tmp_path: Path) -> None:
    file = tmp_path / "kubeconfig"
    file.write_text(json.dumps({"users": [{"user": {"token": token}}]}))
    file.chmod(0o600)
    assert Kubeconfig(file).expires() == 0


def objects() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = yaml.safe_load((ROLE / "vars/main.yml").read_text())["__ai_devops_objects"]
    return found


def test_the_account_may_look_at_what_is_listed_and_at_nothing_else() -> None:
    """Nothing that reads a Secret or a token, runs in a pod or goes through one, or changes anything; the scenario tries each."""
    rules = [rule for one in objects() for rule in one.get("rules", [])]
    for rule in rules:
        assert rule["verbs"] in ("{{ __ai_devops_looks }}", ["get", "list"])
        assert set(rule["apiGroups"]).isdisjoint({"*", "rbac.authorization.k8s.io", "authentication.k8s.io", "certificates.k8s.io"})
        for resource in rule["resources"]:
            assert resource == "pods/log" or ("/" not in resource and resource not in ("*", "secrets", "serviceaccounts")), resource
    assert {resource for rule in rules for resource in rule["resources"]} >= {"pods", "pods/log", "events", "deployments", "nodes", "networkpolicies"}
    assert yaml.safe_load((ROLE / "vars/main.yml").read_text())["__ai_devops_looks"] == ["get", "list", "watch"]


def test_its_own_pods_would_have_no_token_and_its_bindings_are_of_it_alone() -> None:
    assert next(one for one in objects() if one["kind"] == "ServiceAccount")["automountServiceAccountToken"] is False
    assert [one["subjects"] for one in objects() if "subjects" in one] == [["{{ __ai_devops_subject }}"]] * 2


def started(program: str, folder: Path, *arguments: str, key: str = KEY, token: str = "taken", **callers: str) -> subprocess.CompletedProcess[str]:
    """What starts an assistant, with one in its place that prints its environment, then its arguments; each ends with a zero byte."""
    stand_in = "env -0; printf 'argument=%s\\0' \"$@\""
    for name, script in (("bin/kubectl", f'[ "$KUBERC $1 $2" = "off auth whoami" ] && [ {token} = taken ]'), (PROGRAMS[program], stand_in)):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(f"#!/bin/sh\n{script}\n")
        (folder / name).chmod(0o755)
    (folder / "model-key").write_text(key)
    templates = jinja2.Environment(loader=jinja2.FileSystemLoader(ROLE / "templates"), undefined=jinja2.StrictUndefined, autoescape=False)
    templates.filters |= {"quote": shlex.quote, "dirname": os.path.dirname}
    script = templates.get_template(f"{program}.j2").render(
        ai_devops_namespace="todo",
        ai_devops_directory=str(folder),
        ai_devops_kubectl=str(folder / "bin/kubectl"),
        ai_devops_holmes_directory=str(folder / "environment"),
        __ai_devops_account="agents",
        __ai_devops_access={"server": "192.168.85.2"},
        __ai_devops_model={"TODO_MODEL_URL": "https://here.example/v1", "TODO_MODEL": "m; of mine"},
    )
    command = ["sh", "-c", script, program, *arguments]
    return subprocess.run(command, env={"PATH": os.environ["PATH"], **callers}, capture_output=True, text=True, check=False)


def printed(done: subprocess.CompletedProcess[str]) -> tuple[dict[str, str], list[str]]:
    """The environment and the arguments of the assistant that was started."""
    assert done.returncode == 0, done.stderr
    pairs = [line.split("=", 1) for line in done.stdout.split("\0") if line]
    return {name: value for name, value in pairs if name != "argument"}, [value for name, value in pairs if name == "argument"]


@pytest.mark.parametrize("program", PROGRAMS)
def test_an_assistant_acts_as_the_agents_account_with_the_assistants_model(program: str, tmp_path: Path) -> None:
    """Whatever the caller has set."""
    names = ("OPENAI_BASE_URL", "OPENAI_ENDPOINT", "OPENAI_API_BASE", "OPENAI_API_KEY", "AZURE_API_BASE", "OPENAI_ORGANIZATION", "MODEL", "KUBECONFIG")
    where = {"holmes": "OPENAI_BASE_URL", "kubectl-ai": "OPENAI_ENDPOINT"}[program]
    asked = "why does 'it' crash?\nIt did."
    done = started(program, tmp_path, "ask", asked, **dict.fromkeys(names, "https://elsewhere.example"))
    found, arguments = printed(done)
    assert (found[where], found["OPENAI_API_KEY"]) == ("https://here.example/v1", KEY)
    assert (found["KUBECONFIG"], found["KUBERC"]) == (f"{tmp_path}/kubeconfig", "off")
    assert found["PATH"].split(":")[0] == str(tmp_path / "bin")
    assert arguments[-2:] == ["ask", asked]
    assert KEY not in " ".join(arguments), "all users of the machine see those"


def test_holmesgpt_hears_of_no_other_provider(tmp_path: Path) -> None:
    others = dict.fromkeys(("OPENAI_BASE_URL", "OPENAI_API_BASE", "AZURE_API_BASE", "OPENAI_ORGANIZATION", "MODEL"), "https://elsewhere.example")
    found, arguments = printed(started("holmes", tmp_path, "ask", **others))
    assert "elsewhere" not in " ".join(found.values())
    assert found["OPENAI_API_BASE"] == "https://here.example/v1"
    assert (found["MODEL"], arguments) == ("openai/m; of mine", ["ask"])


def test_kubectl_ai_asks_before_it_changes_anything_and_keeps_its_trace_to_itself(tmp_path: Path) -> None:
    _, arguments = printed(started("kubectl-ai", tmp_path, "what is wrong?"))
    assert arguments == [
        *("--llm-provider=openai", "--model=m; of mine", f"--kubeconfig={tmp_path}/kubeconfig", "--skip-permissions=false"),
        *(f"--trace-path={tmp_path}/temporary/kubectl-ai-trace.txt", "what is wrong?"),
    ]
    assert (tmp_path / "temporary").is_dir()


@pytest.mark.parametrize("program", PROGRAMS)
@pytest.mark.parametrize(
    ("lacks", "said"),
    [({"key": ""}, "There is no key for a language model"), ({"token": "refused"}, "The cluster does not take the agents' token")],
)
def test_an_assistant_without_a_key_or_a_token_says_so_and_does_not_start(program: str, lacks: dict[str, str], said: str, tmp_path: Path) -> None:
    done = started(program, tmp_path, **lacks)
    assert (done.returncode, done.stdout) == (1, "")
    assert said in done.stderr


@pytest.mark.parametrize("program", PROGRAMS)
@pytest.mark.parametrize(
    ("callers", "expected"),
    [
        ({}, "192.168.85.2"),
        ({"NO_PROXY": "a"}, "a,192.168.85.2"),
        ({"no_proxy": "b"}, "b,192.168.85.2"),
        ({"NO_PROXY": "a", "no_proxy": "b"}, "a,b,192.168.85.2"),
    ],
)
def test_whom_the_caller_asks_without_a_proxy_is_still_asked_so(program: str, callers: dict[str, str], expected: str, tmp_path: Path) -> None:
    found, _ = printed(started(program, tmp_path, **callers))
    assert found["NO_PROXY"] == found["no_proxy"] == expected


class Environment:
    """The module that makes one, of a package that lies here."""

    def __init__(self, folder: Path) -> None:
        self.packages = folder / "packages"
        self.packages.mkdir()
        self.lock = folder / "lock.txt"
        self.folder = folder / "cache/environment"
        self.write("sha256", wheel(self.packages))

    def write(self, kind: str, package: Path) -> None:
        hashed = subprocess.run([f"{kind}sum", str(package)], capture_output=True, text=True, check=True).stdout.split()[0]
        self.lock.write_text(f"here==1 --hash={kind}:{hashed}\n")

    def run(self, check: bool = False) -> dict[str, Any]:
        said = run(python_environment.__file__, check, {"lock": str(self.lock), "folder": str(self.folder)})
        return json.loads(said)  # type: ignore[no-any-return]


@pytest.fixture
def environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Environment:
    made = Environment(tmp_path)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(made.packages))
    return made


def test_an_environment_is_made_once_and_anew_where_its_lock_differs(environment: Environment) -> None:
    assert environment.run(check=True) == {"changed": True, "invocation": environment.run(check=True)["invocation"]}
    assert not environment.folder.exists()
    assert environment.run()["changed"]
    python = environment.folder / "bin/python"
    assert subprocess.run([python, "-c", "import here"], check=False).returncode == 0
    assert not environment.run()["changed"]
    environment.lock.write_text(environment.lock.read_text() + "# another\n")
    assert environment.run(check=True)["changed"]
    assert environment.run()["changed"]


def test_a_package_with_another_hash_is_not_taken(environment: Environment) -> None:
    environment.lock.write_text(f"here==1 --hash=sha256:{'0' * 64}\n")
    said = environment.run()
    assert "pip could not make" in said["why"]
    assert environment.run(check=True)["changed"]


def test_what_was_broken_off_is_made_anew(environment: Environment) -> None:
    environment.run()
    os.unlink(environment.folder / "installed.json")
    assert environment.run()["changed"]
