"""Docker's two image stores, the classic one and containerd's, by what either has answered: a digest comes of a push, and all names of an image are known."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.todochat.platform.plugins.module_utils.images.build import build
from ansible_collections.todochat.platform.plugins.module_utils.images.content import Image
from ansible_collections.todochat.platform.plugins.module_utils.images.writer import Writer
from ansible_collections.todochat.platform.plugins.module_utils.machine import docker_engine, docker_objects
from ansible_collections.todochat.platform.plugins.module_utils.machine.docker_objects import Docker, repository

RECORDED: dict[str, Any] = json.loads((Path(__file__).parent / "fixtures/image-stores.json").read_text(encoding="utf-8"))
# What the client of Docker 29 says besides where an image of several platforms is pushed of which one is there, as others have recorded it.
NOTE = f" i Info → Not all multiplatform-content is present and only the available single-platform image was pushed\n sha256:{'a' * 64} -> sha256:{'b' * 64}"


def docker(folder: Path, monkeypatch: pytest.MonkeyPatch, output: str) -> Path:
    """A docker command that prints this; returns the file with what it was called with."""
    (folder / "output").write_text(f"{output}\n")
    (folder / "docker").write_text(f'#!/bin/sh\necho "$*" >> {folder}/called\ncat {folder}/output\n')
    (folder / "docker").chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")
    return folder / "called"


@pytest.mark.parametrize("store", RECORDED["push"])
@pytest.mark.parametrize("note", ["", f"\n\n{NOTE}"], ids=["alone", "with a note of Docker 29"])
def test_a_push_gives_the_digest_that_the_registry_has(store: str, note: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = RECORDED["push"][store]
    docker(tmp_path, monkeypatch, "\n".join(lines) + note)
    assert f"digest: {Writer('127.0.0.1:5999', 'login', tmp_path).push('image', 'todo/x', 't1')} size" in lines[-1]


def test_a_build_makes_one_manifest_in_either_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    called = docker(tmp_path, monkeypatch, "")
    build(Image("backend", tmp_path, {}), "name:tag", tmp_path)
    assert "--provenance=false" in called.read_text().split()


NAMES = {
    "classic, built and pushed": ["127.0.0.1:5999/todo/x:p", "todochat/todo-x:current"],
    "classic, pulled by its digest": ["todochat/todo-x:current", "127.0.0.1:5999/todo/x@sha256:72ffdf"],
    "containerd's": [
        *("127.0.0.1:5999/todo/x:p", "127.0.0.1:5999/todo/x:t3", "todochat/todo-x:current"),
        *("127.0.0.1:5999/todo/x:t2", "127.0.0.1:5999/todo/x@sha256:c7cfd1"),
    ],
}


@pytest.mark.parametrize("store", NAMES)
def test_an_image_is_known_by_all_that_it_has_to_be_rid_of(store: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(docker_engine, "answering_version", lambda: "26.1.5")
    monkeypatch.setattr(docker_engine, "ask", lambda request: RECORDED["images"][store] if request == "/images/json" else [])
    names = [found.name for found in Docker().objects.values() if not repository(found.name).endswith("/base")]
    assert [name[: len(wanted)] for name, wanted in zip(names, NAMES[store], strict=True)] == NAMES[store]
    assert {repository(name) for name in names} <= {"127.0.0.1:5999/todo/x", "todochat/todo-x"}


def test_images_of_docker_28_are_known_by_their_tags(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a virtual size since the API's version 1.44, with a descriptor since 1.48."""
    of = json.loads((Path(__file__).parent / "fixtures/docker-answers.json").read_text(encoding="utf-8"))["28.3.2"]
    monkeypatch.setattr(docker_engine, "answering_version", lambda: of["info"]["ServerVersion"])
    monkeypatch.setattr(docker_engine, "ask", lambda request: of["images"] if request == "/images/json" else [])
    assert [found.name for found in Docker().objects.values()] == ["docker_setup-nginx-php:latest", "docker_setup-mariadb:latest", "alpine:latest"]


def test_a_digest_goes_after_the_tags_that_it_would_take_along(monkeypatch: pytest.MonkeyPatch) -> None:
    image = {"Id": "sha256:1", "RepoTags": ["x@sha256:1", "x:1", "<none>:<none>"], "RepoDigests": ["x@sha256:1", "<none>@<none>"]}
    monkeypatch.setattr(docker_engine, "answering_version", lambda: "26.1.5")
    monkeypatch.setattr(docker_engine, "ask", lambda request: [image] if request == "/images/json" else [])
    assert [found.name for found in Docker().objects.values()] == ["x:1", "x@sha256:1"]


def test_namespaces_of_dockers_own_are_nobody_elses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(docker_objects, "must", lambda *_: "moby\nmoby_history\nk8s.io\n")
    assert Docker().foreign_namespaces() == ["k8s.io"]
