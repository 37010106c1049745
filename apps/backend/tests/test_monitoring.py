"""What alerts and dashboard ask for is what Prometheus is told."""

import asyncio
import json
import re
from pathlib import Path

import httpx
import pytest
from prometheus_client import REGISTRY, generate_latest
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy.engine import URL

from tests.conftest import PASSWORD, Person, serving
from tests.test_metrics import value
from todo_backend.auth import passwords

MONITORING = Path(__file__).parents[1] / "monitoring"
ALERTS = (MONITORING / "alerts.yml").read_text()
DASHBOARD = json.loads((MONITORING / "dashboard.json").read_text())
QUERIES = [target["expr"] for panel in DASHBOARD["panels"] for target in panel["targets"]]
# What Prometheus itself adds to each series.
ITS_OWN = {"instance", "job", "pod", "le"}


def told() -> dict[str, set[str]]:
    """The labels of each series that Prometheus is told, by its name."""
    found: dict[str, set[str]] = {}
    for family in text_string_to_metric_families(generate_latest(REGISTRY).decode()):
        for sample in family.samples:
            found.setdefault(sample.name, set()).update(sample.labels)
    return found


@pytest.mark.parametrize("queries", [ALERTS, "\n".join(QUERIES)], ids=["alerts", "dashboard"])
async def test_every_series_that_is_asked_for_is_told(ann: Person, queries: str) -> None:
    await ann.say("add buy milk")
    await ann.client.post("/api/v1/auth/login", json={"email": ann.email, "password": PASSWORD})
    series = told()
    names = set(re.findall(r"\b(?:todo|process|python)_\w+", queries))
    assert len(names) >= 5
    assert names <= series.keys()
    for name, matched in re.findall(r"\b(todo_\w+)\{([^}]*)\}", queries):
        assert set(re.findall(r"(\w+)(?:=~|!~|!=|=)", matched)) - ITS_OWN <= series[name]
    labels = set().union(*series.values()) | ITS_OWN
    grouped = {label for names in re.findall(r"\bby \(([^)]*)\)", queries) for label in names.split(", ")}
    assert {*grouped, *re.findall(r"\{\{(\w+)\}\}", json.dumps(DASHBOARD))} <= labels


async def test_who_is_turned_away_is_counted_as_the_alert_asks(
    database_url: URL, monkeypatch: pytest.MonkeyPatch
) -> None:
    outcomes = re.findall(r'outcome=~"([^"]*)"', ALERTS)[0].split("|")
    before = {outcome: value("todo_log_ins_total", outcome=outcome) for outcome in outcomes}
    async with serving(database_url, wrong_passwords=1) as client:
        nobody = {"email": "nobody@todochat.example", "password": "wrong password"}
        assert [(await client.post("/api/v1/auth/login", json=nobody)).status_code for _ in range(2)] == [401, 429]
        monkeypatch.setattr(passwords, "WAITING", 0)
        other = {"email": "other@todochat.example", "password": "wrong password"}
        assert (await client.post("/api/v1/auth/login", json=other)).status_code == 503
    assert {outcome: value("todo_log_ins_total", outcome=outcome) - before[outcome] for outcome in outcomes} == {
        "too many": 1,
        "busy": 1,
    }


async def test_a_method_that_nobody_knows_makes_no_series(client: httpx.AsyncClient) -> None:
    before = value("todo_requests_total", method="other", route="none", status="404")
    await asyncio.gather(*(client.request(f"FORGED{number}", "/nowhere") for number in range(3)))
    assert value("todo_requests_total", method="other", route="none", status="404") == before + 3
    assert "FORGED" not in generate_latest(REGISTRY).decode()


def test_every_alert_says_what_to_do() -> None:
    rules = ALERTS.split("- alert: ")[1:]
    assert len(rules) >= 6
    assert [rule.split()[0] for rule in rules if "summary:" not in rule or "action:" not in rule] == []
