"""The check as a user: the way through the application, and that what runs is what was built."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible.template import Templar, trust_as_template
from loopback import Reply, Request, Server

from ansible_collections.todochat.platform.plugins.module_utils.acceptance import JourneyError, Visitor, travel
from ansible_collections.todochat.platform.plugins.module_utils.release.running_images import startup_seconds, wrong_images

ROOT = Path(__file__).resolve().parents[2]

# A user's way


class Frontend:
    """A frontend with one session, as the real one answers; ``broken`` names a request that it fails."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.accounts: dict[str, str] = {}
        self.rows: dict[str, list[str]] = {}
        self.signed_in = ""
        self.broken: dict[str, Reply] = {}
        self.forgets_rows = False
        self.public_url = ""
        server.answer = self.answer

    def answer(self, request: Request) -> Reply:
        name = f"{request.method} {request.path}"
        if name in self.broken:
            return self.broken[name]
        body = json.loads(request.body) if request.body else {}
        if request.method != "GET" and request.headers["Origin"] != (self.public_url or self.server.url):
            return Reply(403)
        if name == "POST /api/auth/signup":
            self.accounts[body["email"]] = body["password"]
            self.rows[body["email"]] = []
            self.signed_in = body["email"]
            return Reply(201, b"{}", {"Set-Cookie": f"session=1; HttpOnly; Path=/{'; Secure' if self.public_url else ''}"})
        if name == "POST /api/auth/login":
            return Reply(200 if self.accounts[body["email"]] == body["password"] else 401, b"{}")
        if request.headers["Cookie"] != "session=1":
            return Reply(401, b'{"detail": "Please log in."}')
        titles = self.rows[self.signed_in]
        if name == "POST /api/todos":
            titles.append(body["title"])
            return Reply(201, b"{}")
        if name == "POST /api/chat":
            titles.append(body["message"].removeprefix("add "))
            return Reply(200, b'{"reply": "Added.", "assistant": "rule-based"}')
        if name == "GET /api/todos":
            return Reply(200, json.dumps([{"title": title} for title in reversed(titles)]).encode())
        if name == "DELETE /api/account":
            del self.accounts[self.signed_in]
            if not self.forgets_rows:
                del self.rows[self.signed_in]
            return Reply(204)
        return Reply(404)

    def stored(self, email: str) -> list[str]:
        return self.rows.get(email, [])

    def travel(self, stored: Callable[[str], list[str]] | None = None) -> list[str]:
        return travel(Visitor(f"{self.server.url}/", self.public_url), stored)


@pytest.fixture
def frontend(server: Server) -> Frontend:
    """A frontend that works."""
    return Frontend(server)


WAY = ["sign up", "log in", "add a todo", "ask the assistant (rule-based)", "list the todos"]


def test_a_frontend_that_has_its_address_behind_a_proxy_with_tls_is_checked_past_it(frontend: Frontend) -> None:
    frontend.public_url = "https://todo.example.org"
    assert frontend.travel(frontend.stored)[:5] == WAY


def test_the_whole_way_is_gone_and_leaves_no_account(frontend: Frontend) -> None:
    assert frontend.travel(frontend.stored) == [*WAY, "read the rows from PostgreSQL", "delete the account"]
    assert (frontend.accounts, frontend.rows) == ({}, {})
    [email] = {json.loads(request.body)["email"] for request in frontend.server.requests if "/auth/" in request.path}
    assert email.startswith("acceptance+")
    assert email.endswith("@todochat.example")


def test_the_rows_of_an_external_database_are_not_read(frontend: Frontend) -> None:
    assert frontend.travel() == [*WAY, "delete the account"]


def test_what_a_language_model_makes_of_it_is_its_own_matter(frontend: Frontend) -> None:
    frontend.broken["POST /api/chat"] = Reply(200, b'{"reply": "Which milk?", "assistant": "some/model"}')
    assert "ask the assistant (some/model)" in frontend.travel(frontend.stored)
    frontend.broken["GET /api/todos"] = Reply(200, b"[]")
    with pytest.raises(JourneyError, match=r"list the todos: expected 'water the plants', found \[\]"):
        frontend.travel(frontend.stored)


STEPS = {
    "sign up": "POST /api/auth/signup",
    "log in": "POST /api/auth/login",
    "add a todo": "POST /api/todos",
    "ask the assistant": "POST /api/chat",
    "list the todos": "GET /api/todos",
    "delete the account": "DELETE /api/account",
}


