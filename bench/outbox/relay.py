#!/usr/bin/env python3
"""Tells Kafka each row of the table `changes`, at least once; any number may run, one at a time works.

    relay.py DATABASE_URL BROKER TOPIC

`relayed` says what has been told. A row is looked for by its absence there, not by a number that was reached: numbers are given before transactions
end, so one with a smaller number may become visible after one with a greater. Of one user this cannot be, since their changes take turns (`take_turn`
in todos/service.py): with the user as the key, a partition has each user's changes in their order.
"""

from __future__ import annotations

import json
import sys
import time
from typing import Any

import psycopg
from confluent_kafka import KafkaError, Message, Producer
from psycopg.rows import dict_row

AT_ONCE = 100
PAUSE_SECONDS = 0.05
LOCK = 0x6F7574  # "out": any number that nothing else in this database locks
TABLE = "CREATE TABLE IF NOT EXISTS relayed (id bigint PRIMARY KEY REFERENCES changes ON DELETE CASCADE, at timestamptz NOT NULL DEFAULT now())"
FRESH = """
    SELECT id, user_id, todo_id, actor, actor_name, kind, before, after, created_at FROM changes
    WHERE NOT EXISTS (SELECT FROM relayed WHERE relayed.id = changes.id) ORDER BY id LIMIT %s
"""


def tell(producer: Producer, topic: str, changes: list[dict[str, Any]]) -> None:
    """Return once the broker has them all. Raises RuntimeError."""
    failed: list[KafkaError] = []

    def heard(error: KafkaError | None, _message: Message) -> None:
        if error is not None:
            failed.append(error)

    for change in changes:
        producer.produce(topic, key=str(change["user_id"]), value=json.dumps(change, default=str), on_delivery=heard)
    if producer.flush(30) or failed:
        raise RuntimeError(f"{len(failed)} of {len(changes)} changes were not taken: {failed[:1]}")


def main(database: str, broker: str, topic: str) -> None:
    producer = Producer({"bootstrap.servers": broker, "acks": "all", "enable.idempotence": True, "linger.ms": 5})
    with psycopg.connect(database, autocommit=True, row_factory=dict_row) as connection:
        connection.execute("SELECT pg_advisory_lock(%s)", (LOCK,))
        connection.execute(TABLE)
        while True:
            changes = connection.execute(FRESH, (AT_ONCE,)).fetchall()
            if not changes:
                time.sleep(PAUSE_SECONDS)
                continue
            tell(producer, topic, changes)
            # Killed before this line, it tells them once more.
            with connection.transaction():
                ids = [change["id"] for change in changes]
                # A change may have been forgotten meanwhile, with its account.
                connection.execute("INSERT INTO relayed (id) SELECT id FROM changes WHERE id = ANY(%s) FOR KEY SHARE", (ids,))


if __name__ == "__main__":
    main(*sys.argv[1:])
