"""What surrounds every request: its id, one log line, a limit, and an answer even when the code fails."""

import asyncio
import logging
import re
import time
import uuid

from fastapi import HTTPException
from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from todo_backend import metrics
from todo_backend.health.state import Health
from todo_backend.logs import request_id

log = logging.getLogger(__name__)

_ACCEPTED_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")


class RequestContext:
    """Pure ASGI, so that streamed answers and cancellation pass through untouched."""

    def __init__(self, app: ASGIApp, health: Health, seconds: float) -> None:
        self._app = app
        self._health = health
        self._seconds = seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        given = Headers(scope=scope).get("x-request-id", "")
        current = given if _ACCEPTED_ID.fullmatch(given) else uuid.uuid4().hex
        token = request_id.set(current)
        started = time.perf_counter()
        metrics.IN_PROGRESS.inc()
        status = 0

        async def send_with_context(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                headers["X-Request-ID"] = current
                streamed = status != 204 and "Content-Length" not in headers
                if self._health.draining or streamed:
                    # A client that keeps this connection would lose its next request when the process ends,
                    # and what is streamed may end in that moment.
                    headers["Connection"] = "close"
            await send(message)
            if message.get("more_body"):  # of what is streamed each part has its time
                limit.reschedule(asyncio.get_running_loop().time() + self._seconds)

        try:
            async with asyncio.timeout(self._seconds) as limit:
                await self._app(scope, receive, send_with_context)
        except Exception:
            late = limit.expired()
            log.exception("request took too long" if late else "request failed")
            if status:
                raise  # half an answer is out: only breaking the connection tells the client
            detail = f"This took longer than {self._seconds:g} s" if late else "Something went wrong here"
            answer = JSONResponse({"detail": f"{detail} (request {current})."}, status_code=503 if late else 500)
            if late:
                answer.headers["Connection"] = "close"  # what is left of the request may still come
            await answer(scope, receive, send_with_context)
        finally:
            seconds = time.perf_counter() - started
            route = getattr(scope.get("route"), "path", metrics.NO_ROUTE)
            metrics.IN_PROGRESS.dec()
            method = scope["method"] if scope["method"] in metrics.METHODS else metrics.OTHER_METHOD
            metrics.REQUESTS.labels(method, route, status).inc()
            metrics.REQUEST_SECONDS.labels(route).observe(seconds)
            log.log(
                logging.DEBUG if scope["path"].startswith("/health/") and status < 400 else logging.INFO,
                "request",
                extra={
                    "method": scope["method"],
                    "route": route,  # of a path anything may be part
                    "status": status,
                    "duration_ms": round(seconds * 1000, 1),
                },
            )
            request_id.reset(token)


class BodyLimit:
    """Refuses bodies larger than `max_bytes`, also when their length was not announced."""

    def __init__(self, app: ASGIApp, max_bytes: int) -> None:
        self._app = app
        self._max_bytes = max_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        detail = f"The request's body is larger than {self._max_bytes} bytes."
        announced = Headers(scope=scope).get("content-length", "0")
        if announced.isdecimal() and int(announced) > self._max_bytes:
            await JSONResponse({"detail": detail}, status_code=413)(scope, receive, send)
            return
        received = 0

        async def receive_with_limit() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > self._max_bytes:
                raise HTTPException(413, detail)
            return message

        await self._app(scope, receive_with_limit, send)
