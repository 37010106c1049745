"""What does not take longer for some than for others. Measured in turns, so that a busy machine is busy for both."""

import statistics
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import get_args

from sqlalchemy import create_engine, text
from sqlalchemy.engine import URL

from tests.conftest import Person, serving, sign_up
from todo_backend.migrate import migrate
from todo_backend.todos.schemas import Sort


async def medians(times: int, *ways: Callable[[], Awaitable[object]]) -> Sequence[float]:
    """How many seconds each of these takes, half of the times."""
    taken: list[list[float]] = [[] for _ in ways]
    for _ in range(times):
        for way, seconds in zip(ways, taken, strict=True):
            start = time.perf_counter()
            await way()
            seconds.append(time.perf_counter() - start)
    return [statistics.median(seconds) for seconds in taken]


FILL = """
INSERT INTO todos (id, user_id, number, title, priority, due_on, completed_at)
SELECT gen_random_uuid(), :user, n, 'todo ' || md5(n::text), n % 4,
       CASE WHEN n % 3 = 0 THEN current_date + n % 100 END, CASE WHEN n % 2 = 0 THEN now() - n * interval '1 min' END
FROM generate_series(1, :todos) AS n
"""
PAGES = [f"sort={sort}" for sort in get_args(Sort)]


async def test_the_first_page_of_fifty_thousand_comes_as_fast_as_that_of_fifty(
    new_database: Callable[[], URL],
) -> None:
    url = new_database()
    migrate(url, wait_seconds=0)
    async with serving(url) as client:
        few, many = await sign_up(client), await sign_up(client)
        engine = create_engine(url)
        with engine.begin() as connection:
            for person, todos in ((few, 50), (many, 50_000)):
                connection.execute(text(FILL), {"user": person.id, "todos": todos})
            connection.execute(text("ANALYZE todos"))  # as PostgreSQL does by itself, within a minute
        engine.dispose()

        def first_page(person: Person, order: str) -> Callable[[], Awaitable[object]]:
            return lambda: person.request("GET", f"/todos?limit=50&{order}")

        for order in [*PAGES, "state=open&sort=due", "state=done&sort=-completed"]:
            answer = await many.request("GET", f"/todos?limit=50&{order}")
            assert (len(answer.json()), "link" in answer.headers) == (50, True)
            of_few, of_many = await medians(15, first_page(few, order), first_page(many, order))
            assert of_many < 2 * of_few, order
