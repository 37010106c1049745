"""Both images are in the registry, small and without root, and an edit makes one of them anew."""

from __future__ import annotations

import json
import secrets
import shlex

import pytest
from conftest import Tester

LIMITS = {"backend": 300, "frontend": 200}
"""Megabytes, from the product's requirements; so are the seconds for both images together."""
FIRST_BUILD_SECONDS, CACHED_BUILD_SECONDS = 300, 120
READY_SECONDS = 15
SOURCES = {"backend": "todochat/apps/backend/src/todo_backend/text.py", "frontend": "todochat/apps/frontend/proxy.ts"}
CANARY = "kanarienvogel"
"""Is in the configuration of this machine's package clients (prepare.yml)."""


@pytest.mark.parametrize("name", LIMITS)
def test_the_image_is_small_and_runs_without_root(tester: Tester, name: str) -> None:
    reference = f"127.0.0.1:5000/todo/{name}@{tester.built(name)}"
    tester.sees(f"docker pull --quiet {reference}")
    image = json.loads(tester.sees(f"docker image inspect {reference}"))[0]
    assert image["Size"] < LIMITS[name] * 1_000_000
    assert image["Config"]["User"].split(":")[0] not in ("", "0", "root")


CONFIGURATION = """
from pathlib import Path
from ansible_collections.todochat.platform.plugins.module_utils.images.build import npm_configuration, pip_configuration
print(npm_configuration(Path.home()), pip_configuration(Path.home()))
"""


@pytest.mark.parametrize(("name", "content"), [("backend", "todo_backend"), ("frontend", "acceptance+")])
def test_no_configuration_of_this_machine_is_in_the_image(tester: Tester, name: str, content: str) -> None:
    given = tester.sees(f"cd todochat && PYTHONPATH=.ansible/collections .venv/bin/python -c {shlex.quote(CONFIGURATION)}")
    assert f"//npm-{CANARY}.example/:_authToken={CANARY}" in given
    assert f"pip-{CANARY}.example" in given
    reference = f"127.0.0.1:5000/todo/{name}@{tester.built(name)}"
    # history and layers; that what is in the image is found shows that it was looked at
    search = f"grep --text --only-matching --fixed-strings --regexp={content} --regexp={CANARY}"
    tester.sees(f"docker pull --quiet {reference}")
    assert tester.sees(f"docker save {reference} | {search} | sort --unique") == content


def seconds_to_build_both(tester: Tester) -> float:
    """The role's seconds of a run that finds a line more in the sources of both, another one each time."""
    before = {name: tester.built(name) for name in LIMITS}
    line = secrets.token_hex(8)
    tester.sees(f"echo '# {line}' >> {SOURCES['backend']}; echo '// {line}' >> {SOURCES['frontend']}")
    passed, output = tester.up("--tags app_images")
    assert passed, output
    assert all(tester.built(name) != before[name] for name in LIMITS)
    events = [json.loads(event) for event in tester.events().splitlines()]
    return sum(float(event["seconds"]) for event in events if "ended" in event and event["role"] == "app_images")


def test_both_are_built_in_time_from_nothing_and_after_an_edit(tester: Tester) -> None:
    tester.sees("docker builder prune --all --force")
    first = seconds_to_build_both(tester)
    cached = seconds_to_build_both(tester)
    print(f"both images: {first:.0f} s without layers, {cached:.0f} s with them")
    assert first < FIRST_BUILD_SECONDS
    assert cached < CACHED_BUILD_SECONDS


def test_an_edited_line_makes_that_image_anew_and_no_other(tester: Tester) -> None:
    before = {name: tester.built(name) for name in LIMITS}
    tester.sees(f"echo '# edited' >> {SOURCES['backend']}")
    passed, output = tester.up("--tags app_images")
    assert passed, output
    after = {name: tester.built(name) for name in LIMITS}
    assert after["backend"] != before["backend"]
    assert after["frontend"] == before["frontend"]


def test_taking_the_edit_back_brings_the_old_image_without_a_build(tester: Tester) -> None:
    edited = tester.built("backend")
    tester.sees(f"sed -i '/^# edited$/d' {SOURCES['backend']}")
    passed, output = tester.up("--tags app_images")
    assert passed, output
    assert tester.built("backend") != edited


