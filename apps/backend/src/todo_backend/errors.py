"""Every error leaves as {"detail": "<one sentence>"}."""

from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from psycopg.errors import ForeignKeyViolation
from pydantic import BaseModel
from sqlalchemy.exc import IntegrityError

from todo_backend import metrics
from todo_backend.auth.passwords import BusyError
from todo_backend.auth.throttle import TooManyError
from todo_backend.database import DatabaseUnavailableError, RefusedError, SlowError


class Problem(BaseModel):
    """Why something was not done, in a sentence."""

    detail: str


def problem(description: str) -> dict[str, Any]:
    """Describe an error for the OpenAPI document."""
    return {"model": Problem, "description": description}


MOST_OF_A_KEY = 100
"""Of what somebody sent as a key so much is sent back."""
RESPONSES: dict[int | str, dict[str, Any]] = {"default": problem("It was not done; `detail` says why.")}
"""What every operation may answer."""


def install(app: FastAPI) -> None:
    """Add the handlers; HTTPException already has FastAPI's, of the same shape."""
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(DatabaseUnavailableError, _unavailable)
    app.add_exception_handler(IntegrityError, _gone)
    app.add_exception_handler(TooManyError, _too_many)
    app.add_exception_handler(BusyError, _busy)


async def _invalid(_request: Request, error: Exception) -> JSONResponse:
    # FastAPI's own handler sends the input back, and the input may be a password.
    assert isinstance(error, RequestValidationError)  # noqa: S101 - registered for this type alone
    faults = []
    for fault in error.errors():
        place = ".".join(str(part) for part in fault["loc"][1:] if fault["type"] != "json_invalid")[:MOST_OF_A_KEY]
        message = fault["msg"].removeprefix("Value error, ")
        faults.append(f"{place}: {message}" if place else message)
    return JSONResponse({"detail": "; ".join(faults)}, status_code=422)


async def _unavailable(_request: Request, error: Exception) -> JSONResponse:
    why = "The database cannot be reached"
    if isinstance(error, SlowError):
        why = "This takes too long just now"
    elif isinstance(error, RefusedError):
        why = "Too many want to change the same just now"
    return JSONResponse({"detail": f"{why}. Try again in a moment."}, status_code=503, headers={"Retry-After": "2"})


async def _gone(_request: Request, error: Exception) -> JSONResponse:
    """What was begun in the name of an account that has been deleted meanwhile."""
    assert isinstance(error, IntegrityError)  # noqa: S101 - registered for this type alone
    if not isinstance(error.orig, ForeignKeyViolation) or "_users" not in (error.orig.diag.constraint_name or ""):
        raise error
    return JSONResponse({"detail": "Log in first."}, status_code=401, headers={"WWW-Authenticate": "Bearer"})


async def _too_many(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, TooManyError)  # noqa: S101 - registered for this type alone
    metrics.LOG_INS.labels("too many").inc()
    return JSONResponse({"detail": str(error)}, status_code=429, headers={"Retry-After": str(error.seconds)})


async def _busy(_request: Request, _error: Exception) -> JSONResponse:
    metrics.LOG_INS.labels("busy").inc()
    detail = "Too many are logging in just now. Try again in a moment."
    return JSONResponse({"detail": detail}, status_code=503, headers={"Retry-After": "2"})
