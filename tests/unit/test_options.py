"""Every option of every role, given a bad value, is refused with one message before any role begins."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible.errors import AnsibleUndefinedVariable

from ansible_collections.todochat.platform.plugins.module_utils.base.errors import UserError
from ansible_collections.todochat.platform.plugins.plugin_utils import options
from ansible_collections.todochat.platform.plugins.plugin_utils.options import Variables, problems

ROOT = Path(__file__).resolve().parents[2]
ROLES = options.specifications()
OPTIONS = {name: option for role in ROLES.values() for name, option in role.items()}
BAD: Mapping[options.Kind, Any] = {
    options.PATH: "relative/canary",
    options.PROGRAM: "canary with arguments",
    options.LOCK: "/no/such/canary",
    options.SERVICES: "/proc",
    options.LABEL: "To_Do",
    options.DOCKER_NAME: "-canary",
    options.DOCKER_NAME_OR_NONE: "can ary",
    options.REPOSITORY: "Canary/",
    options.ARTIFACT: ["kubectl", "no such"],
    options.ENDPOINT: "localhost:5000",
    options.REGISTRY: "https://canary/",
    options.LOGIN: "canary without a colon",
    options.FILE_OR_NONE: "/no/such/canary",
    options.CONTEXT: "can ary",
    options.HOST_AND_PORT: "127.0.0.1",
    options.ADDRESS: "192.168.85.256",
    options.GATEWAY: "192.168.85.254",
    options.SUBNET: "192.168.85.1/24",
    options.PUBLISHED: ["127.0.0.1:8080"],
    options.NODE_PORT: 8080,
    options.CPUS: 1,
    options.NODES: 0,
    options.MEMORY: 512,
    options.SECONDS: 0,
    options.URL: "127.0.0.1:30000",
    options.MIRROR: "https://mirror.example/canary?token=canary",
    options.VERSION: "1.34",
    options.USER: "root",
    options.USERS: ["tester", "Some One"],
    options.IDENTIFIER: "Canary-1",
    options.PASSWORD: "canary\u00e9canary",
    options.DATABASE_URL: "mysql://u:canary@h/d",
    options.MODEL: "can ary",
    options.MODEL_URL: "https://user:canary@host/v1",
    options.TOKENS: -1,
    options.SECRETS: ["Registry_Login"],
    options.CIDRS: ["10.0.0.7"],
    options.KEY: "canary",
    options.KEY_RING: {"active": "canary"},
    options.VALUES: {1: "canary"},
    options.COMPONENTS: [{"name": "Can ary", "title": "t", "seconds": 1, "root": False}],
}

# A chart by whatever name Helm takes, and its values.
ANY = {"ai_devops_kagent_charts", "ai_devops_kagent_values"}


def given(**raw: Any) -> Variables:
    """Variables as a play has them; of expressions, only a variable alone and text with one in it are filled in."""

    def fill_in(name: str) -> Any:
        value = raw[name]
        if not isinstance(value, str):
            return value
        for expression in re.findall(r"\{\{ *(\w+) *\}\}", value):
            if expression not in raw:
                raise AnsibleUndefinedVariable(f"'{expression}' is undefined")
        if alone := options.REFERENCE.fullmatch(value):
            return fill_in(alone[1])
        return options.REFERENCE.sub(lambda found: str(fill_in(found[1])), value)

    return Variables(raw, fill_in)


def found(*shared: str, before_preflight: bool = False, **raw: Any) -> list[UserError]:
    return problems(given(**raw), ROLES, shared, before_preflight)


def one(errors: list[UserError], *phrases: str) -> str:
    """There is one error, and it says all this."""
    assert len(errors) == 1, [str(error) for error in errors]
    assert [phrase for phrase in phrases if phrase not in str(errors[0])] == [], str(errors[0])
    return str(errors[0])


def bad_value(name: str) -> Any:
    """A value that an option does not take; of the right type, where its specification knows no better."""
    if "choices" in OPTIONS[name] or OPTIONS[name]["type"] == "bool":
        return "canary"
    kind = options.kind_of(name)
    assert kind, f"{name} takes any {OPTIONS[name]['type']}: name its kind in plugins/plugin_utils/options.py"
    return BAD[kind]


@pytest.mark.parametrize("name", sorted(set(OPTIONS) - ANY))
def test_a_bad_value_of_each_option_is_refused(name: str) -> None:
    value = bad_value(name)
    message = one(found(**{name: value}), name, f"Give {name} ")
    if OPTIONS[name].get("no_log"):
        assert "canary" not in message
        assert "(not shown)" in message
    else:
        assert str(value) in message


@pytest.mark.parametrize("name", OPTIONS)
def test_another_type_is_refused(name: str) -> None:
    wrong = "canary" if OPTIONS[name]["type"] in ("bool", "int", "dict") else {"canary": [1]}
    message = one(found(**{name: wrong}), f"{name}=", options.TYPES[OPTIONS[name]["type"]] if "choices" not in OPTIONS[name] else "")
    assert ("canary" in message) != OPTIONS[name].get("no_log", False)


def test_every_kind_has_a_bad_value_and_an_option() -> None:
    kinds = {kind for _, kind in options.KINDS}
    assert kinds == set(BAD)
    assert {options.kind_of(name) for name in OPTIONS} - {None} == kinds


@pytest.mark.parametrize("name", OPTIONS)
def test_the_default_of_each_option_is_taken(name: str) -> None:
    assert found(**{name: OPTIONS[name]["default"]}) == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("minikube_ports", ["8080:80", "127.0.0.1:8080:80/tcp"]),
        ("minikube_registry", "registry.example:5000"),
        ("minikube_cpus", "4"),
        *(("minikube_user", name) for name in ("john.doe", "JDoe", "jdoe@corp.example", "CORP\\jdoe", "j_doe-2$", "jürgen")),
        ("artifact_mirror", "/srv/mirror"),
        ("artifact_mirror", "https://mirror.example/todochat"),
        ("artifact_mirror", "https://[fd00::7]:8443/a/path/"),
        ("app_check_database_container", ""),
        ("app_secrets_kubeconfig", "~/kubeconfig"),
        ("app_secrets_database_url", "postgresql://todo_app:@192.168.85.251:5432/todo"),  # before the vault is made
        ("container_engine_replace_older", "yes"),
        ("app_release_model_url", "http://[fd00::7]:8080/v1"),
        ("app_release_model_fallback", ""),
        ("app_release_model_tokens", "0"),
        ("app_release_pull_secrets", ["registry-login"]),
        ("app_release_model_cidrs", ["10.0.0.7/32", "fd00::7/128"]),
        *((name, True) for name, option in OPTIONS.items() if option["type"] == "bool"),
        ("artifact_names", ["etcd", "pause"]),
        ("artifact_store", "~somebody/store"),
    ],
)
def test_good_values_are_taken(name: str, value: Any) -> None:
    assert found(**{name: value}) == []


def test_the_variable_that_was_given_is_named_once() -> None:
    port = "{{ deployment_frontend_port }}"
    raw = {"deployment_frontend_port": "abc", "app_release_node_port": port}
    raw |= {"deployment_url": "http://127.0.0.1:{{ deployment_frontend_port }}/ x", "app_check_url": "{{ deployment_url }}"}
    one(found(**raw), "deployment_frontend_port=abc is not a whole number", "Give deployment_frontend_port ")


def test_of_several_options_that_repeat_one_its_own_words_count() -> None:
    repeated = "{{ image_registry_endpoint }}"
    raw = {"app_images_registry": repeated, "minikube_registry": repeated, "image_registry_endpoint": "localhost"}
    one(found(**raw), "image_registry_endpoint=localhost is not an address of this machine and a port")


def test_what_a_value_is_made_with_is_named() -> None:
    one(found(cache="relative", artifact_store="{{ cache }}/store"), "artifact_store=relative/store, made with cache, is not an absolute path")


def test_what_preflight_says_is_left_to_it() -> None:
    raw = {"deployment_name": "To_Do", "minikube_profile": "{{ deployment_name }}", "network_name": "{{ deployment_name }}"}
    raw |= {"app_release_namespace": "{{ deployment_name }}", "database_name": "-{{ deployment_name }}"}
    assert found(before_preflight=True, **raw) == []
    one(found(**raw), "deployment_name=To_Do")
    assert found(before_preflight=True, minikube_cpus=1, minikube_memory=512) == []
    one(found(before_preflight=True, minikube_cpus="two"), "minikube_cpus=two is not a whole number")
    one(found(before_preflight=True, app_release_node_port=8080), "app_release_node_port=8080", "30000 to 32767")


def test_a_value_that_cannot_be_filled_in() -> None:
    one(found(minikube_home="/home/{{ nobody }}"), "minikube_home=/home/{{ nobody }} cannot be filled in: 'nobody' is undefined")
    message = one(found(database_password="canary{{ nobody }}"), "database_password=(not shown) cannot be filled in")
    assert "canary" not in message


@pytest.mark.parametrize(("name", "words"), [("minikube_memroy", "Write minikube_memory instead"), ("network_colour", "the README of role network names them")])
def test_a_variable_that_nothing_reads(name: str, words: str) -> None:
    one(found(**{name: 1}), f"There is no variable {name}", words)


def test_shared_variables_are_known_by_their_file() -> None:
    assert found(deployment_subnt="x", beside_state="y") == []
    assert found("deployment_subnet", deployment_subnet="x") == []
    one(found("deployment_subnet", deployment_subnt="x"), "Write deployment_subnet instead")


def test_what_the_lock_file_does_not_hold() -> None:
    one(found(artifact_names=["kubctl"]), "names kubctl, which the lock file", "kubectl, kubelet")


def test_a_mirror_has_an_address() -> None:
    one(found(artifact_source="mirror"), "artifact_source=mirror needs artifact_mirror")
    assert found(artifact_source="mirror", artifact_mirror="/srv") == []


@pytest.mark.parametrize("mirror", ["https://mirror.example/@todochat", "https://[::1]:8443/a@b", "/srv/mirror@work"])
def test_an_address_may_hold_an_at(mirror: str) -> None:
    assert found(artifact_source="mirror", artifact_mirror=mirror) == []


@pytest.mark.parametrize("scheme", ["https://", ""])
@pytest.mark.parametrize("login", ["canary", "somebody:canary", "somebody:c@n/canary", "somebody:c/canary"])
def test_a_login_in_the_mirrors_address_is_refused_unseen(scheme: str, login: str) -> None:
    raw = {"mirror": f"{scheme}{login}@mirror.example/todochat", "artifact_mirror": "{{ mirror }}"}
    message = one(found(**raw), "mirror names a user or a password in its URL", "as name:password into the vault", "-e secret=mirror_login")
    assert "canary" not in message


def test_all_is_said_at_once() -> None:
    assert len(found(minikube_cpus="many", network_subnet="everything", minikube_memroy=1)) == 3


def test_packages_that_modules_import_and_this_python_lacks_are_named_with_what_installs_them(monkeypatch: pytest.MonkeyPatch) -> None:
    assert list(options.lacking()) == []
    monkeypatch.setattr(options, "MODULES_IMPORT", ("yaml", "no_such_package"))
    assert (ROOT / "requirements/controller.txt").is_file()
    lock = f"{options.COLLECTION}/requirements/controller.txt"
    one(list(options.lacking()), "lacks no_such_package, which modules import", f"-m pip install --require-hashes -r {lock}")


def test_another_python_for_modules_is_refused() -> None:
    one(list(options.lacking("/usr/bin/python3")), "ansible_python_interpreter is /usr/bin/python3, and modules need", "Take it out of the inventory")


def played(tmp_path: Path, *arguments: str, before_preflight: bool = True) -> subprocess.CompletedProcess[str]:
    """The task in a play of its own, with this repository's settings."""
    settings = ROOT / "group_vars/all/main.yml"
    task = {"name": "All fits", "todochat.platform.options": {"shared": str(settings), "before_preflight": before_preflight}}
    facts = {"ansible_facts": {"user_id": "tester", "user_dir": "/home/tester"}}
    play = {"hosts": "localhost", "gather_facts": False, "vars_files": [str(settings)], "vars": facts, "tasks": [task]}
    (tmp_path / "play.yml").write_text(yaml.safe_dump([play]))
    environment = {**os.environ, "HOME": str(tmp_path), "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"), "ANSIBLE_STDOUT_CALLBACK": "default"}
    command = [str(Path(sys.executable).with_name("ansible-playbook")), "-i", "localhost,", str(tmp_path / "play.yml"), *arguments]
    return subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True, check=False)


def test_this_repositorys_settings_fit(tmp_path: Path) -> None:
    done = played(tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_play_stops_with_the_one_message(tmp_path: Path) -> None:
    arguments = ("-e", "deployment_frontend_port=abc", "-e", "deployment_cache_dir=here", "-e", "deployment_nam=x", "-e", "database_password=canar\u00fd")
    done = played(tmp_path, *arguments)
    assert done.returncode != 0
    said = " ".join(done.stdout.split())
    phrases = ["6 things stand in the way, and nothing was changed", "deployment_frontend_port=abc is not a whole number", "Write deployment_name instead"]
    phrases += ["artifact_store=here/store, made with deployment_cache_dir, is not an absolute path", "database_password=(not shown)"]
    assert [phrase for phrase in phrases if phrase not in said] == [], done.stdout
    assert "canar" not in done.stdout + done.stderr
