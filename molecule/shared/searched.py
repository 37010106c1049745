"""Nothing that was printed, and no place of the system, shows a value of the vault; what is put into a place is found there."""

from __future__ import annotations

import pytest
from secret_search import PLACES, found_in, planted
from vault_commands import forms, printed, shown_in, values


def test_nothing_that_was_printed_shows_a_value() -> None:
    for value in values.values():
        assert [form for form in forms(value) if not shown_in(f"x{form}y")] == []
    assert {command: found for command, text in printed.items() if (found := shown_in(text))} == {}
    for name in ("vault_database_password", "vault_jwt_keys", "vault_checksum_key", "the vault password"):
        assert [known for known in values if known.startswith(name)], sorted(values)


@pytest.mark.parametrize("name", PLACES)
def test_only_what_was_put_there_is_found_in(name: str) -> None:
    canaries = planted(PLACES[name])
    found = found_in(PLACES[name], canaries)
    assert [hit for hit in found if hit.rpartition(":")[2] not in canaries] == []
    assert {hit.rpartition(":")[2] for hit in found} == set(canaries)
