"""Who is asking."""

from typing import Annotated

from fastapi import Depends, HTTPException, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from todo_backend.auth.models import User
from todo_backend.auth.passwords import Passwords
from todo_backend.auth.tokens import InvalidTokenError, Tokens
from todo_backend.dependencies import Db

_bearer = HTTPBearer(auto_error=False)


def _tokens(request: Request) -> Tokens:
    tokens: Tokens = request.app.state.tokens
    return tokens


def _passwords(request: Request) -> Passwords:
    passwords: Passwords = request.app.state.passwords
    return passwords


TokenRing = Annotated[Tokens, Depends(_tokens)]
PasswordHashing = Annotated[Passwords, Depends(_passwords)]


async def _current_user(
    given: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)], tokens: TokenRing, database: Db
) -> User:
    unauthorized = HTTPException(401, "Log in first.", headers={"WWW-Authenticate": "Bearer"})
    if given is None:
        raise unauthorized
    try:
        user_id = tokens.read(given.credentials)
    except InvalidTokenError:
        raise unauthorized from None
    async with database.transaction() as session:
        user = await session.get(User, user_id)
    if user is None:  # deleted since the token was issued
        raise unauthorized
    return user


CurrentUser = Annotated[User, Depends(_current_user)]
