"""People move from Minikube to a deployment that others run, and back, by one command each way, while two clients use the application. The order matters.

Both are in the state's one cluster: the account of the other one may do what is asked for in its namespace, and nothing else; its registry, database and
way in are its own. Its database is in a container of its own, too, as the roles say of theirs who may come in. A proxy stands for the name by which people
find the application.
"""

from __future__ import annotations

import json
import re
import shlex
import urllib.parse
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock

import deployed
import pytest
from conftest import Tester
from deployed import CHECKOUT, URL, Deployment, until
from testinfra.host import Host
from theirs import ADMIN, GIVEN, LOGIN, PASSWORD, REGISTRY, edit, give, give_inventory, set_up

pytest_plugins = ["deployed"]
NAME = "http://127.0.0.1:30200"
THEIR_URL = "http://192.168.85.2:30100"
LEADS = "/tmp/leads"
DATABASE = f"postgresql://theirs:{urllib.parse.quote(PASSWORD)}@192.168.85.241/theirs"
SET_UP_DATABASE = """
set -e
image=$(docker inspect --format '{{.Config.Image}}' todo-database)
docker run --detach --name their-database --network todo --ip 192.168.85.241 --env POSTGRES_PASSWORD_FILE=/proc/sys/kernel/random/uuid \\
  --env 'POSTGRES_INITDB_ARGS=--encoding=UTF8 --locale-provider=builtin --locale=C.UTF-8' $image
timeout 60 sh -c 'until docker exec their-database pg_isready --quiet --host=127.0.0.1; do sleep 0.2; done'
docker exec --interactive their-database psql --username=postgres --quiet --set=ON_ERROR_STOP=1
"""
MOST_SECONDS = 60
# So long after pods begin their autoscaler may not know yet what they use.
MEASURED_SECONDS = 180
PER_SECOND = 2.0
# One pod of each is enough there, and all that fits beside the others.
INVENTORY = """
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
      app_release_backend_values: {replicaCount: 1}
      app_release_frontend_values:
        replicaCount: 1
        service: {type: NodePort, nodePort: 30100}
""".replace("REGISTRY", REGISTRY).replace("URL", THEIR_URL)
# Signs in and asks, as a program of the user's that keeps its cookies and its token from one run to the next.
PROGRAM = """
import http.cookiejar, json, sys, urllib.request
what, file = sys.argv[1:]
jar = http.cookiejar.LWPCookieJar(file)
opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(jar))
def call(method, path, body=None, **headers):
    data = None if body is None else json.dumps(body).encode()
    headers = {"Origin": "NAME", "Content-Type": "application/json", "Accept": "application/json, text/event-stream", **headers}
    with opener.open(urllib.request.Request("NAME" + path, data, headers, method=method), timeout=60) as answer:
        return answer.read().decode()
if what == "begin":
    call("POST", "/api/auth/signup", {"email": "mover@example.com", "password": "a password for this test alone"})
    said = json.loads(call("POST", "/api/chat", {"message": "add buy milk"}))
    token = json.loads(call("POST", "/api/account/tokens", {"name": "program", "scope": "write"}))["token"]
    json.dump({"token": token, "conversation": said["conversation_id"]}, open(file + ".json", "w"))
else:
    jar.load(ignore_discard=True)
kept = json.load(open(file + ".json"))
by_mcp = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "list_todos", "arguments": {}}}
print(json.dumps({
    "todos": sorted(todo["title"] for todo in json.loads(call("GET", "/api/todos"))),
    "turns": json.loads(call("GET", "/api/chat/conversations/" + kept["conversation"])),
    "mcp": "buy milk" in call("POST", "/mcp", by_mcp, Authorization="Bearer " + kept["token"]),
}))
jar.save(ignore_discard=True)
""".replace("NAME", NAME)


@pytest.fixture(scope="module", autouse=True)
def system(host: Host) -> None:
    """Both deployments can be had, and the name leads to Minikube's."""
    set_up(["todo"])
    give(SET_UP_DATABASE, f"CREATE ROLE theirs LOGIN PASSWORD '{PASSWORD}'; CREATE DATABASE theirs OWNER theirs;")
    give_inventory(INVENTORY)
    tester = Tester(host)
    assert tester.make("vault DO=create", GIVEN)[0]
    edit("database_url", DATABASE)
    edit("registry_login", LOGIN)
    leads(host, URL)
    host.check_output(f"systemd-run --unit=name python3 {CHECKOUT}/molecule/growing/proxy.py 30200 {LEADS}")
    until(lambda: host.run(f"python3 -c \"import urllib.request; urllib.request.urlopen('{NAME}')\"").rc == 0, 30)


def leads(host: Host, url: str) -> None:
    host.check_output(f"echo {url} > {LEADS}.new && mv {LEADS}.new {LEADS}")


