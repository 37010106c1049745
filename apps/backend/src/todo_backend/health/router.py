"""The probes' endpoints."""

from typing import Literal

from fastapi import APIRouter, HTTPException, Request
from pydantic import BaseModel

from todo_backend.health.state import Health

router = APIRouter(prefix="/health", tags=["health"])


class Status(BaseModel):
    """The answer of a healthy process."""

    status: Literal["ok"] = "ok"


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
