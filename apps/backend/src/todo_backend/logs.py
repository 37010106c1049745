"""Logs as JSON lines on standard output, each carrying the id of the request it belongs to."""

import json
import logging
import sys
import traceback
from contextvars import ContextVar
from datetime import UTC, datetime
from types import TracebackType

import psycopg

request_id: ContextVar[str | None] = ContextVar("request_id", default=None)

_STANDARD_FIELDS = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "color_message"}


class JsonFormatter(logging.Formatter):
    """One JSON object a line; what is passed as `extra` becomes fields."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the record as a JSON object."""
        message = record.getMessage()
        if record.name == "asyncio":  # what follows quotes the error, which formatException leaves out
            message = message.partition("\n")[0]
        entry: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": message,
        }
        if (current := request_id.get()) is not None:
            entry["request_id"] = current
        entry.update({name: value for name, value in vars(record).items() if name not in _STANDARD_FIELDS})
        if record.exc_info:
            entry["exception"] = self.formatException(record.exc_info)
        return json.dumps(entry, default=str)

    def formatException(  # noqa: N802 - the name is the library's
        self,
        exc_info: tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None],
    ) -> str:
        """Return where it happened, and of what kind it and those before it are, but not what they say.

        That may quote what a user has written, as PostgreSQL does with the row that it refuses.
        """
        parts = []
        error = exc_info[1]
        while error is not None:
            parts.append("".join(traceback.format_tb(error.__traceback__)) + _kind(error))
            error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
        return "\nafter:\n".join(parts)


def _kind(error: BaseException) -> str:
    named = f"{type(error).__module__}.{type(error).__qualname__}"
    if not isinstance(error, psycopg.Error):
        return named
    return " ".join(filter(None, (named, error.sqlstate, error.diag.table_name, error.diag.constraint_name)))


def configure(level: str) -> None:
    """Send every logger's lines, of this level ("info", ...) and above, to standard output."""
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(JsonFormatter())
    logging.basicConfig(handlers=[handler], level=level.upper(), force=True)
    # Alembic announces its dialect and transaction mode at "info": nothing an operator acts on.
    logging.getLogger("alembic").setLevel(logging.WARNING)
