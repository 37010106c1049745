"""What is kept for a while only is forgotten, however much it is."""

import asyncio
import logging
from collections.abc import Callable

import pytest
from sqlalchemy.engine import URL

from tests.conftest import Person, in_database, serving

MANY = """
INSERT INTO changes (user_id, todo_id, actor, kind, created_at)
SELECT :user, gen_random_uuid(), 'user', 'add', now() - interval '40 days' FROM generate_series(1, 4500)
"""
# As a lost connection would, in the middle.
CUT = """
CREATE FUNCTION cut() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.actor_name = 'cut here' THEN RAISE EXCEPTION 'cut'; END IF;
    RETURN OLD;
END
$$;
CREATE TRIGGER cut BEFORE DELETE ON changes FOR EACH ROW EXECUTE FUNCTION cut();
UPDATE changes SET actor_name = 'cut here' WHERE id =
    (SELECT max(id) FROM changes WHERE created_at < now() - interval '31 days')
"""


@pytest.fixture
def database_url(migrated_database: Callable[[], URL]) -> URL:
    """A database of its own, whose old rows nobody else forgets."""
    return migrated_database()


async def until(database_url: URL, rows: int, caplog: pytest.LogCaptureFixture, message: str) -> None:
    """Serve until so many changes are left, and that was said."""
    async with serving(database_url):
        for _ in range(300):
            left = in_database(database_url, "SELECT count(*) FROM changes")
            if left == [(rows,)] and message in caplog.messages:
                break
            await asyncio.sleep(0.1)
    assert left == [(rows,)]
    assert message in caplog.messages


async def test_what_is_old_goes_and_what_was_cut_off_goes_on(
    ann: Person, database_url: URL, caplog: pytest.LogCaptureFixture
) -> None:
    await ann.add("buy milk")
    in_database(database_url, MANY, user=ann.id)
    in_database(database_url, CUT)
    with caplog.at_level(logging.INFO, "todo_backend.maintenance"):
        await until(database_url, 501, caplog, "forgetting what is old failed")
        assert [vars(one)["rows"] for one in caplog.records if one.message == "forgot what is old"] == [4000]
        caplog.clear()
        in_database(database_url, "DROP TRIGGER cut ON changes")
        await until(database_url, 1, caplog, "forgot what is old")
    [told] = [one for one in caplog.records if one.message == "forgot what is old"]
    assert (vars(told)["table"], vars(told)["rows"]) == ("changes", 500)
    assert [change["kind"] for change in (await ann.request("GET", "/changes")).json()] == ["add"]


async def test_what_a_day_took_of_a_model_goes_after_a_month(ann: Person, database_url: URL) -> None:
    took = "INSERT INTO usage SELECT current_date - ago, :user, 1 FROM unnest(ARRAY[0, 29, 31, 400]) ago"
    in_database(database_url, took, user=ann.id)
    left = "SELECT current_date - day FROM usage ORDER BY day"
    async with serving(database_url), asyncio.timeout(20):
        while len(in_database(database_url, left)) == 4:  # noqa: ASYNC110
            await asyncio.sleep(0.1)
    assert in_database(database_url, left) == [(29,), (0,)]
