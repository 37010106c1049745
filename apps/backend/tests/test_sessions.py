"""Where one is logged in, for how long, and who is kept out meanwhile."""

import asyncio
import subprocess
import sys
import uuid
from collections.abc import AsyncIterator, Callable
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest
from argon2 import PasswordHasher
from sqlalchemy import create_engine, text
from sqlalchemy.engine import URL

from tests.conftest import PASSWORD, Person, in_database, new_key, new_ring, process_environment, serving, sign_up
from todo_backend.auth.passwords import Passwords
from todo_backend.settings import JwtKeys


async def log_in(client: httpx.AsyncClient, email: str, password: str = PASSWORD, **more: object) -> httpx.Response:
    """The answer to a log-in."""
    return await client.post("/api/v1/auth/login", json={"email": email, "password": password, **more})


async def session(ann: Person) -> dict[str, Any]:
    """A session that can be refreshed."""
    answer = await log_in(ann.client, ann.email, refresh=True)
    assert answer.status_code == 200, answer.text
    begun: dict[str, Any] = answer.json()
    return begun


async def refreshed(ann: Person, token: str) -> httpx.Response:
    """The answer to a refresh."""
    return await ann.client.post("/api/v1/auth/refresh", json={"refresh_token": token})


async def test_a_session_goes_on_by_tokens_that_are_good_once(ann: Person, database_url: URL) -> None:
    begun = await session(ann)
    assert begun["expires_in"] == 15 * 60
    first = (await refreshed(ann, begun["refresh_token"])).json()
    second = (await refreshed(ann, first["refresh_token"])).json()
    ann.token = second["access_token"]
    assert (await ann.request("GET", "/auth/me")).status_code == 200
    # what was good two tokens ago may come from a tab that was overtaken
    assert (await refreshed(ann, begun["refresh_token"])).status_code == 401
    assert (await ann.request("GET", "/auth/me")).status_code == 200
    # a while later it is a thief's, or was stolen: the session ends for both
    in_database(database_url, "UPDATE sessions SET rotated_at = rotated_at - interval '31 seconds'")
    assert (await refreshed(ann, begun["refresh_token"])).status_code == 401
    assert (await ann.request("GET", "/auth/me")).status_code == 401
    assert (await refreshed(ann, second["refresh_token"])).status_code == 401


async def test_a_script_that_logs_in_again_and_again_ends_no_browsers_session(ann: Person, database_url: URL) -> None:
    """Of those of its own kind the one used longest ago goes."""
    begun, first = await session(ann), (await log_in(ann.client, ann.email)).json()["access_token"]
    in_database(database_url, "UPDATE sessions SET rotated_at = rotated_at - interval '1 hour'")
    for refresh_hash in (None, b"its"):
        in_database(
            database_url,
            "INSERT INTO sessions (id, user_id, user_agent, refresh_hash, expires_at) SELECT gen_random_uuid(), "
            ":user_id, 'a script', :refresh_hash, now() + interval '1 hour' FROM generate_series(1, 49)",
            user_id=ann.id,
            refresh_hash=refresh_hash,
        )
    ann.token = begun["access_token"]
    assert (await log_in(ann.client, ann.email)).status_code == 200
    assert (await ann.request("GET", "/auth/me")).status_code == 200
    ann.token = first
    assert (await ann.request("GET", "/auth/me")).status_code == 401
    # what began first and is used goes on, when there is one more of its kind
    ann.token = (await refreshed(ann, begun["refresh_token"])).json()["access_token"]
    await session(ann)
    assert (await ann.request("GET", "/auth/me")).status_code == 200


async def test_two_tabs_that_refresh_at_once_both_go_on(ann: Person, database_url: URL) -> None:
    begun = await session(ann)
    answers = await asyncio.gather(*(refreshed(ann, begun["refresh_token"]) for _ in range(4)))
    assert {answer.status_code for answer in answers} == {200}
    [token] = {answer.json()["refresh_token"] for answer in answers}
    for answer in answers:
        ann.token = answer.json()["access_token"]
        assert (await ann.request("GET", "/auth/me")).status_code == 200
    assert (await refreshed(ann, token)).status_code == 200
    late = await session(ann)
    await refreshed(ann, late["refresh_token"])
    in_database(database_url, "UPDATE sessions SET rotated_at = rotated_at - interval '31 seconds'")
    assert (await refreshed(ann, late["refresh_token"])).status_code == 401