def node(tester: Tester, reference: str) -> str:
    return tester.sees(f"docker run --rm --network none {reference} node --version").split(".")[0]


def test_the_frontend_runs_on_the_node_that_is_chosen(tester: Tester) -> None:
    on_20 = tester.built("frontend")
    assert node(tester, f"127.0.0.1:5000/todo/frontend@{on_20}") == "v20"
    passed, output = tester.up("--tags app_images -e app_images_node=24")
    assert passed, output
    reference = f"127.0.0.1:5000/todo/frontend@{tester.built('frontend')}"
    tester.sees(f"docker pull --quiet {reference}")
    assert node(tester, reference) == "v24"
    assert int(tester.sees(f"docker image inspect --format '{{{{.Size}}}}' {reference}")) < LIMITS["frontend"] * 1_000_000
    answers = """fetch("http://127.0.0.1:3000/health/ready").then((answer) => process.exit(answer.ok ? 0 : 1), () => process.exit(1))"""
    # a pod's limits; the question starts a Node.js as well, so it is not asked without a pause
    started = "docker run --detach --rm --name node24 --cpus 0.5 --memory 512m --network none --env BACKEND_URL=http://backend:8001"
    until = f"until docker exec node24 node -e {shlex.quote(answers)}; do sleep 2; done"
    try:
        tester.sees(f"{started} {reference} && timeout {READY_SECONDS} sh -c {shlex.quote(until)}")
    finally:
        tester.sees("docker rm --force node24")
    passed, output = tester.up("--tags app_images")
    assert passed, output
    assert tester.built("frontend") == on_20


def test_a_registry_that_does_not_answer_is_named(tester: Tester) -> None:
    tester.sees("docker stop todo-registry")
    tester.refused("--tags app_images", "what image_registry would make is not there", "--tags image_registry")
    answers = "import urllib.request; urllib.request.urlopen('http://127.0.0.1:5000/v2/')"
    tester.sees(f'docker start todo-registry && timeout 60 sh -c "until python3 -c \\"{answers}\\" 2> /dev/null; do :; done"')


WITHOUT_RIGHTS = "sudo setpriv --reuid=65534 --regid=65534 --clear-groups"
ASK = """
import sys, urllib.error, urllib.request
method, address = sys.argv[1:]
try:
    print(urllib.request.urlopen(urllib.request.Request(address, method=method)).status)
except urllib.error.HTTPError as error:
    print(error.code)
"""


@pytest.mark.parametrize(("method", "path"), [("POST", "blobs/uploads/"), ("PUT", "manifests/current"), ("DELETE", "manifests/DIGEST")])
def test_nobody_without_rights_puts_an_image_there_or_takes_one_away(tester: Tester, method: str, path: str) -> None:
    address = f"http://127.0.0.1:5000/v2/todo/backend/{path.replace('DIGEST', tester.built('backend'))}"
    assert tester.sees(f"{WITHOUT_RIGHTS} python3 -c {shlex.quote(ASK)} {method} {address}") == "405"


def test_nor_says_which_image_was_built(tester: Tester) -> None:
    tester.sees(f"{WITHOUT_RIGHTS} cat /var/lib/todochat/images.json")
    for attempt in ("sh -c 'echo >> /var/lib/todochat/images.json'", "touch /var/lib/todochat/x", "rm -f /var/lib/todochat/images.json"):
        tester.sees(f"! {WITHOUT_RIGHTS} {attempt}")


def test_an_image_that_was_planted_under_our_tag_counts_for_nothing(tester: Tester) -> None:
    """As if somebody had got into the registry all the same."""
    built = tester.built("backend")
    images = json.loads(tester.sees("cat /var/lib/todochat/images.json"))["127.0.0.1:5000/todo/backend"]
    tag = next(tag for tag, digest in images["tags"].items() if digest == built)
    tester.sees(f"printf 'FROM 127.0.0.1:5000/todo/backend@{built}\nENV PLANTED=1' | docker build --quiet --tag planted -")
    assert built not in tester.pushed("planted", f"127.0.0.1:5000/todo/backend:{tag}")
    passed, output = tester.up("--tags app_images")
    assert passed, output
    assert "changed=0" in output
    assert tester.built("backend") == built
