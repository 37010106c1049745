"""Accounts as their owners meet them."""

import asyncio
import secrets
import time
import uuid
from datetime import UTC, datetime, timedelta

import httpx
import jwt
import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.engine import URL

from tests.conftest import PASSWORD, Person, new_key, new_ring, serving, sign_up
from todo_backend.auth.tokens import InvalidTokenError, Tokens
from todo_backend.settings import JwtKeys


async def test_one_signs_up_and_logs_in_again(client: httpx.AsyncClient, ann: Person) -> None:
    response = await client.post("/api/v1/auth/login", json={"email": ann.email.upper(), "password": PASSWORD})

    assert response.status_code == 200
    session = response.json()
    assert session["token_type"] == "bearer"
    assert session["expires_in"] == 12 * 60 * 60
    assert session["user"] == {"id": ann.id, "email": ann.email, "time_zone": "UTC", "model_allowed": True}
    me = await client.get("/api/v1/auth/me", headers={"Authorization": f"Bearer {session['access_token']}"})
    assert me.json() == {"id": ann.id, "email": ann.email, "time_zone": "UTC", "model_allowed": True}


async def test_a_wrong_password_and_an_unknown_address_look_the_same(client: httpx.AsyncClient, ann: Person) -> None:
    wrong = await client.post("/api/v1/auth/login", json={"email": ann.email, "password": "wrong horse"})
    unknown = await client.post("/api/v1/auth/login", json={"email": "no" + ann.email, "password": PASSWORD})

    assert wrong.status_code == unknown.status_code == 401
    assert wrong.json() == unknown.json() == {"detail": "E-mail address or password is wrong."}


async def test_an_address_has_one_account_even_when_two_sign_up_at_once(client: httpx.AsyncClient) -> None:
    email = f"acceptance+{uuid.uuid4().hex}@todochat.example"
    twice = await asyncio.gather(
        client.post("/api/v1/auth/signup", json={"email": email, "password": PASSWORD}),
        client.post("/api/v1/auth/signup", json={"email": email.title(), "password": PASSWORD}),
    )

    assert sorted(response.status_code for response in twice) == [201, 409]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"email": "nobody", "password": PASSWORD}, "email"),
        ({"email": "a@todochat.example", "password": "short"}, "password"),
        ({"email": "a@todochat.example", "password": "x" * 129}, "password"),
        ({"email": "a@todochat.example"}, "password"),
        ({"password": PASSWORD}, "email"),
    ],
)
async def test_a_faulty_sign_up_is_explained_and_the_password_not_sent_back(
    client: httpx.AsyncClient, body: dict[str, str], field: str
) -> None:
    response = await client.post("/api/v1/auth/signup", json=body)

    assert response.status_code == 422
    detail = response.json()["detail"]
    assert isinstance(detail, str)
    assert detail.startswith(f"{field}: ")
    assert body.get("password", "\0") not in response.text


async def test_without_a_valid_token_nothing_is_shown(client: httpx.AsyncClient, ann: Person) -> None:
    expired = Tokens(new_ring(), timedelta(seconds=-9)).issue(uuid.UUID(ann.id), None)
    foreign = Tokens(new_ring(), timedelta(hours=1)).issue(uuid.UUID(ann.id), None)
    unsigned = jwt.encode({"sub": ann.id, "iat": 0, "exp": 9999999999}, "", "none", headers={"kid": "first"})
    for token in ("", "nonsense", expired, foreign, unsigned, ann.token[:-2]):
        response = await client.get("/api/v1/todos", headers={"Authorization": f"Bearer {token}"})
        assert response.status_code == 401, token
        assert response.json() == {"detail": "Log in first."}
        assert response.headers["WWW-Authenticate"] == "Bearer"