async def test_who_refreshes_on_and_on_is_no_tab_that_overtakes(ann: Person) -> None:
    stolen = (await session(ann))["refresh_token"]
    answer = await refreshed(ann, stolen)
    for _ in range(5):
        answer = await refreshed(ann, answer.json()["refresh_token"])
        assert answer.status_code == 200
    assert (await refreshed(ann, stolen)).status_code == 401
    assert (await refreshed(ann, answer.json()["refresh_token"])).status_code == 401


async def test_a_refresh_whose_answer_was_lost_logs_nobody_out(database_url: URL) -> None:
    """Also where the keys are rotated meanwhile."""
    before = JwtKeys.model_validate({"active": "one", "keys": {"one": new_key()}})
    after = JwtKeys.model_validate({"active": "two", "keys": {**before.keys, "two": new_key()}})
    async with serving(database_url, before) as client, serving(database_url, after) as replica:
        ann = await sign_up(client)
        there = Person(replica, ann.id, ann.email, ann.token)
        lost = (await session(ann))["refresh_token"]
        assert (await refreshed(ann, lost)).status_code == 200
        for person in (there, ann, there):
            answer = await refreshed(person, lost)
            assert answer.status_code == 200
        assert (await refreshed(ann, answer.json()["refresh_token"])).status_code == 200


async def test_who_knows_but_a_session_s_id_ends_nothing(ann: Person) -> None:
    token = (await session(ann))["refresh_token"]
    found, _, secret = token.split(".")
    for forged in (
        f"{found}.nonsense",
        f"{found}.nonsense.nonsense",
        f"{found}.nonsense.{secret}",
        f"{found}..{secret}",
    ):
        assert (await refreshed(ann, forged)).status_code == 401
    assert (await refreshed(ann, token)).status_code == 200


@pytest.mark.parametrize("token", ["", "x", "x.y", "x.y.z", "00000000-0000-0000-0000-000000000000.x.y"])
async def test_a_token_that_is_none_refreshes_nothing(ann: Person, token: str) -> None:
    assert (await refreshed(ann, token)).status_code == 401


async def test_one_signs_up_in_one_s_time_zone(client: httpx.AsyncClient) -> None:
    credentials = {"email": f"acceptance+{uuid.uuid4().hex}@todochat.example", "password": PASSWORD}
    there = await client.post("/api/v1/auth/signup", json={**credentials, "time_zone": "Europe/Berlin"})
    assert (there.status_code, there.json()["user"]["time_zone"]) == (201, "Europe/Berlin")


@pytest.mark.parametrize("unknown", ["Etc/Unknown", "+02:00", "US/Pacific-New", "localtime", "Factory", ""])
async def test_who_s_browser_knows_no_time_zone_gets_in(client: httpx.AsyncClient, unknown: str) -> None:
    email = f"acceptance+{uuid.uuid4().hex}@todochat.example"
    given = {"email": email, "password": PASSWORD, "time_zone": unknown}
    opened = await client.post("/api/v1/auth/signup", json=given)
    assert (opened.status_code, opened.json()["user"]["time_zone"]) == (201, "UTC")
    assert (await log_in(client, email, time_zone=unknown)).status_code == 200
    person = Person(client, opened.json()["user"]["id"], email, opened.json()["access_token"])
    refused = await person.request("PATCH", "/auth/me", {"time_zone": unknown})
    assert refused.status_code == 422
    assert refused.json()["detail"].startswith("time_zone: is no time zone")


async def test_an_account_without_a_time_zone_gets_that_of_a_log_in_and_keeps_it(ann: Person) -> None:
    assert (await log_in(ann.client, ann.email, "wrong horse", time_zone="Asia/Tokyo")).status_code == 401
    assert (await ann.request("GET", "/auth/me")).json()["time_zone"] == "UTC"
    for there in ("Europe/Berlin", "Asia/Tokyo"):
        answer = await log_in(ann.client, ann.email, time_zone=there)
        assert answer.json()["user"]["time_zone"] == "Europe/Berlin"
    assert (await ann.request("GET", "/auth/me")).json()["time_zone"] == "Europe/Berlin"


