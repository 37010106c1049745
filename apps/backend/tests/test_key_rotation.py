"""A new key logs nobody out, whose log-in is of which kind."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy.engine import URL

from tests.conftest import PASSWORD, new_key, serving, sign_up
from todo_backend.auth.sessions import WITHOUT_REFRESH
from todo_backend.settings import JwtKeys

MARGIN = timedelta(minutes=5)


def kid(age: timedelta) -> str:
    """The id of a key that was made so long ago."""
    return f"{datetime.now(UTC) - age:%Y%m%dT%H%M%SZ}-0a1b2c3d"


@pytest.mark.parametrize(("rotated", "status"), [(WITHOUT_REFRESH - MARGIN, 200), (WITHOUT_REFRESH + MARGIN, 401)])
async def test_a_log_in_without_refresh_outlives_a_rotation(database_url: URL, rotated: timedelta, status: int) -> None:
    """Pages of the version before cannot refresh: theirs are the longest tokens."""
    old, new = kid(timedelta(days=2)), kid(rotated)
    keys = {old: new_key(), new: new_key()}
    async with serving(database_url, JwtKeys.model_validate({"active": old, "keys": {old: keys[old]}})) as client:
        person = await sign_up(client)
        credentials = {"email": person.email, "password": PASSWORD}
        given = (await client.post("/api/v1/auth/login", json=credentials)).json()
        assert given["expires_in"] == WITHOUT_REFRESH.total_seconds()
    async with serving(database_url, JwtKeys.model_validate({"active": new, "keys": keys})) as client:
        headers = {"Authorization": f"Bearer {given['access_token']}"}
        assert (await client.get("/api/v1/todos", headers=headers)).status_code == status
