"""The application in a process that kills or stops itself at one of the boundaries of its work on a turn.

A boundary is a transaction that writes, before its commit and after it, and each part of a provider's answer. Started
by a fork server, which has read all modules once: a test needs hundreds of these.
"""

import multiprocessing
import os
import signal
import sys
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import aclosing, asynccontextmanager, contextmanager
from contextvars import ContextVar
from multiprocessing.process import BaseProcess
from multiprocessing.sharedctypes import Synchronized
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from tests.conftest import free_port, process_environment
from todo_backend.__main__ import main
from todo_backend.chat.provider import Provider
from todo_backend.chat.turns import Turns
from todo_backend.database import Database

WROTE = text("SELECT pg_current_xact_id_if_assigned() IS NOT NULL")

servers = multiprocessing.get_context("forkserver")
servers.set_forkserver_preload(["tests.mortal"])


@contextmanager
def mortal(
    secrets_dir: Path,
    settings: Mapping[str, object],
    boundary: int = 0,
    passed: "Synchronized[int] | None" = None,
    sent: signal.Signals = signal.SIGKILL,
) -> Iterator[tuple[str, BaseProcess]]:
    """Run the service in a process that gets a signal at that boundary, at 0 never; its address, which listens soon."""
    port = free_port()
    given = {"host": "127.0.0.1", "port": port, "drain_seconds": 0, "log_level": "warning", **settings}
    environment = process_environment(secrets_dir, {f"TODO_{name.upper()}": str(one) for name, one in given.items()})
    passed = passed or servers.Value("i", 0)
    process = servers.Process(target=_serve, args=(environment, boundary, passed, sent), daemon=True)
    with pytest.MonkeyPatch.context() as environ:
        environ.delenv("COVERAGE_PROCESS_CONFIG", raising=False)  # whoever is killed cannot tell what ran
        process.start()
    try:
        yield f"http://127.0.0.1:{port}", process
    finally:
        process.kill()
        process.join()


def _serve(environment: dict[str, str], boundary: int, passed: "Synchronized[int]", sent: signal.Signals) -> None:
    os.environ.update(environment)
    _set_traps(boundary, passed, sent)
    sys.exit(main())


def _set_traps(trapped: int, passed: "Synchronized[int]", sent: signal.Signals) -> None:
    in_turn = ContextVar("in_turn", default=False)  # of who began it or goes on with it, and of all that they start
    begin, transaction, ask = Turns.begin, Database.transaction, Provider.ask

    def boundary() -> None:
        passed.value += 1
        if passed.value == trapped:
            os.kill(os.getpid(), sent)

    async def traced_begin(*given: Any, **named: Any) -> Any:
        in_turn.set(True)
        return await begin(*given, **named)

    @asynccontextmanager
    async def mortal_transaction(self: Database, *given: float) -> AsyncIterator[AsyncSession]:
        wrote = False
        async with transaction(self, *given) as session:
            yield session
            if in_turn.get():
                await session.flush()
                wrote = (await session.execute(WROTE)).scalar_one()
            if wrote:
                boundary()
        if wrote:
            boundary()

    async def mortal_ask(*given: Any) -> AsyncIterator[Any]:
        async with aclosing(ask(*given)) as parts:
            async for part in parts:
                boundary()
                yield part

    async def look_after_none(_self: Turns) -> None:
        """What others have left is not taken into this one's death."""

    Turns.begin, Turns.look_after_orphans = traced_begin, look_after_none  # type: ignore[method-assign,assignment]
    Database.transaction, Provider.ask = mortal_transaction, mortal_ask  # type: ignore[method-assign,assignment]
