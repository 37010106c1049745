"""The probes' endpoints, and what an operator asks. The frontend passes none of them on."""

from typing import Literal

from fastapi import APIRouter, HTTPException, Request
from pydantic import BaseModel

from todo_backend.chat.replies import ENGLISH
from todo_backend.chat.turns import Turns
from todo_backend.health.state import Health

router = APIRouter(prefix="/health", tags=["health"])


class Status(BaseModel):
    """The answer of a healthy process."""

    status: Literal["ok"] = "ok"


class Serving(BaseModel):
    """Which assistant this process would answer with, and of a model its provider.

    Where there is a model and the built-in assistant answers nevertheless, `notice` says why.
    """

    assistant: str
    provider: str | None = None
    notice: str | None = None


@router.get("/startup")
async def startup() -> Status:
    """Answer as soon as the process serves requests."""
    return Status()


@router.get("/live")
async def live() -> Status:
    """Answer while the event loop turns. The database is not asked: a restart would not mend it."""
    return Status()


@router.get("/ready")
async def ready(request: Request) -> Status:
    """Answer 200 while this process should get traffic, 503 with the reason otherwise."""
    health: Health = request.app.state.health
    if (reason := health.why_not_ready()) is not None:
        raise HTTPException(503, reason)
    return Status()


@router.get("/assistant")
async def assistant(request: Request) -> Serving:
    """Return which assistant answers those who have not switched the model off."""
    turns: Turns = request.app.state.turns
    if turns.provider is None:
        return Serving(assistant=turns.built_in.name)
    model = turns.provider.model()
    return Serving(
        assistant=model or turns.built_in.name,
        provider=turns.provider.host,
        notice=None if model else ENGLISH.says[f"notice {turns.provider.why_not()}"],
    )
