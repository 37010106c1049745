"""Every option has its effect in what runs: other names, addresses, ports, sizes and users than the defaults."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import Any

import pytest
from chromium import pass_story
from conftest import SYSTEM, Tester
from testinfra.host import Host

PROJECT = "~/project"
CHECKOUT = Path(__file__).resolve().parents[3]


def kubectl(tester: Tester, arguments: str) -> Any:
    """What the project's own kubeconfig sees in the namespace of its own."""
    return json.loads(tester.sees(f"KUBECONFIG={PROJECT}/kubeconfig /opt/notes/bin/kubectl --namespace notes-app {arguments} --output json"))


def inspect(tester: Tester, name: str, form: str) -> Any:
    return json.loads(tester.sees(f"docker inspect --format '{{{{json {form}}}}}' {name}"))


@pytest.mark.parametrize("port", [8088, 31080])
def test_the_application_answers_at_the_published_ports(host: Host, port: int) -> None:
    fetch = "import sys, urllib.request; print(urllib.request.urlopen(sys.argv[1], timeout=10).status)"
    assert host.check_output("python3 -c %s %s", fetch, f"http://127.0.0.1:{port}/health/ready") == "200"


def test_on_node_24_a_newcomers_way_is_the_same(tester: Tester) -> None:
    version = f"KUBECONFIG={PROJECT}/kubeconfig /opt/notes/bin/kubectl --namespace notes-app exec deployment/frontend -- node --version"
    assert tester.sees(version).startswith("v24.")
    pass_story(SYSTEM, "http://127.0.0.1:31080", "notes", "notes-postgres")


def test_it_runs_as_the_charts_values_say(tester: Tester) -> None:
    assert kubectl(tester, "get deployment backend")["status"]["availableReplicas"] == 1
    assert kubectl(tester, "get deployment frontend")["status"]["availableReplicas"] == 3
    assert kubectl(tester, "get service frontend")["spec"]["ports"][0]["nodePort"] == 31080
    image = kubectl(tester, "get deployment backend")["spec"]["template"]["spec"]["containers"][0]["image"]
    assert image.startswith("127.0.0.1:5055/team/notes/backend@sha256:")


def test_the_language_model_is_asked_for_as_the_settings_say(tester: Tester) -> None:
    told = {name: value for name, value in kubectl(tester, "get configmap backend")["data"].items() if name.startswith("TODO_MODEL")}
    assert told == {
        "TODO_MODEL_URL": "http://10.123.45.10:9/v1",
        "TODO_MODEL": "larger",
        "TODO_MODEL_FALLBACK": "smaller",
        "TODO_MODEL_TOKENS_PER_USER": "1000",
        "TODO_MODEL_TOKENS": "10000000",
    }
    assert "model_api_key" in kubectl(tester, "get secret backend-secrets")["data"]


def test_the_node_has_the_memory_the_network_and_the_user_that_were_asked_for(host: Host, tester: Tester) -> None:
    assert inspect(tester, "notes", ".HostConfig.Memory") == 4096 * 2**20
    assert list(inspect(tester, "notes", ".NetworkSettings.Networks")) == ["notes"]
    assert host.file("/home/cluster/notes/.minikube/profiles/notes/config.json").user == "cluster"


def test_the_network_has_the_subnet_and_what_is_in_it_its_addresses(tester: Tester) -> None:
    network = json.loads(tester.sees("docker network inspect notes"))[0]
    assert network["IPAM"]["Config"] == [{"Subnet": "10.123.45.0/24", "Gateway": "10.123.45.101"}]
    assert inspect(tester, "notes-images", ".NetworkSettings.Networks.notes.IPAddress") == "10.123.45.10"
    assert inspect(tester, "notes-postgres", ".NetworkSettings.Networks.notes.IPAddress") == "10.123.45.20"


def test_the_database_has_the_names_and_the_projects_password(tester: Tester) -> None:
    vault = f"cd {PROJECT} && ~/todochat/.venv/bin/ansible-vault view vault.yml"
    password = tester.sees(f"{vault} | sed -n 's/^vault_database_password: //p'")
    url = f"postgresql://notes_app:{password}@127.0.0.1/notes"
    sql = "SELECT tableowner FROM pg_tables WHERE tablename = 'todos'"
    assert tester.sees(f"docker exec notes-postgres psql '{url}' --tuples-only --no-align --command \"{sql}\"") == "notes_owner"


def test_both_users_may_use_docker_and_programs_are_where_they_were_asked_for(host: Host) -> None:
    assert {"tester", "visitor"} <= set(host.group("docker").members)
    for name in ("kubectl", "helm", "minikube", "kubeadm"):
        assert host.file(f"/usr/local/sbin/{name}").linked_to == f"/opt/notes/bin/{name}"


def test_nothing_has_a_default_name(host: Host, tester: Tester) -> None:
    listed = "docker ps --all --format '{{.Names}}'; docker volume ls --format '{{.Name}}'; docker network ls --format '{{.Name}}'"
    assert [name for name in tester.sees(listed).splitlines() if name.startswith("todo")] == []
    for path in ("/opt/todochat", "/home/tester/.config/todochat/todo", "/home/tester/.local/state/todochat/todo", "/home/tester/.local/share/todochat"):
        assert not host.file(path).exists, path


def test_a_bad_value_is_refused_in_that_project_too(tester: Tester) -> None:
    command = f"cd {PROJECT} && ~/todochat/.venv/bin/ansible-playbook site.yml -e image_registry_endpoint=nowhere -e minikube_memroy=1 2>&1"
    result = tester.host.run("su --login tester --command %s", command)
    assert result.rc != 0
    for phrase in ("image_registry_endpoint=nowhere", "Write minikube_memory instead"):
        assert phrase in result.stdout


def test_the_preflight_alone_knows_what_the_other_roles_would_make(tester: Tester) -> None:
    play = {
        "hosts": "localhost",
        "connection": "local",
        "vars": {"ansible_python_interpreter": "{{ ansible_playbook_python }}"},
        "roles": ["todochat.platform.preflight"],
    }
    write = f"echo {shlex.quote(json.dumps([play]))} > alone.yml"
    command = f"cd {PROJECT} && {write} && ~/todochat/.venv/bin/ansible-playbook alone.yml -e minikube_cpus=64 2>&1"
    result = tester.host.run("su --login tester --command %s", command)
    assert result.rc != 0
    assert "minikube_cpus=64 asks for more cores than this machine has" in result.stdout


def test_the_documentation_is_in_the_installed_collection(tester: Tester) -> None:
    program = f"cd {PROJECT} && ~/todochat/.venv/bin/ansible-doc"
    roles = json.loads(tester.sees(f"{program} --type role --list todochat.platform --json"))
    assert set(roles) == {f"todochat.platform.{folder.name}" for folder in (CHECKOUT / "roles").iterdir()}
    tester.sees(f"{program} --type role --json {' '.join(roles)}")
    modules = json.loads(tester.sees(f"{program} --list todochat.platform --json"))
    documented = json.loads(tester.sees(f"{program} --json {' '.join(modules)}"))
    assert [name for name, one in documented.items() if not one["doc"]["description"]] == []