@pytest.mark.parametrize(("step", "request_line"), STEPS.items(), ids=STEPS)
def test_a_step_that_fails_is_named_with_the_answer_and_leaves_no_account(frontend: Frontend, step: str, request_line: str) -> None:
    frontend.broken[request_line] = Reply(502, b'{"detail": "The service cannot be reached."}')
    method, path = request_line.split()
    with pytest.raises(JourneyError) as raised:
        frontend.travel(frontend.stored)
    assert str(raised.value).startswith(f"{step}: {method} {frontend.server.url}{path} answers 502: ")
    assert "The service cannot be reached." in str(raised.value)
    if step != "delete the account":
        assert frontend.accounts == {}


@pytest.mark.parametrize(
    ("request_line", "reply", "words"),
    [
        ("POST /api/chat", Reply(200, b'{"reply": ""}'), "ask the assistant: the answer has no reply"),
        ("GET /api/todos", Reply(200, b'[{"title": "buy milk"}]'), r"list the todos: expected .* found \['buy milk'\]"),
        ("GET /api/todos", Reply(200, b"<html>log in</html>"), "list the todos: .* does not answer with JSON: <html>log in"),
    ],
)
def test_a_wrong_answer_is_named_and_leaves_no_account(frontend: Frontend, request_line: str, reply: Reply, words: str) -> None:
    frontend.broken[request_line] = reply
    with pytest.raises(JourneyError, match=words):
        frontend.travel(frontend.stored)
    assert frontend.accounts == {}


def test_the_first_failure_is_told_also_where_the_account_cannot_be_deleted(frontend: Frontend) -> None:
    for request_line in ("POST /api/chat", "DELETE /api/account"):
        frontend.broken[request_line] = Reply(500)
    with pytest.raises(JourneyError, match=r"^ask the assistant: .* answers 500.* and then delete the account: .* answers 500"):
        frontend.travel()


def test_rows_that_are_not_in_the_database_are_missed(frontend: Frontend) -> None:
    with pytest.raises(JourneyError, match=r"read the rows from PostgreSQL: the list shows .*'buy milk'.*, the table holds \[\]"):
        frontend.travel(lambda _: [])
    assert frontend.accounts == {}


def test_an_interrupted_check_leaves_no_account(frontend: Frontend) -> None:
    def interrupted(_: str) -> list[str]:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        frontend.travel(interrupted)
    assert frontend.accounts == {}


def test_rows_that_outlive_their_account_are_found(frontend: Frontend) -> None:
    frontend.forgets_rows = True
    with pytest.raises(JourneyError, match=r"delete the account: its rows are still there: .*'buy milk'"):
        frontend.travel(frontend.stored)


def test_a_frontend_that_is_not_there_is_named(nobody: str) -> None:
    with pytest.raises(JourneyError, match=f"sign up: POST http://{nobody}/api/auth/signup gets no answer: .*refused"):
        travel(Visitor(f"http://{nobody}"), None)


# What runs is what was built

ITEMS = json.loads((Path(__file__).parent / "fixtures" / "frontend.json").read_text())["items"]
DIGEST = "sha256:bb87a15f058710dad2ac3e700cb36c412e29b393060558355baca1275c9ee3b1"
STALE = "sha256:" + "0" * 64


@pytest.fixture
def pods() -> list[dict[str, Any]]:
    """The two pods of the frontend, as recorded."""
    return [copy.deepcopy(item) for item in ITEMS if item["kind"] == "Pod"]


def stale(pod: dict[str, Any]) -> None:
    pod["status"]["containerStatuses"][0]["imageID"] = f"127.0.0.1:5000/todo/frontend@{STALE}"


def test_pods_that_run_what_was_built_are_right(pods: list[dict[str, Any]]) -> None:
    assert wrong_images(pods, {"frontend": DIGEST}) == []


def test_a_stale_image_is_named_with_both_digests(pods: list[dict[str, Any]]) -> None:
    stale(pods[1])
    assert wrong_images(pods, {"frontend": DIGEST}) == [f"{pods[1]['metadata']['name']}/frontend runs {STALE}, built was {DIGEST}"]


def test_a_stale_migration_is_found_too(pods: list[dict[str, Any]]) -> None:
    pods[0]["status"]["initContainerStatuses"] = [{"name": "migrations", "imageID": f"127.0.0.1:5000/todo/frontend@{STALE}"}]
    [problem] = wrong_images(pods, {"frontend": DIGEST})
    assert "/migrations runs" in problem


def test_what_a_clusters_operators_put_beside_is_theirs(pods: list[dict[str, Any]]) -> None:
    pods[0]["status"]["containerStatuses"].append({"name": "istio-proxy", "imageID": f"docker.io/istio/proxyv2@{STALE}"})
    assert wrong_images(pods, {"frontend": DIGEST}) == []
    pods[0]["status"]["containerStatuses"][0]["imageID"] = f"docker.io/library/nginx@{STALE}"
    assert len(wrong_images(pods, {"frontend": DIGEST})) == 1


