#!/usr/bin/env python3
"""10,000 changes by the backend's own code, told to a Kafka broker by a relay that is killed: are any lost, or counted twice?

    TEST_DATABASE_URL=postgresql://... PYTHONPATH=apps/backend/src PYTHON bench/outbox/scenario.py [CHANGES] [DEATHS]

PYTHON is a 3.13 with apps/backend/requirements.txt and bench/outbox/requirements.txt; java 17 and mvn are on the PATH, which fetches the broker once.
On the server a database is made, and dropped at the end. The relay is killed until five of its deaths came between telling and noting that something was
told; where fewer did, little was shown, and it ends with 1 as well.
"""

from __future__ import annotations

import asyncio
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
from confluent_kafka import Consumer, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic  # type: ignore[attr-defined]
from sqlalchemy.engine import make_url
from todo_backend.auth.models import User
from todo_backend.database import Database, RefusedError
from todo_backend.health.state import Health
from todo_backend.migrate import migrate
from todo_backend.todos import service
from todo_backend.todos.service import USER, Wanted

HERE = Path(__file__).resolve().parent
JARS = Path.home() / ".cache/todochat-test/kafka"
TOPIC = "changes"
PARTITIONS = 3
USERS = 12
WRITERS = 4
LONGEST_SECONDS = 900


class RolledBackError(Exception):
    """What a transaction ends with that is not to count."""


# The broker


def jars() -> Path:
    if not JARS.is_dir():
        with tempfile.TemporaryDirectory() as folder:
            command = ["mvn", "-B", "-q", f"-f{HERE}/pom.xml", "dependency:copy-dependencies", f"-DoutputDirectory={folder}", "-DincludeScope=runtime"]
            subprocess.run(command, check=True)
            JARS.parent.mkdir(parents=True, exist_ok=True)
            shutil.copytree(folder, JARS)
    return JARS


def free_port() -> int:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        port: int = listening.getsockname()[1]
        return port


@contextmanager
def broker(folder: Path) -> Iterator[str]:
    """A broker of one node, without ZooKeeper; its address."""
    listener, controller = free_port(), free_port()
    settings = folder / "server.properties"
    settings.write_text(
        "process.roles=broker,controller\nnode.id=1\n"
        f"controller.quorum.voters=1@127.0.0.1:{controller}\ncontroller.listener.names=CONTROLLER\n"
        f"listeners=PLAINTEXT://127.0.0.1:{listener},CONTROLLER://127.0.0.1:{controller}\nadvertised.listeners=PLAINTEXT://127.0.0.1:{listener}\n"
        "listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT\ninter.broker.listener.name=PLAINTEXT\n"
        f"log.dirs={folder}/log\noffsets.topic.replication.factor=1\noffsets.topic.num.partitions=1\n"
        "transaction.state.log.replication.factor=1\ntransaction.state.log.min.isr=1\ngroup.initial.rebalance.delay.ms=0\n",
        encoding="utf-8",
    )
    java = ["java", "-Xmx512m", "-cp", f"{jars()}/*"]
    identity = subprocess.run([*java, "kafka.tools.StorageTool", "random-uuid"], check=True, capture_output=True, text=True).stdout.split()[-1]
    subprocess.run([*java, "kafka.tools.StorageTool", "format", "-t", identity, "-c", settings], check=True, capture_output=True)
    with (folder / "broker.log").open("w", encoding="utf-8") as log, child([*java, "kafka.Kafka", str(settings)], log):
        address = f"127.0.0.1:{listener}"
        admin = AdminClient({"bootstrap.servers": address, "log_level": 0})
        wait(lambda: answers(admin), "the broker answers")
        for made in admin.create_topics([NewTopic(TOPIC, PARTITIONS, 1)]).values():
            made.result(60)
        yield address


def answers(admin: AdminClient) -> bool:
    try:
        return bool(admin.list_topics(timeout=2).brokers)
    except KafkaException:
        return False


@contextmanager
def child(command: list[str], log: Any = None) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def wait(done: Callable[[], bool], what: str, seconds: float = LONGEST_SECONDS) -> None:
    end = time.monotonic() + seconds
    while not done():
        if time.monotonic() > end:
            sys.exit(f"After {seconds:.0f} s still not: {what}")
        time.sleep(0.2)


# The changes


@contextmanager
def database(server: str) -> Iterator[str]:
    """A database at the newest revision; its address."""
    name = f"outbox_{uuid.uuid4().hex[:8]}"
    url = make_url(server).set(drivername="postgresql+psycopg", database=name)
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}" TEMPLATE template0 ENCODING UTF8')  # type: ignore[arg-type, unused-ignore]
        try:
            migrate(url, 60)
            yield url.set(drivername="postgresql").render_as_string(hide_password=False)
        finally:
            connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')  # type: ignore[arg-type, unused-ignore]