async def test_a_session_that_was_ended_is_worth_nothing(ann: Person, bob: Person) -> None:
    begun = await session(ann)
    listed = (await ann.request("GET", "/auth/sessions")).json()
    assert [one["current"] for one in listed] == [False, True]
    path = f"/auth/sessions/{listed[0]['id']}"
    assert (await bob.request("DELETE", path)).status_code == 404
    assert (await ann.request("DELETE", path)).status_code == 204
    assert (await refreshed(ann, begun["refresh_token"])).status_code == 401
    other = Person(ann.client, ann.id, ann.email, begun["access_token"])
    assert (await other.request("GET", "/todos")).status_code == 401
    assert (await ann.request("POST", "/auth/logout")).status_code == 204
    assert (await ann.request("GET", "/todos")).status_code == 401


async def test_another_password_ends_all_other_sessions(ann: Person) -> None:
    begun = await session(ann)
    changed = {"password": PASSWORD, "new_password": "battery staple"}
    wrong = await ann.request("POST", "/auth/me/password", {**changed, "password": "wrong horse"})
    assert (wrong.status_code, wrong.json()) == (403, {"detail": "The password is wrong."})
    assert (await ann.request("POST", "/auth/me/password", changed)).status_code == 204
    assert (await ann.request("GET", "/todos")).status_code == 200
    assert (await refreshed(ann, begun["refresh_token"])).status_code == 401
    assert (await log_in(ann.client, ann.email)).status_code == 401
    assert (await log_in(ann.client, ann.email, "battery staple")).status_code == 200


CHANGE = {"password": PASSWORD, "new_password": "battery staple"}


@pytest.mark.parametrize(
    ("path", "body"), [("login", {}), ("me/password", CHANGE), ("me/delete", {"password": PASSWORD})]
)
async def test_what_was_begun_with_the_old_password_is_not_done_once_there_is_another(
    database_url: URL, monkeypatch: pytest.MonkeyPatch, path: str, body: dict[str, str]
) -> None:
    verified, go_on = asyncio.Event(), asyncio.Event()
    verify = Passwords.verify

    async def held(*given: Any, **more: Any) -> bool:
        fits = await verify(*given, **more)
        if not verified.is_set():
            verified.set()
            await go_on.wait()
        return fits

    ring = new_ring()
    async with serving(database_url, ring) as client, serving(database_url, ring) as replica:
        ann = await sign_up(client)
        there = Person(replica, ann.id, ann.email, ann.token)
        monkeypatch.setattr(Passwords, "verify", held)
        late = asyncio.create_task(
            ann.request("POST", f"/auth/{path}", body or {"email": ann.email, "password": PASSWORD})
        )
        await verified.wait()
        changed = {**CHANGE, "new_password": "third horse"}
        assert (await there.request("POST", "/auth/me/password", changed)).status_code == 204
        go_on.set()
        assert (await late).status_code == 401
        assert (await log_in(replica, ann.email, "third horse")).status_code == 200


async def test_an_account_goes_with_its_password(ann: Person, database_url: URL) -> None:
    ann.token = (await session(ann))["access_token"]
    engine = create_engine(database_url)
    with engine.begin() as connection:
        older = "UPDATE sessions SET created_at = now() - interval '16 minutes' WHERE user_id = :user"
        connection.execute(text(older), {"user": ann.id})
    engine.dispose()
    assert (await ann.request("DELETE", "/auth/me")).status_code == 403
    assert (await ann.request("POST", "/auth/me/delete", {"password": "wrong horse"})).status_code == 403
    assert (await ann.request("POST", "/auth/me/delete", {"password": PASSWORD})).status_code == 204
    assert (await ann.request("GET", "/auth/me")).status_code == 401


