"""Addresses of databases: the same table as the collection's own tests read."""

import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from todo_backend.settings import SYSTEM_CERTIFICATES, JwtKeys, Secrets, load

TABLE: list[dict[str, Any]] = json.loads(Path(__file__).with_name("database_urls.json").read_text(encoding="utf-8"))
KEYS = JwtKeys(active="a", keys={"a": SecretStr("YWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWE=")})


@pytest.mark.parametrize("one", [one for one in TABLE if "parameters" in one], ids=lambda one: str(one["url"]))
def test_the_driver_gets_what_the_address_says(one: dict[str, Any]) -> None:
    url = Secrets(database_url=SecretStr(one["url"]), jwt_keys=KEYS).sqlalchemy_url
    _, given = url.get_dialect()().create_connect_args(url)
    said = one["parameters"]
    of_image = {"sslrootcert": SYSTEM_CERTIFICATES} if said.get("sslrootcert") == "system" else {}
    assert {name: str(value) for name, value in given.items()} == said | of_image
    assert "canary" not in repr(url)


@pytest.mark.parametrize(
    ("query", "of_image"),
    [
        ("sslmode=verify-ca", SYSTEM_CERTIFICATES),
        ("sslmode=verify-full", SYSTEM_CERTIFICATES),
        ("sslrootcert=system", SYSTEM_CERTIFICATES),
        ("sslmode=require&sslrootcert=/home/ann/db.pem", "/home/ann/db.pem"),
        ("sslmode=require", None),
    ],
)
def test_a_certificate_is_checked_by_the_file_beside_the_address_or_else_by_those_of_the_image(
    secrets_dir: Path, monkeypatch: pytest.MonkeyPatch, query: str, of_image: str | None
) -> None:
    (secrets_dir / "database_url").write_text(f"postgresql://ann:canary@db.example/todo?{query}")
    monkeypatch.setenv("TODO_SECRETS_DIR", str(secrets_dir))
    assert load()[1].sqlalchemy_url.query.get("sslrootcert") == of_image
    (secrets_dir / "database_ca").write_text("certificates")
    given = str(secrets_dir / "database_ca")
    assert load()[1].sqlalchemy_url.query.get("sslrootcert") == (given if of_image else None)
