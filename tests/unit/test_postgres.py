"""SCRAM verifiers against the RFC's own exchange, and the SQL between what is there and what is wanted."""

from __future__ import annotations

import base64
import dataclasses
import hashlib
import hmac

import pytest

from ansible_collections.todochat.platform.plugins.module_utils.database import roles

PASSWORD = "correct-horse-battery-staple"
WANTED = roles.Wanted("todo", "todo_owner", "todo_app", PASSWORD, "todo_app_2")
CONVERGED = roles.Actual("todo_owner", True, False, True, True, roles.verifier(PASSWORD), True, ("role=todo_owner",), False, roles.rules(WANTED))


def test_verifier_completes_the_exchange_of_rfc_7677() -> None:
    # Section 3: user "user", password "pencil".
    auth_message = (
        b"n=user,r=rOprNGfwEbeRWgbNEkqO,"
        b"r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096,"
        b"c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0"
    )
    proof = base64.b64decode("dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=")
    server_signature = base64.b64decode("6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=")

    stored = roles.verifier("pencil", base64.b64decode("W22ZaJ0SNY7soEsUEjb6gQ=="))

    scheme, iterations_and_salt, keys = stored.split("$")
    stored_key, server_key = (base64.b64decode(part) for part in keys.split(":"))
    client_key = bytes(a ^ b for a, b in zip(proof, hmac.digest(stored_key, auth_message, "sha256"), strict=True))
    assert (scheme, iterations_and_salt) == ("SCRAM-SHA-256", "4096:W22ZaJ0SNY7soEsUEjb6gQ==")
    assert hashlib.sha256(client_key).digest() == stored_key
    assert hmac.digest(server_key, auth_message, "sha256") == server_signature


@pytest.mark.parametrize("stored", [None, "", "md5d41d8cd98f00b204e9800998ecf8427e", "SCRAM-SHA-256$4096:!$a:b", "SCRAM-SHA-256$4096"])
def test_what_is_no_scram_verifier_verifies_nothing(stored: str | None) -> None:
    assert not roles.verifies(stored, PASSWORD)


def test_a_verifier_fits_its_password_alone_whatever_salt_and_iterations() -> None:
    assert roles.verifies(roles.verifier(PASSWORD), PASSWORD)
    assert roles.verifies(roles.verifier(PASSWORD, b"salt", 10), PASSWORD)
    assert not roles.verifies(roles.verifier(PASSWORD), PASSWORD + "x")
    assert roles.verifier(PASSWORD) != roles.verifier(PASSWORD)


def test_an_empty_server_gets_everything_in_order() -> None:
    says = [step.says for step in roles.plan(WANTED, roles.NOTHING, reset_password=False)]
    assert says == [
        "create role todo_owner",
        "create database todo",
        "create role todo_app",
        "make todo_app a member of todo_owner",
        "let todo_app act as todo_owner",
        "let none but members of todo_owner in over the network",
    ]


def test_a_converged_server_gets_nothing() -> None:
    assert roles.plan(WANTED, CONVERGED, reset_password=False) == []
    assert roles.plan(WANTED, CONVERGED, reset_password=True) == []


@pytest.mark.parametrize(
    ("drift", "says"),
    [
        ({"database_owner": None}, "create database todo"),
        ({"database_owner": "postgres"}, "give database todo to todo_owner"),
        ({"owner_can_login": True}, "forbid todo_owner to log in"),
        ({"login_can_login": False}, "allow todo_app to log in"),
        ({"login_is_member": False}, "make todo_app a member of todo_owner"),
        ({"login_settings": ("work_mem=1MB",)}, "let todo_app act as todo_owner"),
        ({"login_verifier": None}, "set the password of todo_app"),
        ({"rules": CONVERGED.rules + "host all all all scram-sha-256\n"}, "let none but members of todo_owner in over the network"),
    ],
)
def test_each_drift_is_mended_by_one_step(drift: dict[str, object], says: str) -> None:
    actual = dataclasses.replace(CONVERGED, **drift)  # type: ignore[arg-type]
    assert [step.says for step in roles.plan(WANTED, actual, reset_password=False)] == [says]


def test_over_the_network_there_is_no_way_but_the_owners_members_into_their_database() -> None:
    beyond = [line.split() for line in roles.rules(WANTED).splitlines() if line.startswith("host") and "127.0.0.1/32" not in line and "::1/128" not in line]
    assert beyond == [["host", '"todo"', "+todo_owner", "all", "scram-sha-256"]]
    # the logins take turns: nothing of it changes with them
    assert roles.rules(dataclasses.replace(WANTED, login="todo_app_2", other_login="todo_app")) == roles.rules(WANTED)


def test_another_password_is_replaced_only_with_leave() -> None:
    actual = dataclasses.replace(CONVERGED, login_verifier=roles.verifier("some-other-password"))
    with pytest.raises(roles.PasswordDiffersError):
        roles.plan(WANTED, actual, reset_password=False)
    assert [step.says for step in roles.plan(WANTED, actual, reset_password=True)] == ["set the password of todo_app"]


def test_a_login_that_is_in_nobodys_use_gets_the_password_without_leave() -> None:
    actual = dataclasses.replace(CONVERGED, login_can_login=False, login_verifier=roles.verifier("some-other-password"), other_is_open=True)
    assert [step.says for step in roles.plan(WANTED, actual, reset_password=False)] == ["set the password of todo_app", "allow todo_app to log in"]


def test_the_other_login_is_locked_when_that_is_asked_for_and_last() -> None:
    both = dataclasses.replace(CONVERGED, other_is_open=True)
    assert roles.plan(WANTED, both, reset_password=True) == []
    assert [step.says for step in roles.plan(WANTED, both, reset_password=False, lock_other=True)] == ["lock todo_app_2"]
    assert roles.plan(WANTED, CONVERGED, reset_password=False, lock_other=True) == []
    steps = roles.plan(WANTED, dataclasses.replace(both, login_can_login=False), reset_password=False, lock_other=True)
    assert [step.says for step in steps] == ["allow todo_app to log in", "lock todo_app_2"]


def test_no_statement_holds_the_password() -> None:
    steps = roles.plan(WANTED, roles.NOTHING, reset_password=True)
    assert PASSWORD not in "".join(step.sql + step.says for step in steps) + roles.observation(WANTED)
    assert "SCRAM-SHA-256$" not in "".join(step.says for step in steps)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"database": "Todo"}, "name of the database"),
        ({"owner": 'x"; DROP'}, "name of the owner"),
        ({"login": ""}, "name of the login"),
        ({"other_login": "Todo"}, "name of the other login"),
        ({"other_login": "todo_app"}, "a name of its own"),
        ({"password": ""}, "password"),
        ({"password": "pässword"}, "password"),
    ],
)
def test_what_cannot_be_had_is_said_in_words(changes: dict[str, str], words: str) -> None:
    problem = dataclasses.replace(WANTED, **changes).problem()
    assert problem is not None
    assert words in problem
    assert WANTED.problem() is None
    assert dataclasses.replace(WANTED, other_login="").problem() is None


def test_actual_is_read_from_the_servers_row() -> None:
    row = (
        '{"database_owner": "todo_owner", "owner_exists": true, "owner_can_login": false, "login_exists": true, '
        '"login_can_login": true, "login_verifier": null, "login_is_member": true, "login_settings": null, "other_is_open": false, '
        '"rules": ""}'
    )
    assert roles.Actual.parse(row) == dataclasses.replace(CONVERGED, login_verifier=None, login_settings=(), rules="")
