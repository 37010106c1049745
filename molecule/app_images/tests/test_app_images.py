"""Both images are in the registry, small and without root, and an edit makes one of them anew."""

from __future__ import annotations

import json
import urllib.parse

import pytest
from conftest import Tester

LIMITS = {"backend": 300, "frontend": 200}
"""Megabytes, from the product's requirements."""


def manifest(tester: Tester, name: str) -> str:
    """The digest of the image to deploy."""
    accept = "application/vnd.oci.image.manifest.v1+json, application/vnd.docker.distribution.manifest.v2+json"
    request = f"r.Request('http://127.0.0.1:5000/v2/todo/{name}/manifests/current', headers={{'Accept': '{accept}'}})"
    return tester.sees(f"""python3 -c "import urllib.request as r; print(r.urlopen({request}).headers['Docker-Content-Digest'])" """)


@pytest.mark.parametrize("name", LIMITS)
def test_the_image_is_small_and_runs_without_root(tester: Tester, name: str) -> None:
    reference = f"127.0.0.1:5000/todo/{name}@{manifest(tester, name)}"
    tester.sees(f"docker pull --quiet {reference}")
    image = json.loads(tester.sees(f"docker image inspect {reference}"))[0]
    assert image["Size"] < LIMITS[name] * 1_000_000
    assert image["Config"]["User"].split(":")[0] not in ("", "0", "root")


@pytest.mark.parametrize("name", LIMITS)
def test_no_configuration_of_this_machine_is_in_the_image(tester: Tester, name: str) -> None:
    history = tester.sees(f"docker history --no-trunc --format '{{{{.CreatedBy}}}}' 127.0.0.1:5000/todo/{name}@{manifest(tester, name)}")
    for line in tester.sees("cat ~/.npmrc /etc/pip.conf ~/.config/pip/pip.conf 2> /dev/null || true").splitlines():
        host = urllib.parse.urlsplit(line.partition("=")[2].strip()).hostname
        assert not host or host not in history


def test_an_edited_line_makes_that_image_anew_and_no_other(tester: Tester) -> None:
    before = {name: manifest(tester, name) for name in LIMITS}
    tester.sees("echo '# edited' >> todochat/apps/backend/src/todo_backend/text.py")
    passed, output = tester.up("--tags app_images")
    assert passed, output
    after = {name: manifest(tester, name) for name in LIMITS}
    assert after["backend"] != before["backend"]
    assert after["frontend"] == before["frontend"]


def test_taking_the_edit_back_brings_the_old_image_without_a_build(tester: Tester) -> None:
    edited = manifest(tester, "backend")
    tester.sees("sed -i '/^# edited$/d' todochat/apps/backend/src/todo_backend/text.py")
    passed, output = tester.up("--tags app_images")
    assert passed, output
    assert manifest(tester, "backend") != edited


def test_a_registry_that_does_not_answer_is_named(tester: Tester) -> None:
    tester.sees("docker stop todo-registry")
    tester.refused("--tags app_images", "what image_registry would make is not there", "--tags image_registry")
    tester.sees("docker start todo-registry")
