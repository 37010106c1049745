"""Two clients use the application while everything is done to it that is done to one, and not one answer is wrong.

The order matters: each begins with it as the one before has left it.
"""

from __future__ import annotations

import json
import re
import secrets
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Event
from typing import Any

import pytest
import yaml
from chromium import launched, sign_up, watched
from conftest import SYSTEM
from deployed import ENVIRONMENT, PROJECT, RELEASES, ROLL_OUT, TOLD, URL, Deployment, until
from network_policies import Network, flows
from playwright.sync_api import Page, expect, sync_playwright

pytest_plugins = ["deployed"]
# What two pods of each service bear on two cores beside builds and roll-outs.
PER_SECOND = 1.5
# As long as a page waits for an answer itself. A browser beside a build is given a moment between two pages.
BROWSER_MS = 35_000
BROWSER_PAUSE = 1.0
BROWSER_START_SECONDS = 120
PAGES = ("/todos", "/history", "/account", "/login?reason=expired")
# Of each kind there are files that are others in another build: else it is not shown that those of both are there.
KINDS = {"css", "js"}
expect.set_options(timeout=BROWSER_MS)

# The NetworkPolicy that a chart makes of what is deployed.
POLICY = f"""cd todochat && {ENVIRONMENT} helm --namespace todo get values {{0}} --output json |
helm template {{0}} apps/{{0}}/chart --namespace todo --values - --set networkPolicy.enabled=true --show-only templates/networkpolicy.yaml
"""
AUTOSCALING = "{'app_release_backend_values': {'autoscaling': {'cpuPercent': 50, 'quietSeconds': 15}}}"
# Logging in costs the backend a tenth of a second of CPU, whatever the password is.
BURN = """
import json, sys, time, urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
url, stop, end = sys.argv[1], Path(sys.argv[2]), time.monotonic() + 150
def burn(number):
    opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor())
    def ask(method, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        headers = {"Content-Type": "application/json", "Origin": url}
        opener.open(urllib.request.Request(f"{url}/api/{path}", data, headers, method=method), timeout=20).close()
    ask("POST", "auth/signup", {"email": f"burner-{number}@todochat.example", "password": "a password for this test"})
    while not stop.exists() and time.monotonic() < end:
        ask("POST", "chat", {"message": "what is due this week, and what is overdue, please?"})
    ask("DELETE", "account")
with ThreadPoolExecutor(4) as pool:
    list(pool.map(burn, range(4)))
"""
JOURNEY = """
import socket, sys, time
from ansible_collections.todochat.platform.plugins.module_utils.acceptance import Visitor, travel
end = time.monotonic() + 20
while True:
    try:
        socket.create_connection((\\"127.0.0.1\\", 18080)).close()
        break
    except OSError:
        assert time.monotonic() < end
        time.sleep(0.2)
print(travel(Visitor(\\"http://127.0.0.1:18080\\"), None))
"""
COPY_SECRET = """
import json, sys
secret = json.load(sys.stdin)
secret[\\"metadata\\"] = {\\"name\\": secret[\\"metadata\\"][\\"name\\"]}
print(json.dumps(secret))
"""


def test_the_flows_that_are_seen_are_those_that_the_network_policies_allow(deployment: Deployment) -> None:
    """By the node's own record of connections, on pods of which none has gone, and the policies that the charts make of what is deployed."""
    with deployment.load("flows", per_second=PER_SECOND):
        deployment.up("--tags app_check")
    policies = [yaml.safe_load(deployment.tester.sees(POLICY.format(release))) for release in RELEASES]
    node = set(deployment.host.check_output("docker exec todo hostname -I").split())
    network = Network(deployment.get("pods --all-namespaces"), deployment.get("namespaces"), node, policies)
    seen = flows(deployment.host.check_output("docker exec todo conntrack -L 2> /dev/null"))
    assert network.refused(seen) == []
    # The frontend's pods ask each other when one starts, which may be a while ago.
    assert network.unused(seen) - {"frontend: to frontend,frontend"} == {"backend: to kube-dns"}


@pytest.mark.parametrize("release", RELEASES)
def test_the_releases_own_test_passes(deployment: Deployment, release: str) -> None:
    output = deployment.passes(f"helm --namespace todo test {release} --logs")
    assert "list the todos: passed" in output
    assert "delete the account: passed" in output