async def test_everything_is_exported_and_nothing_of_others(ann: Person, bob: Person) -> None:
    await bob.add("Secret")
    await ann.say("add buy milk")
    await ann.request("PATCH", "/auth/me", {"time_zone": "Europe/Berlin"})
    export = await ann.request("GET", "/auth/me/export")
    kept = export.json()
    assert kept["account"]["time_zone"] == "Europe/Berlin"
    assert [todo["title"] for todo in kept["todos"]] == ["buy milk"]
    assert [change["kind"] for change in kept["changes"]] == ["add"]
    assert kept["conversations"][0]["messages"][0]["content"] == "add buy milk"
    assert len(kept["sessions"]) == 1
    assert "Secret" not in export.text
    assert "hash" not in export.text
    assert (await ann.request("PATCH", "/auth/me", {"time_zone": "Mars/Olympus"})).status_code == 422


@pytest.fixture
async def strict(database_url: URL) -> AsyncIterator[httpx.AsyncClient]:
    """The application, which allows three wrong passwords."""
    async with serving(database_url, wrong_passwords=3, wrong_passwords_per_minute=10_000) as client:
        yield client


async def test_who_guesses_is_kept_out_and_who_is_known_is_not(strict: httpx.AsyncClient) -> None:
    person = await sign_up(strict)
    known = (await log_in(strict, person.email)).json()["browser"]
    for email in (person.email, f"no-{person.email}"):
        answers = [await log_in(strict, email, "wrong horse") for _ in range(5)]
        assert [answer.status_code for answer in answers] == [401, 401, 401, 429, 429]
        assert 800 < int(answers[-1].headers["Retry-After"]) <= 900
        assert answers[-1].json()["detail"].startswith("Too many attempts. Try again in ")
    assert (await log_in(strict, person.email)).status_code == 429
    assert (await log_in(strict, person.email, browser=known)).status_code == 200
    other = await sign_up(strict)
    others = (await log_in(strict, other.email)).json()["browser"]
    assert (await log_in(strict, person.email, browser=others)).status_code == 429


async def test_a_ceiling_for_all_together_leaves_one_log_in_to_each_and_known_browsers_pass_it(
    migrated_database: Callable[[], URL],
) -> None:
    url = migrated_database()
    async with (
        serving(url, wrong_passwords_per_minute=3) as client,
        serving(url, wrong_passwords_per_minute=3) as other,
    ):
        person = await sign_up(client)
        known = (await log_in(client, person.email)).json()["browser"]
        guessed = f"no-{uuid.uuid4().hex}@todochat.example"
        for one in (client, other, client, other):
            assert (await log_in(one, guessed, "wrong horse")).status_code == 401
        for one in (client, other):
            assert (await log_in(one, person.email)).status_code == 200
            assert (await log_in(one, f"no-{uuid.uuid4().hex}@todochat.example", "wrong horse")).status_code == 401
        assert (await log_in(client, person.email, "wrong horse")).status_code == 401
        for one in (client, other):
            for email in (person.email, guessed):
                refused = await log_in(one, email)
                assert (refused.status_code, 0 < int(refused.headers["Retry-After"]) <= 60) == (429, True)
            assert (await log_in(one, person.email, browser=known)).status_code == 200


async def test_many_at_once_on_two_replicas_are_no_more_than_one_after_the_other(
    migrated_database: Callable[[], URL],
) -> None:
    url = migrated_database()
    limited = partial(serving, url, wrong_passwords=6, wrong_passwords_per_minute=10, sign_ups_per_minute=5)
    async with limited() as client, limited() as other:
        people = [f"{uuid.uuid4().hex}@todochat.example" for _ in range(12)]
        bodies = [{"email": email, "password": PASSWORD} for email in people]
        asked = (one.post("/api/v1/auth/signup", json=body) for body in bodies for one in (client, other))
        answers = await asyncio.gather(*asked)
        assert sum(answer.status_code == 201 for answer in answers) == 5
        for emails, most in (([people[0]], 6), (people[1:6], 5 + 10)):
            guesses = (
                log_in(one, email, "wrong horse") for email in emails for _ in range(4) for one in (client, other)
            )
            statuses = [answer.status_code for answer in await asyncio.gather(*guesses)]
            assert statuses.count(401) <= most
            assert statuses.count(429) == len(statuses) - statuses.count(401)


