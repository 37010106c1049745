"""Addresses of databases: the same table as the application's own tests read, apps/backend/tests/database_urls.json."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.todochat.platform.plugins.module_utils import vault
from ansible_collections.todochat.platform.plugins.module_utils.base.database_url import AddressError, parameters
from ansible_collections.todochat.platform.plugins.module_utils.base.errors import UserError
from ansible_collections.todochat.platform.plugins.module_utils.database.client import Address

TABLE: list[dict[str, Any]] = json.loads((Path(__file__).resolve().parents[2] / "apps/backend/tests/database_urls.json").read_text(encoding="utf-8"))
TAKEN = [one for one in TABLE if "parameters" in one]
REFUSED = [one for one in TABLE if "refused" in one]


@pytest.mark.parametrize("one", TAKEN, ids=lambda one: one["url"])
def test_an_address_is_read_as_the_library_reads_it(one: dict[str, Any]) -> None:
    assert parameters(one["url"]) == one["parameters"]
    assert vault.url_problem(one["url"]) is None
    assert one["parameters"].items() <= Address.parse(one["url"]).parameters.items()


@pytest.mark.parametrize("one", REFUSED, ids=lambda one: one["url"])
def test_one_that_cannot_work_is_refused_with_what_to_do_and_without_a_part_of_it(one: dict[str, Any]) -> None:
    with pytest.raises(AddressError) as refused:
        parameters(one["url"])
    assert one["refused"] in str(refused.value)
    assert vault.url_problem(one["url"]) == str(refused.value)
    with pytest.raises(UserError) as told:
        Address.parse(one["url"])
    for said in (str(refused.value), str(told.value)):
        assert not re.search(r"\b(canary|ary|ann)\b|example/", said)


def test_there_are_many() -> None:
    assert len(TABLE) >= 30