def test_the_releases_own_tests_name_the_step_that_fails_without_a_backend(deployment: Deployment) -> None:
    # an autoscaler leaves a Deployment of none alone
    deployment.passes("kubectl --namespace todo scale deployment backend --replicas=0")
    # while they leave, they serve
    until(lambda: not deployment.get("pods --selector app.kubernetes.io/instance=backend"), 90)
    try:
        for release, step in {"backend": "live: expected 200", "frontend": "sign up: expected 201"}.items():
            passed, output = deployment.run(f"helm --namespace todo test {release} --logs")
            assert not passed, output
            assert step in output
    finally:
        deployment.passes("kubectl --namespace todo scale deployment backend --replicas=2")
    deployment.settle()


@pytest.mark.parametrize("account", RELEASES)
def test_the_services_may_do_no_more_in_the_cluster_than_everybody(deployment: Deployment, account: str) -> None:
    listed = deployment.passes(f"kubectl --namespace todo auth can-i --list --no-headers --as=system:serviceaccount:todo:{account}")
    found = sorted({" ".join(line.split()) for line in listed.splitlines()})
    assert found == (PROJECT / "molecule/rollout/files/permissions.txt").read_text(encoding="utf-8").splitlines()


def test_the_raw_manifests_make_an_application_that_works(deployment: Deployment) -> None:
    """In a namespace of its own, one replica each, on the same database."""
    images = [next(iter(deployment.pods(release).values())).partition("@") for release in RELEASES]
    kustomization = {
        "namespace": "scratch",
        "resources": ["../todochat/k8s"],
        "images": [{"name": name, "digest": digest} for name, _, digest in images],
        # the deployed one has that port
        "patches": [{"target": {"kind": "Service", "name": "frontend"}, "patch": '[{"op": "remove", "path": "/spec/ports/0/nodePort"}]'}],
    }
    deployment.passes("mkdir -p ~/scratch")
    deployment.give("/home/tester/scratch/kustomization.yaml", json.dumps(kustomization))
    try:
        deployment.passes("kubectl apply -k ~/scratch")
        labels = deployment.passes("kubectl get namespace scratch --output jsonpath='{.metadata.labels}'")
        assert '"pod-security.kubernetes.io/enforce":"restricted"' in labels
        secret = "kubectl --namespace todo get secret backend-secrets --output json"
        deployment.passes(f"""{secret} | python3 -c "{COPY_SECRET}" | kubectl --namespace scratch create --filename -""")
        deployment.passes("kubectl --namespace scratch wait --for=condition=Available deployment --all --timeout=180s")
        forward = "kubectl --namespace scratch port-forward service/frontend 18080:3000 > /dev/null & trap \"kill $!\" EXIT;"
        steps = deployment.passes(f"""{forward} PYTHONPATH=.ansible/collections python3 -c "{JOURNEY}\"""")
        assert "ask the assistant" in steps
    finally:
        deployment.passes("kubectl delete namespace scratch --ignore-not-found --timeout=120s")


def is_interactive(page: Page, path: str) -> None:
    """What of a page can be used once its scripts run, and not before, can be."""
    if path == "/todos":
        expect(page.get_by_label("New todo")).to_be_editable()
    elif path == "/history":
        expect(page.get_by_role("button", name=re.compile("^Undo today"))).to_be_enabled()
    elif path == "/account":
        expect(page.get_by_label("Colours", exact=True)).to_be_enabled()
    else:
        expect(page.get_by_role("button", name="Sign in", exact=True)).to_be_enabled()


def tick(page: Page, title: str) -> None:
    """A todo is ticked off, or not any more, and the server says so too."""
    with page.expect_response(lambda answer: answer.request.method == "PATCH") as answered:
        page.get_by_role("checkbox", name=title).click()
    assert answered.value.ok, answered.value.status


def visit(begun: Event, over: Event) -> list[float]:
    """Somebody loads each page anew, again and again, and uses it, beside a tab that stays open; the seconds until each could be used."""
    took: list[float] = []
    with sync_playwright() as playwright, launched(playwright, SYSTEM) as browser, watched(browser, URL) as page:
        page.context.set_default_timeout(BROWSER_MS)
        sign_up(page, f"visiting-{secrets.token_hex(4)}@example.com")
        for title in ("water the plants", "feed the cat"):
            page.get_by_label("New todo").fill(title)
            page.get_by_role("button", name="Add", exact=True).click()
            expect(page.get_by_role("checkbox", name=title)).to_be_visible()
            expect(page.get_by_label("New todo")).to_have_value("")
        tab = page.context.new_page()
        tab.goto("/todos")
        is_interactive(tab, "/todos")
        begun.set()
        while not over.is_set():
            for path in PAGES:
                start = time.monotonic()
                page.goto(path)
                is_interactive(page, path)
                took.append(time.monotonic() - start)
                if path == "/todos":
                    tick(page, "water the plants")
                    tick(tab, "feed the cat")
                over.wait(BROWSER_PAUSE)
    return took


