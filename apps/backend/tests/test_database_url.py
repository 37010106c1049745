"""Addresses of databases: the same table as the collection's own tests read."""

import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from todo_backend.settings import JwtKeys, Secrets

TABLE: list[dict[str, Any]] = json.loads(Path(__file__).with_name("database_urls.json").read_text(encoding="utf-8"))
KEYS = JwtKeys(active="a", keys={"a": SecretStr("YWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWE=")})


@pytest.mark.parametrize("one", [one for one in TABLE if "parameters" in one], ids=lambda one: str(one["url"]))
def test_the_driver_gets_what_the_address_says(one: dict[str, Any]) -> None:
    url = Secrets(database_url=SecretStr(one["url"]), jwt_keys=KEYS).sqlalchemy_url
    _, given = url.get_dialect()().create_connect_args(url)
    assert {name: str(value) for name, value in given.items()} == one["parameters"]
    assert "canary" not in repr(url)


def test_a_certificate_is_looked_for_where_the_system_has_them() -> None:
    url = SecretStr("postgresql://ann:canary@db.example/todo?sslmode=verify-full")
    assert Secrets(database_url=url, jwt_keys=KEYS).sqlalchemy_url.query["sslrootcert"] == "system"