async def write(url: str, changes: int) -> None:
    """So many changes and a few more, by several at once, many of the same user; each tenth transaction is rolled back."""
    store = Database(make_url(url).set(drivername="postgresql+psycopg"), Health(tolerance_seconds=15))
    users = [User(email=f"user{number}@example.org", password_hash="none") for number in range(USERS)]
    async with store.transaction() as session:
        session.add_all(users)
    left = changes

    async def writer(chance: random.Random) -> None:
        nonlocal left
        while left > 0:
            left -= 5
            user = chance.choice(users).id
            bad = chance.random() < 0.1
            try:
                async with store.transaction() as session:
                    todos = [await service.add_todo(session, user, Wanted(title="relay"), actor=USER, time_zone="UTC", most=10**6) for _ in range(2)]
                    await service.change_todo(session, user, todos[0].id, Wanted(completed=True), actor=USER, time_zone="UTC")
                    gone = await service.delete_todo(session, user, todos[1].id, actor=USER)
                    await service.undo(session, user, gone.id, actor=USER, most=10**6)
                    # So that numbers become visible in another order than they were given.
                    await asyncio.sleep(chance.random() * 0.02)
                    if bad:
                        raise RolledBackError
            # On a busy machine the backend ends a transaction that takes too long: another is written in its place. What counts is in the table.
            except (RolledBackError, RefusedError):
                left += 5

    await asyncio.gather(*(writer(random.Random(seed)) for seed in range(WRITERS)))
    await store.close()


# The relay's deaths


class Told:
    """How many messages the topic has."""

    def __init__(self, address: str) -> None:
        self.consumer = Consumer({"bootstrap.servers": address, "group.id": "looks-on", "log_level": 0})

    def __call__(self) -> int:
        return sum(self.consumer.get_watermark_offsets(TopicPartition(TOPIC, number), timeout=30)[1] for number in range(PARTITIONS))

    def is_known(self) -> bool:
        """Whether the topic that was made has a leader by now."""
        try:
            return self() == 0
        except KafkaException:
            return False


def die(relay: subprocess.Popen[bytes], told: Told) -> bool:
    """Kill it as soon as the broker has taken something more of what it tells; whether it told anything for a minute."""
    before = told()
    end = time.monotonic() + 60
    while told() == before:
        if time.monotonic() > end:
            return False
    relay.send_signal(signal.SIGKILL)
    relay.wait()
    return True


def main(changes: int = 10_000, deaths: int = 5) -> int:
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="outbox-") as work, database(os.environ["TEST_DATABASE_URL"]) as url, broker(Path(work)) as address:
        told = Told(address)
        wait(told.is_known, "the topic can be asked")
        relay = [sys.executable, str(HERE / "relay.py"), url, address, TOPIC]
        writing = [sys.executable, str(HERE / "scenario.py"), "write", url, str(changes)]
        with child([sys.executable, str(HERE / "consumer.py"), url, address, TOPIC]), child(writing) as writer, psycopg.connect(url, autocommit=True) as asked:

            def count(query: str) -> int:
                row = asked.execute(query).fetchone()  # type: ignore[arg-type, unused-ignore]
                assert row is not None
                return int(row[0])

            died = between = gap = 0
            while between < deaths:
                with child(relay) as process:
                    # Spread over all of it.
                    due = changes * (between + 1) // (deaths + 2)
                    wait(lambda due=due: told() >= due or writer.poll() is not None, "the relay tells")  # type: ignore[misc]
                    if not die(process, told):
                        break
                died += 1
                before, gap = gap, told() - count("SELECT count(*) FROM relayed")
                between += gap > before
                print(f"death {died}: {gap - before} messages are told and not noted as told", flush=True)
            with child(relay):
                if writer.wait() != 0:
                    sys.exit("The changes could not be written")
                written = count("SELECT count(*) FROM changes")
                wait(lambda: count("SELECT count(*) FROM relayed") == written, "all changes are told")
                wait(lambda: count("SELECT count(*) FROM consumed") >= written, "all changes are consumed", 60)
            lost = count("SELECT count(*) FROM changes LEFT JOIN consumed USING (id) WHERE consumed.id IS NULL")
            invented = count("SELECT count(*) FROM consumed LEFT JOIN changes USING (id) WHERE changes.id IS NULL")
            wrong = "SELECT user_id, kind, count(*) AS count FROM changes GROUP BY user_id, kind"
            doubled = count(f"SELECT coalesce(sum(effects.count - due.count), 0) FROM effects LEFT JOIN ({wrong}) AS due USING (user_id, kind)")
            order = "SELECT id, lag(id) OVER (PARTITION BY user_id ORDER BY place) AS earlier FROM consumed"
            disordered = count(f"SELECT count(*) FROM ({order}) AS told WHERE id < earlier")
            again = told() - written
    print(f"{written} changes; the relay died {died} times, {between} of them between telling and noting it; {again} messages told again")
    print(f"{lost} lost, {doubled} doubled effects, {invented} that no change stands behind, {disordered} out of their user's order")
    print(f"{time.monotonic() - started:.0f} s")
    return int(bool(lost or doubled or invented or disordered or between < deaths or written < changes))


if __name__ == "__main__":
    if sys.argv[1:2] == ["write"]:
        asyncio.run(write(sys.argv[2], int(sys.argv[3])))
    else:
        sys.exit(main(*map(int, sys.argv[1:])))
