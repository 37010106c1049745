"""The whole way on a cluster that others run: its account may do what is asked for in one namespace, and nothing else.

The cluster is the state's, of whose Minikube, registry and database nothing is said to this deployment. The order matters.
"""

from __future__ import annotations

import json
import re
import shlex

import pytest
from conftest import Tester
from deployed import until
from testinfra.host import Host
from theirs import ADMIN, BINDING, DATABASE, GIVEN, INVENTORY, KUBECTL, LOGIN, PASSWORD, REGISTRY, edit, give, give_inventory, passes, set_up

CONTAINERS = ["theirs", "todo", "todo-database", "todo-registry"]
SECRETS = (PASSWORD, "not-the:Password", DATABASE)
URL = "http://192.168.85.2:30100"
IN_A_POD = f"sudo {ADMIN} --namespace work exec deployment/backend --container backend --"
JOURNEY = f"{IN_A_POD} python3 -m todo_backend.acceptance http://backend:8001"
THEIR_VALUES = """
all:
  hosts:
    localhost:
      ansible_connection: local
      ansible_python_interpreter: "{{ ansible_playbook_python }}"
      deployment_cluster: existing
      deployment_name: work
      existing_cluster_source_context: work
      existing_cluster_registry_ca: /home/tester/ca.crt
      deployment_registry: REGISTRY
      deployment_repository: team/todo
      deployment_url: URL
      app_release_frontend_values:
        service: {type: NodePort, nodePort: 30100}
""".replace("REGISTRY", REGISTRY).replace("URL", URL)


@pytest.fixture(scope="module", autouse=True)
def theirs() -> None:
    """What others run, and the inventory that names it."""
    set_up(["todo"])
    give_inventory(THEIR_VALUES)


def refused(task: str, tester: Tester, *phrases: str) -> None:
    """`make up` fails at that task, says all of this, shows no secret, and nothing is in the namespace."""
    for arguments in (f"{GIVEN} -vvv --diff", GIVEN):
        passed, output = tester.make("up", arguments)
        assert not passed, output
        assert [secret for secret in SECRETS if secret in output] == [], output
    said = " ".join(output.split())
    assert f": {task} (after" in said or f"Failed: {task} (after" in said, output
    assert [phrase for phrase in phrases if phrase not in said] == [], output
    assert give(f"{ADMIN} --namespace work get all --output=name").strip() == ""


def test_another_inventory_is_another_deployment(tester: Tester) -> None:
    tester.sees(f"cd todochat && cp {INVENTORY} inventory/other.yml")
    output = passes(tester, "vault DO=create")
    assert "work@work/vault.yml" in output
    assert "work@other/vault.yml" in tester.make("vault", "-i inventory/other.yml")[1]


def test_without_what_only_the_vault_can_say_it_says_what_is_missing(tester: Tester) -> None:
    refused(
        "A cluster that others run has a database that others run",
        tester,
        "needs a PostgreSQL that the cluster's pods and this machine reach",
        f"make vault DO=edit ARGS='{GIVEN} -e secret=database_url'",
    )


def test_all_that_the_account_may_not_do_is_said_at_once_and_nothing_is_touched(tester: Tester) -> None:
    edit("database_url", DATABASE)
    edit("registry_login", LOGIN.replace(PASSWORD, "not-the:Password"))
    give(f"{ADMIN} --namespace work delete rolebinding deployer")
    refused("The cluster can be deployed to", tester, "deployments.apps: get,", "secrets: get,", "services: get,", "configmaps: get,")
    give(f"env {ADMIN.split()[1]} {BINDING}")


def test_a_login_that_the_registry_refuses_is_said_before_anything_is_built(tester: Tester) -> None:
    refused("Docker can log in to the registry", tester, REGISTRY, f"make vault DO=edit ARGS='{GIVEN} -e secret=registry_login'")
    edit("registry_login", LOGIN)


def test_a_plan_says_what_would_be_done(tester: Tester) -> None:
    output = passes(tester, "plan")
    assert re.search("would: .*team/todo/backend:.* is built and pushed", output), output
    assert give(f"{ADMIN} --namespace work get all --output=name").strip() == ""


def test_what_stands_in_the_way_is_asked_beforehand(tester: Tester) -> None:
    assert "Nothing stands in the way" in passes(tester, "doctor")


def test_the_application_is_deployed_and_checked_there(tester: Tester) -> None:
    output = passes(tester, "up")
    assert URL in output
    assert "Checked" in output
    pods = json.loads(tester.sees(f"{KUBECTL} get pods --output=json"))["items"]
    assert {pod["metadata"]["labels"]["app.kubernetes.io/name"] for pod in pods} == {"backend", "frontend"}
    images = {one["image"] for pod in pods for one in pod["spec"]["containers"]}
    assert all(re.fullmatch(rf"{REGISTRY}/team/todo/\w+@sha256:\w+", image) for image in images), images


