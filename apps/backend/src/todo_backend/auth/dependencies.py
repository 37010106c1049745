"""Who is asking."""

import uuid
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated

from fastapi import Depends, HTTPException, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from sqlalchemy import func, select

from todo_backend.auth.models import User, UserSession
from todo_backend.auth.passwords import Passwords
from todo_backend.auth.throttle import Throttle
from todo_backend.auth.tokens import InvalidTokenError, Tokens
from todo_backend.dependencies import Db

_bearer = HTTPBearer(auto_error=False)


def _tokens(request: Request) -> Tokens:
    tokens: Tokens = request.app.state.tokens
    return tokens


def _passwords(request: Request) -> Passwords:
    passwords: Passwords = request.app.state.passwords
    return passwords


def _throttle(request: Request) -> Throttle:
    throttle: Throttle = request.app.state.throttle
    return throttle


TokenRing = Annotated[Tokens, Depends(_tokens)]
PasswordHashing = Annotated[Passwords, Depends(_passwords)]
Throttling = Annotated[Throttle, Depends(_throttle)]


@dataclass(frozen=True)
class LogIn:
    """A user, and the session in which they ask; none where the token is of the version before."""

    user: User
    session_id: uuid.UUID | None


def unauthorized(detail: str = "Log in first.") -> HTTPException:
    """What whoever is not logged in is told."""
    return HTTPException(401, detail, headers={"WWW-Authenticate": "Bearer"})


async def _log_in(
    given: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)], tokens: TokenRing, database: Db
) -> LogIn:
    if given is None:
        raise unauthorized()
    try:
        claim = tokens.read(given.credentials)
    except InvalidTokenError:
        raise unauthorized() from None
    query = select(User).where(User.id == claim.user_id)
    if claim.session_id is not None:
        query = query.join(UserSession, UserSession.user_id == User.id)
        query = query.where(UserSession.id == claim.session_id, UserSession.expires_at > func.now())
    async with database.transaction() as session:
        user = await session.scalar(query)
    if user is None:  # it has ended, or the account was deleted, since the token was issued
        raise unauthorized()
    changed = user.password_changed_at
    if claim.session_id is None and changed is not None and claim.issued_at < changed - timedelta(seconds=1):
        raise unauthorized()
    return LogIn(user, claim.session_id)


CurrentLogIn = Annotated[LogIn, Depends(_log_in)]


async def _current_user(log_in: CurrentLogIn) -> User:
    return log_in.user


CurrentUser = Annotated[User, Depends(_current_user)]
