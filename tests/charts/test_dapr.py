"""Dapr knows each field of docs/events/dapr, no secret is written there, and what names another file's names one that is there."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from chart import ROOT, Object
from test_conformance import tools

__all__ = ["tools"]
FOLDER = ROOT / "docs/events/dapr"
OBJECTS: dict[str, Object] = {file.stem: yaml.safe_load(file.read_text(encoding="utf-8")) for file in sorted(FOLDER.glob("*.yaml"))}
Refused = Callable[[Object], str]


@pytest.fixture
def refused(tools: Path) -> Refused:
    """What Dapr's definitions do not take of an object."""

    def asked(item: Object) -> str:
        location = f"{tools}/schemas/dapr/{{{{.ResourceKind}}}}{{{{.KindSuffix}}}}.json"
        command = [tools / "kubeconform", "-strict", "-verbose", "-output=json", f"-schema-location={location}"]
        done = subprocess.run(command, input=yaml.safe_dump(item), capture_output=True, text=True, check=False)
        (found,) = json.loads(done.stdout)["resources"]
        return "" if found["status"] == "statusValid" else str(found["msg"])

    return asked


def test_there_are_three() -> None:
    assert sorted(OBJECTS) == ["pubsub", "state", "subscription"]


@pytest.mark.parametrize("name", OBJECTS)
def test_dapr_knows_each_field(refused: Refused, name: str) -> None:
    assert refused(OBJECTS[name]) == ""


@pytest.mark.parametrize(
    ("name", "wrong", "said"),
    [
        ("pubsub", {"spec": {"type": "pubsub.kafka", "metadata": []}}, "version"),
        ("pubsub", {"scope": ["reminders"]}, "scope"),
        ("subscription", {"spec": OBJECTS["subscription"]["spec"] | {"routes": {"path": "/changes"}}}, "path"),
        ("state", {"kind": "Store"}, "could not find schema"),
    ],
)
def test_what_it_does_not_know_is_refused(refused: Refused, name: str, wrong: Object, said: str) -> None:
    assert said in refused(OBJECTS[name] | wrong)


def test_they_belong_together() -> None:
    assert OBJECTS["subscription"]["spec"]["pubsubname"] == OBJECTS["pubsub"]["metadata"]["name"]
    assert len({json.dumps(item["scopes"]) for item in OBJECTS.values()}) == 1
    assert (ROOT / "bench/outbox/scenario.py").read_text(encoding="utf-8").count(f'TOPIC = "{OBJECTS["subscription"]["spec"]["topic"]}"') == 1


@pytest.mark.parametrize("name", ["pubsub", "state"])
def test_what_is_secret_comes_from_a_secret(name: str) -> None:
    secret = {"brokers", "saslUsername", "saslPassword", "connectionString"}
    given = {one["name"]: set(one) - {"name"} for one in OBJECTS[name]["spec"]["metadata"]}
    assert [one for one in secret & given.keys() if given[one] != {"secretKeyRef"}] == []
    assert OBJECTS[name]["auth"] == {"secretStore": "kubernetes"}