def replicas(deployment: Deployment, namespace: str) -> int:
    return int(deployment.host.check_output(f"{ADMIN} --namespace {namespace} get deployment backend --output=jsonpath={{.spec.replicas}}"))


def program(deployment: Deployment, what: str = "again") -> dict[str, Any]:
    said: dict[str, Any] = json.loads(deployment.tester.sees(f"python3 -c {shlex.quote(PROGRAM)} {what} ~/program"))
    return said


@contextmanager
def moved(deployment: Deployment, name: str, command: str, url: str) -> Iterator[str]:
    """The clients work through it, and where people are told to go, the name leads. Nothing is lost, nothing is there twice."""
    before = program(deployment)
    with mock.patch.object(deployed, "URL", NAME), deployment.load(name, "--tolerant", per_second=PER_SECOND) as report:
        said = deployment.passes(command)
        leads(deployment.host, url)
        yield said
    seconds = int(re.search(r"No writes +for (\d+) s", said)[1])  # type: ignore[index]
    print(f"{name}: {seconds} s without writes; {report['requests']} requests, {report['acknowledged']} writes acknowledged, {report['read_back']} read back")
    assert seconds <= MOST_SECONDS
    assert report["tolerated"] > 0, "nobody noticed anything"
    assert program(deployment) == before


def test_what_would_be_done_is_said(deployment: Deployment) -> None:
    program(deployment, "begin")
    output = deployment.passes("make move TO=inventory/work.yml ARGS=--check")
    assert f"People would move from {URL}" in output
    assert replicas(deployment, "todo") == 2


def test_broken_off_while_nothing_is_written_it_has_people_served_where_they_were(deployment: Deployment) -> None:
    before = program(deployment)
    log = "/home/tester/move.log"
    start = f"cd todochat && (setsid make move TO=inventory/work.yml > {log} 2>&1 < /dev/null & echo $!)"
    process = deployment.tester.sees(start)
    until(lambda: replicas(deployment, "todo") == 0, 600, lambda: deployment.host.file(log).content_string)
    deployment.host.check_output(f"env kill -TERM -- -{process}")
    until(lambda: not deployment.host.run(f"env kill -0 -- -{process}").succeeded, 180)
    output = deployment.host.file(log).content_string
    assert f"people work at {URL} as before" in output, output
    assert program(deployment) == before
    assert replicas(deployment, "todo") == 2


def test_people_move_and_nothing_is_lost(deployment: Deployment) -> None:
    with moved(deployment, "there", "make move TO=inventory/work.yml", THEIR_URL) as said:
        assert f"people work at {THEIR_URL}" in said
        assert "make move TO=inventory/local.yml ARGS='-i inventory/work.yml -e replace=todo'" in said


@pytest.mark.parametrize(
    "command",
    [
        *("make up", "make up ARGS='--tags app_release'", "make restore FILE=/etc/hostname"),
        *("make rollback", "make vault DO=rotate ARGS='-e secret=jwt_keys'", "make move TO=inventory/work.yml"),
    ],
)
def test_what_people_have_left_refuses(deployment: Deployment, command: str) -> None:
    passed, output = deployment.run(command)
    said = " ".join(output.split())
    assert not passed, output
    assert f"People have moved from here to {THEIR_URL} at 20" in said
    assert "make move TO=inventory/local.yml ARGS='-i inventory/work.yml -e replace=todo'" in said
    assert "make up ARGS='-e deployment_moved=serve'" in said
    assert replicas(deployment, "todo") == 0


def test_what_people_have_left_is_diagnosed_so(deployment: Deployment) -> None:
    output = deployment.passes("make diagnose")
    assert re.search("moved +People have moved from here", output), output


def test_where_people_are_changes_as_ever(deployment: Deployment) -> None:
    assert "changed=0" in deployment.passes(f"make up ARGS='{GIVEN}'")


def test_data_is_not_replaced_unasked(deployment: Deployment) -> None:
    passed, output = deployment.run(f"make move TO=inventory/local.yml ARGS='{GIVEN}'")
    assert not passed
    assert "-e replace=todo" in output


def test_people_come_back_and_nothing_is_lost(deployment: Deployment) -> None:
    with moved(deployment, "back", f"make move TO=inventory/local.yml ARGS='{GIVEN} -e replace=todo'", URL) as said:
        assert f"people work at {URL}" in said


def test_where_people_are_again_all_goes_on(deployment: Deployment) -> None:
    deployment.up("--tags app_release,app_check")
    until(lambda: "Nothing is wrong." in deployment.passes("make diagnose"), MEASURED_SECONDS)


def test_what_people_have_left_serves_again_where_asked(deployment: Deployment) -> None:
    passed, output = deployment.run(f"make up ARGS='{GIVEN}'")
    assert not passed, output
    deployment.passes(f"make up ARGS='{GIVEN} -e deployment_moved=serve'")
    assert replicas(deployment, "work") == 1