def test_a_second_run_changes_nothing(tester: Tester) -> None:
    assert "changed=0" in passes(tester, "up")


def test_nothing_outside_of_the_namespace_was_made(host: Host) -> None:
    assert host.check_output("docker ps --all --format '{{.Names}}' | sort").split() == CONTAINERS
    namespaces = give(f"{ADMIN} get namespaces --output=name").split()
    assert not {"namespace/todo", "namespace/todochat"} & set(namespaces)


def test_the_registrys_login_shows_nowhere(host: Host, tester: Tester) -> None:
    objects = tester.sees(f"{KUBECTL} get deployments,replicasets,pods,services,configmaps --output=yaml")
    assert PASSWORD not in objects + host.check_output("cat /home/tester/.local/state/todochat/*.jsonl; ps -ef")


def test_what_is_edited_is_rolled_out_and_taken_back(tester: Tester) -> None:
    hello = "import json, sys; from ansible_collections.todochat.platform.plugins.module_utils.acceptance import Visitor, account"
    say = f"{hello}\nvisitor = Visitor('{URL}')\nwith account(visitor): print(visitor.call('say', 'POST', '/api/chat', {{'message': 'hello'}})['reply'])"
    asks = f"cd todochat && PYTHONPATH=.ansible/collections python3 -c {shlex.quote(say)}"
    before = tester.sees(asks)
    tester.sees("cd todochat && sed -i 's/Hello! What would you like to do?/Ahoy! What is next?/' apps/backend/src/todo_backend/chat/replies.py")
    passes(tester, "up")
    assert tester.sees(asks).startswith("Ahoy!")
    passes(tester, "rollback")
    assert tester.sees(asks) == before


@pytest.mark.parametrize("target", ["status", "logs", "diagnose"])
def test_it_is_looked_at_as_one_that_is_ours(tester: Tester, target: str) -> None:
    output = passes(tester, target)
    assert {"status": URL, "logs": "backend", "diagnose": "Nothing is wrong."}[target] in output


def test_what_is_of_others_is_not_looked_for_here(tester: Tester) -> None:
    passed, output = tester.make("logs", f"{GIVEN} -e service=backend,cluster,database")
    assert not passed
    assert "The logs of service=cluster,database are with whoever runs the cluster" in output
    assert f"--inventory=/home/tester/todochat/{INVENTORY}" in passes(tester, "mcp", "--check")


def test_an_account_is_given_another_password_by_the_backend_there(tester: Tester) -> None:
    passed, output = tester.make("reset-password EMAIL=nobody@todochat.example", GIVEN)
    assert not passed
    assert "There is no account with this e-mail address" in output, output


@pytest.mark.parametrize("target", ["stop", "start", "assist", "schedule"])
def test_what_is_for_a_cluster_of_ones_own_is_refused(host: Host, tester: Tester, target: str) -> None:
    passed, output = tester.make(target, GIVEN)
    assert not passed, output
    assert "Others run the cluster work is in" in output
    assert f"ARGS='{GIVEN}'" in output or target == "assist", output
    assert host.check_output("docker ps --all --format '{{.Names}}' | sort").split() == CONTAINERS


def test_its_secrets_are_rotated(tester: Tester) -> None:
    assert "What runs has the new value" in passes(tester, "vault DO=rotate", "-e secret=jwt_keys")
    tester.sees(JOURNEY)


def test_its_data_is_backed_up_and_put_back(tester: Tester) -> None:
    passes(tester, "backup", "-e file=/tmp/work.tar")
    passes(tester, "restore", "-e file=/tmp/work.tar -e replace=theirs")
    tester.sees(JOURNEY)


def test_it_goes_and_what_is_of_others_stays(host: Host, tester: Tester) -> None:
    output = passes(tester, "down")
    assert "namespace work: others run the cluster" in output
    assert not host.file("/home/tester/.local/state/todochat/work@work/kubeconfig").exists
    assert REGISTRY not in host.check_output("cat /var/lib/todochat/docker/config.json")
    assert "remove=installed" not in output
    until(lambda: give(f"{ADMIN} --namespace work get pods --output=name").strip() == "", 60)
    assert "serviceaccount/deployer" in give(f"{ADMIN} --namespace work get serviceaccounts --output=name")
    assert host.check_output("docker ps --all --format '{{.Names}}' | sort").split() == CONTAINERS