@contextmanager
def visited(name: str) -> Iterator[None]:
    """Each page that a browser loads meanwhile becomes interactive, and a tab that is open goes on."""
    begun, over = Event(), Event()
    with ThreadPoolExecutor(1) as pool:
        visits = pool.submit(visit, begun, over)
        try:
            until(lambda: begun.is_set() or visits.done(), BROWSER_START_SECONDS)
            if not visits.done():
                yield
        finally:
            over.set()
        took = visits.result()
    assert len(took) > len(PAGES), "hardly a page was loaded"
    TOLD.append(f"browser {name}: {len(took)} pages became interactive, the slowest after {max(took):.1f} s")


def replaced(report: dict[str, Any]) -> set[str]:
    """Of which kinds are the files that pages had at the beginning of a load, and at its end no more."""
    return {name.rpartition(".")[2] for name in report["gone"]}


def test_an_upgrade_of_both_services(deployment: Deployment) -> None:
    before = deployment.all_pods()
    deployment.edit()
    with visited("upgrade"), deployment.load("upgrade", per_second=PER_SECOND) as report:
        deployment.up("--tags app_images,app_release,app_check")
    assert replaced(report) == KINDS
    for release, pods in deployment.all_pods().items():
        assert not set(pods.values()) & set(before[release].values()), f"{release} runs the image that it ran before"


def test_a_rollback_to_what_was_before(deployment: Deployment) -> None:
    upgraded = deployment.all_pods()
    deployment.edit(back=True)
    with visited("rollback"), deployment.load("rollback", per_second=PER_SECOND) as report:
        deployment.passes("python3 bootstrap -- ansible-playbook playbooks/rollback.yml")
    assert replaced(report) == KINDS
    back = deployment.all_pods()
    for release, pods in back.items():
        assert not set(pods) & set(upgraded[release])
        assert not set(pods.values()) & set(upgraded[release].values())
    # what was rolled back to is what the sources say again
    deployment.up("--tags app_images,app_release,app_check")
    assert deployment.all_pods() == back


def test_the_deletion_of_each_pod_in_turn(deployment: Deployment) -> None:
    with deployment.load("deletion", per_second=PER_SECOND):
        for release in RELEASES:
            for pod in deployment.pods(release):
                deployment.passes(f"kubectl --namespace todo delete pod {pod}")
                deployment.settle()
                assert pod not in deployment.pods(release)


def test_a_rolling_restart(deployment: Deployment) -> None:
    before = deployment.all_pods()
    with deployment.load("restart", per_second=PER_SECOND):
        for release in RELEASES:  # one after the other, as a roll-out does it
            deployment.passes(f"kubectl --namespace todo rollout restart deployment {release}")
            deployment.settle()
    for release, pods in deployment.all_pods().items():
        assert not set(pods) & set(before[release])


@pytest.mark.parametrize("secret", ["database_password", "jwt_keys"])
def test_a_rotation(deployment: Deployment, secret: str) -> None:
    """Sessions that began before it go on: each client has one, and signs in no more."""
    before = deployment.all_pods()
    with deployment.load(f"rotation-{secret}", per_second=PER_SECOND):
        deployment.passes(f"python3 bootstrap -- ansible-playbook playbooks/vault/rotate.yml -e secret={secret}")
    after = deployment.all_pods()
    assert not set(after["backend"]) & set(before["backend"]), "the backend does not use the new value"
    assert set(before["frontend"]) <= set(after["frontend"]), "the frontend does not use it, and was restarted"


def test_the_backend_grows_under_load_and_shrinks(deployment: Deployment) -> None:
    def replicas() -> int:
        [autoscaler] = [one for one in deployment.get("horizontalpodautoscalers") if one["metadata"]["name"] == "backend"]
        return int(autoscaler["status"].get("currentReplicas", 0))

    def state() -> str:
        return deployment.run("kubectl --namespace todo describe hpa backend; kubectl --namespace todo top pods")[1]

    with deployment.load("autoscaling", per_second=PER_SECOND):  # which two pods answer with less than a half of their CPU
        deployment.up(f'{ROLL_OUT} -e \\"{AUTOSCALING}\\"')
        stop = "/tmp/burn.stop"
        deployment.host.check_output(f"rm -f {stop}")
        with subprocess.Popen(["docker", "exec", SYSTEM, "python3", "-c", BURN, URL, stop]) as burner:
            try:
                until(lambda: replicas() > 2, 150, state)
            finally:
                deployment.host.check_output(f"touch {stop}")
                burner.wait(30)
        assert burner.returncode == 0
        until(lambda: replicas() == 2, 240, state)
        deployment.settle()
        deployment.up(ROLL_OUT)
