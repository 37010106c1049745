"""The application, put together."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

from fastapi import APIRouter, FastAPI
from starlette.middleware.cors import CORSMiddleware
from starlette.routing import Match, Route
from starlette.types import Scope

from todo_backend import errors, maintenance
from todo_backend.auth.passwords import Passwords
from todo_backend.auth.router import router as auth_router
from todo_backend.auth.sessions import WITHOUT_REFRESH
from todo_backend.auth.throttle import Throttle
from todo_backend.auth.tokens import Tokens
from todo_backend.chat.provider import Provider
from todo_backend.chat.router import router as chat_router
from todo_backend.chat.rules import RuleBasedAssistant
from todo_backend.chat.turns import Turns
from todo_backend.database import Database
from todo_backend.health.router import router as health_router
from todo_backend.health.state import Health
from todo_backend.mcp_server import McpServer
from todo_backend.middleware import BodyLimit, RequestContext
from todo_backend.settings import Secrets, Settings
from todo_backend.todos.router import router as todos_router

# The longest thing anybody may send is a chat message: 2,000 characters, 12 bytes each when escaped in JSON.
MAX_BODY_BYTES = 64 * 1024


class _NamedRoute(Route):
    """A route that is counted and logged by its path, as FastAPI's own are."""

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Return how well it fits, and what that means for the request."""
        match, child = super().matches(scope)
        return match, {**child, "route": self}


def create_app(settings: Settings, secrets: Secrets) -> FastAPI:
    """Return the application; it connects to the database once it runs."""
    health = Health(settings.database_tolerance_seconds)
    database = Database(secrets.sqlalchemy_url, health)
    provider = _provider(settings, secrets)
    mcp_server = McpServer(database, settings.todos_per_user)
    turns = Turns(database, RuleBasedAssistant(), provider, settings, health)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        tasks = [
            asyncio.create_task(database.watch(settings.database_probe_seconds)),
            asyncio.create_task(maintenance.forget_what_is_old(database)),
            asyncio.create_task(turns.look_after_orphans()),
        ]
        if provider:
            tasks.append(asyncio.create_task(provider.look_up()))
        try:
            async with mcp_server.running():
                yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await turns.hand_over()
            if provider:
                await provider.close()
            await database.close()

    # The usual documentation pages load their scripts from elsewhere, so only the description itself is served.
    app = FastAPI(
        title="Todo chatbot",
        lifespan=lifespan,
        openapi_url="/api/v1/openapi.json",
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,  # to an address of the request's own Host
        responses=errors.RESPONSES,
    )
    app.state.settings = settings
    app.state.health = health
    app.state.database = database
    lifetime = timedelta(minutes=settings.access_token_minutes)
    app.state.tokens = Tokens(secrets.jwt_keys, lifetime, longest=WITHOUT_REFRESH)
    app.state.passwords = Passwords()
    app.state.throttle = Throttle()
    app.state.turns = turns

    errors.install(app)
    api = APIRouter(prefix="/api/v1")
    for router in (auth_router, todos_router, chat_router):
        api.include_router(router)
    app.include_router(api)
    app.include_router(health_router)
    app.router.routes.append(_NamedRoute("/mcp", mcp_server, methods=["POST"], include_in_schema=False))

    # Each one added wraps those before it.
    app.add_middleware(BodyLimit, max_bytes=MAX_BODY_BYTES)
    app.add_middleware(RequestContext, health=health, seconds=settings.request_seconds)
    if settings.cors_origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=settings.cors_origins,
            allow_methods=["GET", "POST", "PATCH", "DELETE"],
            allow_headers=["Authorization", "Content-Type", "X-Request-ID"],
            expose_headers=["Link", "Retry-After", "X-Change-ID", "X-Request-ID"],
        )
    return app


def _provider(settings: Settings, secrets: Secrets) -> Provider | None:
    key = secrets.model_api_key.get_secret_value()
    if not key:
        return None
    models = [model for model in (settings.model, settings.model_fallback) if model]
    return Provider(settings.model_url, key, models)
