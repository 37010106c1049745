#!/usr/bin/env python3
"""Counts each user's changes by their kind, each change once, however often it is told.

    consumer.py DATABASE_URL BROKER TOPIC

What a change does and that it was done are one transaction, by the change's own number; only then is Kafka told where to go on.
"""

from __future__ import annotations

import json
import sys

import psycopg
from confluent_kafka import Consumer

TABLES = (
    "CREATE TABLE IF NOT EXISTS consumed (place bigint GENERATED ALWAYS AS IDENTITY, id bigint PRIMARY KEY, user_id uuid NOT NULL)",
    "CREATE TABLE IF NOT EXISTS effects (user_id uuid, kind text, count bigint NOT NULL, PRIMARY KEY (user_id, kind))",
)
ONCE = "INSERT INTO consumed (id, user_id) VALUES (%(id)s, %(user_id)s) ON CONFLICT DO NOTHING RETURNING id"
EFFECT = """
    INSERT INTO effects VALUES (%(user_id)s, %(kind)s, 1)
    ON CONFLICT (user_id, kind) DO UPDATE SET count = effects.count + 1
"""


def main(database: str, broker: str, topic: str) -> None:
    consumer = Consumer({"bootstrap.servers": broker, "group.id": "effects", "auto.offset.reset": "earliest", "enable.auto.commit": False})
    consumer.subscribe([topic])
    with psycopg.connect(database, autocommit=True) as connection:
        for table in TABLES:
            connection.execute(table)
        while True:
            messages = [message for message in consumer.consume(200, timeout=0.2) if not message.error()]
            if not messages:
                continue
            with connection.transaction():
                for message in messages:
                    change = json.loads(message.value() or b"")
                    if connection.execute(ONCE, change).fetchone():
                        connection.execute(EFFECT, change)
            consumer.commit(asynchronous=False)


if __name__ == "__main__":
    main(*sys.argv[1:])