async def test_an_expired_token_of_our_own_key_is_refused(database_url: URL) -> None:
    ring = new_ring()
    async with serving(database_url, ring) as client:
        person = await sign_up(client)
        person.token = Tokens(ring, timedelta(seconds=-9)).issue(uuid.UUID(person.id), None)
        assert (await person.request("GET", "/todos")).status_code == 401


async def test_a_new_key_logs_nobody_out_until_the_old_one_is_dropped(database_url: URL) -> None:
    old = new_ring()
    added = new_key()
    both = JwtKeys.model_validate({"active": "second", "keys": {**old.keys, "second": added}})
    new = JwtKeys.model_validate({"active": "second", "keys": {"second": added}})

    async with serving(database_url, old) as client:
        person = await sign_up(client)
    async with serving(database_url, both) as client:
        person.client = client
        assert (await person.request("GET", "/auth/me")).status_code == 200
        newcomer = await sign_up(client)
        assert jwt.get_unverified_header(newcomer.token)["kid"] == "second"
    async with serving(database_url, new) as client:
        person.client = newcomer.client = client
        assert (await person.request("GET", "/auth/me")).status_code == 401
        assert (await newcomer.request("GET", "/auth/me")).status_code == 200


def _kid(age: timedelta) -> str:
    """Return the id of a key made so long ago."""
    return f"{datetime.now(UTC) - age:%Y%m%dT%H%M%SZ}-{secrets.token_hex(4)}"


def _reads(active: str, *others: str) -> list[bool]:
    """For each key but the active one, tell whether a fresh token it has signed is read; log-ins last an hour."""
    keys = {kid: new_key() for kid in (*others, active)}
    ring = JwtKeys.model_validate({"active": active, "keys": keys})
    tokens = Tokens(ring, timedelta(hours=1))
    owner = uuid.uuid4()
    assert tokens.read(tokens.issue(owner, None)).user_id == owner
    results = []
    for kid in others:
        signed = Tokens(JwtKeys.model_validate({"active": kid, "keys": {kid: keys[kid]}}), timedelta(hours=1))
        try:
            results.append(tokens.read(signed.issue(owner, None)).user_id == owner)
        except InvalidTokenError:
            results.append(False)
    return results


@pytest.mark.parametrize(
    ("active", "others", "read"),
    [
        (59, [600], [True]),
        (61, [600], [False]),
        (59, ["0a1b2c3d", "3d2c1b0a"], [True, True]),
        (61, ["0a1b2c3d", "3d2c1b0a"], [False, False]),
        (10, [55, 600], [True, True]),  # twice within an hour
        (10, [65, 600], [True, False]),
        (65, [10], [True]),  # added and not yet active
        (65, ["0a1b2c3d", 10], [False, True]),
        ("0a1b2c3d", ["3d2c1b0a"], [True]),
        ("0a1b2c3d", [600], [True]),
    ],
)
def test_an_old_key_verifies_for_one_lifetime_after_the_next_was_made(
    active: int | str, others: list[int | str], read: list[bool]
) -> None:
    """Keys are given as minutes since they were made, or as an id without a date."""
    kids = [key if isinstance(key, str) else _kid(timedelta(minutes=key)) for key in (active, *others)]
    assert _reads(*kids) == read


def test_an_old_key_stops_verifying_while_the_service_runs() -> None:
    old, new = _kid(timedelta(hours=1)), _kid(timedelta())
    ring = JwtKeys.model_validate({"active": new, "keys": {old: new_key(), new: new_key()}})
    tokens = Tokens(ring, timedelta(seconds=3))
    forged = Tokens(JwtKeys.model_validate({"active": old, "keys": {old: ring.keys[old]}}), timedelta(hours=1))

    def read() -> bool:
        try:
            return tokens.read(forged.issue(uuid.uuid4(), None)) is not None
        except InvalidTokenError:
            return False

    assert read()
    deadline = time.monotonic() + 10
    while read():
        assert time.monotonic() < deadline
        time.sleep(0.1)


