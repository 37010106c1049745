"""Sign-up, log-in and one's own account."""

from fastapi import APIRouter, HTTPException
from sqlalchemy import delete, select
from sqlalchemy.exc import IntegrityError

from todo_backend.auth.dependencies import CurrentUser, PasswordHashing, TokenRing
from todo_backend.auth.models import User
from todo_backend.auth.schemas import Account, Credentials, Session
from todo_backend.auth.tokens import Tokens
from todo_backend.dependencies import Db

router = APIRouter(prefix="/auth", tags=["auth"])


@router.post("/signup", status_code=201)
async def sign_up(credentials: Credentials, database: Db, passwords: PasswordHashing, tokens: TokenRing) -> Session:
    """Open an account and log in to it."""
    password_hash = await passwords.hash(credentials.password.get_secret_value())
    user = User(email=credentials.email, password_hash=password_hash)
    try:
        async with database.transaction() as session:
            session.add(user)
    except IntegrityError:
        raise HTTPException(409, "There is already an account with this e-mail address.") from None
    return _session(user, tokens)


@router.post("/login")
async def log_in(credentials: Credentials, database: Db, passwords: PasswordHashing, tokens: TokenRing) -> Session:
    """Log in. A wrong password and an unknown e-mail address get the same answer after the same time."""
    async with database.transaction() as session:
        user = await session.scalar(select(User).where(User.email == credentials.email))
    fits = await passwords.verify(user.password_hash if user else None, credentials.password.get_secret_value())
    if user is None or not fits:
        raise HTTPException(401, "E-mail address or password is wrong.")
    return _session(user, tokens)


@router.get("/me")
async def me(user: CurrentUser) -> Account:
    """Return one's own account."""
    return Account.model_validate(user)


@router.delete("/me", status_code=204)
async def delete_me(user: CurrentUser, database: Db) -> None:
    """Delete one's own account with everything in it."""
    async with database.transaction() as session:
        await session.execute(delete(User).where(User.id == user.id))


def _session(user: User, tokens: Tokens) -> Session:
    return Session(
        access_token=tokens.issue(user.id),
        expires_in=int(tokens.lifetime.total_seconds()),
        user=Account.model_validate(user),
    )