async def test_who_signs_up_again_and_again_keeps_nobody_else_from_it(migrated_database: Callable[[], URL]) -> None:
    async with serving(migrated_database(), sign_ups_per_minute=2, wrong_passwords=5) as client:
        person = await sign_up(client)
        body = {"email": person.email, "password": PASSWORD}
        statuses = [(await client.post("/api/v1/auth/signup", json=body)).status_code for _ in range(6)]
        assert statuses == [409] * 4 + [429] * 2
        await sign_up(client)
        body = {"email": f"acceptance+{uuid.uuid4().hex}@todochat.example", "password": PASSWORD}
        assert (await client.post("/api/v1/auth/signup", json=body)).status_code == 429


async def test_a_queue_that_is_full_is_not_for_known_browsers(client: httpx.AsyncClient, ann: Person) -> None:
    known = (await log_in(client, ann.email)).json()["browser"]
    emails = [ann.email] * 30 + [f"no-{number}-{ann.email}" for number in range(70)]
    crowd = [asyncio.create_task(log_in(client, email, "wrong horse")) for email in emails]
    refused, _ = await asyncio.wait(crowd, return_when=asyncio.FIRST_COMPLETED)
    assert 503 in {one.result().status_code for one in refused}
    assert (await log_in(client, ann.email, browser=known)).status_code == 200
    assert not all(one.done() for one in crowd)
    assert {one.status_code for one in await asyncio.gather(*crowd)} <= {401, 429, 503}


@pytest.mark.parametrize(
    ("chosen", "typed"), [("u\u0308ber horse", "\u00fcber horse"), ("\u00fcber horse", "u\u0308ber horse")]
)
async def test_a_password_is_the_same_however_its_letters_are_typed(
    client: httpx.AsyncClient, chosen: str, typed: str
) -> None:
    email = f"acceptance+{uuid.uuid4().hex}@todochat.example"
    body = {"email": email, "password": chosen}
    assert (await client.post("/api/v1/auth/signup", json=body)).status_code == 201
    for password in (chosen, typed):
        assert (await log_in(client, email, password)).status_code == 200


async def test_a_password_that_was_kept_as_it_was_typed_is_still_right() -> None:
    decomposed = "u\u0308ber horse"
    assert await Passwords().verify(PasswordHasher().hash(decomposed), decomposed)


def reset(secrets_dir: Path, email: str) -> subprocess.CompletedProcess[str]:
    """What the operator's command says."""
    command = [sys.executable, "-m", "todo_backend.reset_password", email]
    environment = process_environment(secrets_dir, {})
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=60)


async def test_an_operator_gives_a_new_password_to_who_has_forgotten_theirs(
    ann: Person, secrets_dir: Path, database_url: URL
) -> None:
    browser = (await log_in(ann.client, ann.email)).json()["browser"]
    for known in (None, browser):
        for _ in range(11):
            forgotten = await log_in(ann.client, ann.email, "wrong horse", browser=known)
        assert forgotten.status_code == 429
    done = await asyncio.to_thread(reset, secrets_dir, ann.email.upper())
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    assert (await ann.request("GET", "/todos")).status_code == 401
    async with serving(database_url) as client:  # another one: this one remembers for a moment whom it has refused
        assert (await log_in(client, ann.email)).status_code == 401
        password = done.stdout.strip()
        assert (await log_in(client, ann.email, password, browser=browser)).status_code == 200
        assert (await log_in(client, ann.email, password)).status_code == 200
        for _ in range(11):
            attacked = await log_in(client, ann.email, "wrong horse")
        assert attacked.status_code == 429
        assert (await log_in(client, ann.email, password, browser=browser)).status_code == 200
    for address in ("nobody@todochat.example", "nobody"):
        unknown = await asyncio.to_thread(reset, secrets_dir, address)
        assert (unknown.returncode, "There is no account" in unknown.stdout + unknown.stderr) == (1, True)


async def test_an_operator_may_type_an_address_in_any_form(client: httpx.AsyncClient, secrets_dir: Path) -> None:
    name = uuid.uuid4().hex
    body = {"email": f"{name}@b\u00fccher.example", "password": PASSWORD}
    assert (await client.post("/api/v1/auth/signup", json=body)).status_code == 201
    for domain in ("bu\u0308cher.example", "xn--bcher-kva.example"):
        done = await asyncio.to_thread(reset, secrets_dir, f" {name}@{domain}")
        assert done.returncode == 0, done.stderr