async def test_a_deleted_account_leaves_no_row_and_no_way_in(
    client: httpx.AsyncClient, ann: Person, bob: Person, database_url: URL
) -> None:
    for person in (ann, bob):
        await person.add("Water the plants")
        await person.say("add buy milk")

    assert (await ann.request("DELETE", "/auth/me")).status_code == 204

    counts = {
        "users": "SELECT count(*) FROM users WHERE id = :id",
        "todos": "SELECT count(*) FROM todos WHERE user_id = :id",
        "conversations": "SELECT count(*) FROM conversations WHERE user_id = :id",
        "messages without a conversation": "SELECT count(*) FROM messages LEFT JOIN conversations c"
        " ON c.id = conversation_id WHERE c.id IS NULL AND :id = :id",
    }
    engine = create_engine(database_url)
    with engine.connect() as connection:
        left = {name: connection.scalar(text(query), {"id": ann.id}) for name, query in counts.items()}
    engine.dispose()
    assert left == dict.fromkeys(counts, 0)
    assert (await ann.request("GET", "/auth/me")).status_code == 401
    login = await client.post("/api/v1/auth/login", json={"email": ann.email, "password": PASSWORD})
    assert login.status_code == 401
    assert await bob.titles() == ["Water the plants", "buy milk"]


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/todos", {"title": "x"}),
        ("/todos", {"title": "x", "id": str(uuid.uuid4())}),
        ("/chat", {"message": "add buy milk"}),
    ],
)
async def test_what_is_begun_by_an_account_that_is_deleted_meanwhile_says_so(
    ann: Person, database_url: URL, path: str, body: dict[str, str]
) -> None:
    engine = create_engine(database_url)
    waiting = text(
        "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
    )
    with engine.connect() as deletion, engine.connect() as watcher:
        deletion.execute(text("DELETE FROM users WHERE id = :id"), {"id": ann.id})
        begun = asyncio.create_task(ann.request("POST", path, body))
        async with asyncio.timeout(10):
            while not watcher.scalar(waiting):  # noqa: ASYNC110 - the database tells nobody
                await asyncio.sleep(0.02)
        deletion.commit()
        answer = await begun
    engine.dispose()
    assert (answer.status_code, answer.json()) == (401, {"detail": "Log in first."})


async def test_a_crowd_can_log_in_at_once(client: httpx.AsyncClient, ann: Person) -> None:
    attempts = [client.post("/api/v1/auth/login", json={"email": ann.email, "password": PASSWORD}) for _ in range(20)]

    assert {response.status_code for response in await asyncio.gather(*attempts)} == {200}


async def test_of_too_large_a_crowd_some_are_told_to_come_back(client: httpx.AsyncClient, ann: Person) -> None:
    attempts = [client.post("/api/v1/auth/login", json={"email": ann.email, "password": PASSWORD}) for _ in range(80)]
    answers = await asyncio.gather(*attempts)

    assert {response.status_code for response in answers} == {200, 503}
    [busy, *_] = [response for response in answers if response.status_code == 503]
    assert busy.json() == {"detail": "Too many are logging in just now. Try again in a moment."}
    assert busy.headers["Retry-After"] == "2"


async def test_an_account_that_is_deleted_meanwhile_is_changed_no_more(ann: Person, database_url: URL) -> None:
    engine = create_engine(database_url)
    with engine.begin() as connection:
        connection.execute(text("DELETE FROM users WHERE id = :id"), {"id": ann.id})
        late = asyncio.create_task(ann.request("PATCH", "/auth/me", {"time_zone": "Europe/Berlin"}))
        waiting = text("SELECT count(*) FROM pg_locks WHERE NOT granted AND transactionid = pg_current_xact_id()::xid")
        deadline = time.monotonic() + 10
        while not connection.scalar(waiting):
            assert time.monotonic() < deadline
            await asyncio.sleep(0.05)
    engine.dispose()
    assert (await late).status_code == 401