def test_every_container_of_every_release_is_compared(pods: list[dict[str, Any]]) -> None:
    backend = copy.deepcopy(pods[0])
    backend["metadata"] |= {"name": "backend-1", "labels": {"app.kubernetes.io/instance": "backend"}}
    backend["status"]["containerStatuses"][0] |= {"name": "backend", "imageID": f"127.0.0.1:5000/todo/backend@{DIGEST}"}
    backend["status"]["initContainerStatuses"] = [{**backend["status"]["containerStatuses"][0], "name": "migrations"}]
    assert wrong_images([backend, *pods], {"backend": DIGEST, "frontend": DIGEST}) == []
    found = wrong_images([backend, *pods], {"backend": STALE, "frontend": STALE})
    assert [problem.partition(" ")[0] for problem in found] == [
        *("backend-1/migrations", "backend-1/backend"),
        *(f"{pod['metadata']['name']}/frontend" for pod in pods),
    ]


def test_an_image_that_is_not_pulled_yet_is_not_right(pods: list[dict[str, Any]]) -> None:
    pods[0]["status"]["containerStatuses"][0]["imageID"] = ""
    [problem] = wrong_images(pods, {"frontend": DIGEST})
    assert "runs no image yet" in problem


@pytest.mark.parametrize(
    "leave",
    [
        lambda pod: pod["metadata"].update(deletionTimestamp="2026-11-24T05:01:40Z"),
        lambda pod: pod["status"].update(phase="Failed"),
        lambda pod: pod["status"].update(phase="Succeeded"),
        lambda pod: pod["metadata"].update(labels={"app.kubernetes.io/instance": "somebody-elses"}),
    ],
    ids=["leaving", "failed", "ended", "another release"],
)
def test_pods_that_do_not_serve_are_passed_over(pods: list[dict[str, Any]], leave: Callable[[dict[str, Any]], Any]) -> None:
    stale(pods[1])
    leave(pods[1])
    assert wrong_images(pods, {"frontend": DIGEST}) == []
    leave(pods[0])
    assert wrong_images(pods, {"frontend": DIGEST}) == ["frontend has no running pod"]


def test_a_release_without_a_pod_or_with_one_that_has_no_node_is_missed(pods: list[dict[str, Any]]) -> None:
    assert wrong_images(pods, {"backend": STALE, "frontend": DIGEST}) == ["backend has no running pod"]
    waiting = {"metadata": pods[0]["metadata"], "status": {"phase": "Pending"}}
    assert wrong_images([waiting], {"frontend": DIGEST}) == ["frontend has no running pod"]


def test_startup_is_that_of_the_slowest_ready_pod(pods: list[dict[str, Any]]) -> None:
    assert startup_seconds(pods, ["frontend"]) == {"frontend": 2}
    ready = next(condition for condition in pods[0]["status"]["conditions"] if condition["type"] == "Ready")
    ready["lastTransitionTime"] = "2026-11-24T05:01:36Z"
    assert startup_seconds(pods, ["frontend"]) == {"frontend": 7}
    ready["status"] = "False"
    assert startup_seconds(pods, ["frontend"]) == {"frontend": 2}


# The last screen


def screen(own_cluster: str) -> dict[str, str]:
    """What the role says at the end, by the first word of each line."""
    role = ROOT / "roles/app_check"
    (task,) = [task for task in yaml.safe_load((role / "tasks/main.yml").read_text(encoding="utf-8")) if task["name"] == "The application is ready"]
    options = yaml.safe_load((role / "defaults/main.yml").read_text(encoding="utf-8"))
    locked = {name: {"version": "v1"} for name in ("kubectl", "minikube", "helm")}
    seen = {"steps": WAY, "startup_seconds": {"backend": 1, "frontend": 2}, "digests": {"backend": "sha256:1", "frontend": "sha256:2"}}
    variables = {**options, "app_check_kubeconfig": "/k", "app_check_own_cluster": own_cluster, "__app_check_locked": locked, "__app_check": seen}
    said = Templar(variables=variables).template(trust_as_template(task["ansible.builtin.debug"]["msg"]))
    return {line.split()[0]: line.partition(" ")[2].strip() for line in said.splitlines() if not line.startswith(" ")}


def test_the_last_screen_offers_what_works() -> None:
    assert screen("True")["Stop"] == "make stop   (the data stays)"
    assert list(screen("True")) == ["Open", "Checked", "Start-up", "Backend", "Frontend", "Kubernetes", "minikube", "Helm", "kubectl", "Stop", "Start"]
    # where others run it, both are refused, and the lock file's versions are not theirs
    assert list(screen("False")) == ["Open", "Checked", "Start-up", "Backend", "Frontend", "Helm", "kubectl"]
