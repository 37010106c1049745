"""Sign-up, log-in and one's own account."""

import uuid
from datetime import timedelta

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import StreamingResponse
from sqlalchemy import delete, func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from todo_backend import metrics
from todo_backend.auth import access_tokens, sessions, throttle
from todo_backend.auth.dependencies import (
    CurrentLogIn,
    CurrentUser,
    PasswordHashing,
    Throttling,
    TokenRing,
    unauthorized,
)
from todo_backend.auth.models import User
from todo_backend.auth.passwords import Passwords
from todo_backend.auth.schemas import (
    AccessTokenMade,
    AccessTokenView,
    AccessTokenWanted,
    Account,
    AccountChange,
    Credentials,
    PasswordChange,
    PasswordProof,
    RefreshRequest,
    Session,
    SessionView,
)
from todo_backend.auth.throttle import Throttle, key_of
from todo_backend.auth.tokens import Tokens
from todo_backend.chat.service import leave_usage
from todo_backend.database import Database
from todo_backend.dependencies import Config, Db, RetriedRoute
from todo_backend.export import Export, stream
from todo_backend.settings import Settings

router = APIRouter(prefix="/auth", tags=["auth"], route_class=RetriedRoute)

_WINDOW = timedelta(minutes=15)
_MINUTE = timedelta(minutes=1)
_EVERYBODY = key_of("wrong passwords")
_SIGN_UPS = key_of("sign-ups")
_TAKEN = "There is already an account with this e-mail address."
_WRONG = "E-mail address or password is wrong."


@router.post("/signup", status_code=201)
async def sign_up(
    credentials: Credentials,
    request: Request,
    database: Db,
    passwords: PasswordHashing,
    throttling: Throttling,
    tokens: TokenRing,
    settings: Config,
) -> Session:
    """Open an account and log in to it."""
    counted = key_of("sign-ups", credentials.email)
    throttling.refuse_again(counted)
    throttling.refuse_again(_SIGN_UPS)
    async with passwords.turn(counted) as gate:
        async with gate, database.transaction() as session:
            if await throttling.take(session, counted, settings.wrong_passwords, _WINDOW) == 1:
                await throttling.take(session, _SIGN_UPS, settings.sign_ups_per_minute, _MINUTE)
            taken = await session.scalar(select(User.id).where(User.email == credentials.email))
        if taken is not None:
            raise HTTPException(409, _TAKEN)
        password_hash = await passwords.hash(credentials.password.get_secret_value())
        user = User(email=credentials.email, password_hash=password_hash, time_zone=credentials.time_zone or "UTC")
        try:
            async with gate, database.transaction() as session:
                session.add(user)
                await session.flush()
                return await _begun(session, user, credentials, request, tokens, known=False)
        except IntegrityError:
            raise HTTPException(409, _TAKEN) from None


@router.post("/login")
async def log_in(
    credentials: Credentials,
    request: Request,
    database: Db,
    passwords: PasswordHashing,
    throttling: Throttling,
    tokens: TokenRing,
    settings: Config,
) -> Session:
    """Log in. A wrong password and an unknown e-mail address get the same answer after the same time."""
    browser = None
    if credentials.browser is not None:
        async with database.transaction() as session:
            browser = await sessions.known(session, credentials.email, credentials.browser)
    # Who has logged in here before is not locked out by who has not, however often that one tries.
    known, counted = browser is not None, browser or key_of("account", credentials.email)
    throttling.refuse_again(counted)
    password = credentials.password.get_secret_value()
    async with passwords.turn(counted, known=known) as gate:
        async with gate, database.transaction() as session:
            tried = await throttling.take(session, counted, settings.wrong_passwords, _WINDOW)
            # The first at an address is not for the ceiling to refuse: who is right needs no second one.
            is_first = known or tried == 1
            if not is_first:
                await throttling.take(session, _EVERYBODY, settings.wrong_passwords_per_minute, _MINUTE)
            user = await session.scalar(select(User).where(User.email == credentials.email))
        fits = await passwords.verify(user.password_hash if user else None, password, known=known)
        if user is not None and fits:
            async with gate, database.transaction() as session:
                if kept := await _unchanged(session, user):
                    if kept.time_zone == "UTC" and credentials.time_zone:  # an account of a version that asked nobody
                        kept.time_zone = credentials.time_zone
                    await throttle.clear(session, counted)
                    if not is_first:
                        await throttle.give_back(session, _EVERYBODY)
                    metrics.LOG_INS.labels("right").inc()
                    return await _begun(session, kept, credentials, request, tokens, known=known)
    metrics.LOG_INS.labels("wrong").inc()
    raise HTTPException(401, _WRONG)


@router.post("/refresh")
async def refresh(given: RefreshRequest, database: Db, tokens: TokenRing) -> Session:
    """Return the next access token, and the next token to refresh with; each is good once, and a moment more."""
    try:
        async with database.transaction() as session:
            kept, user, token = await sessions.refresh(session, given.refresh_token, tokens)
    except sessions.EndedError:
        raise unauthorized() from None
    return Session(
        access_token=tokens.issue(user.id, kept.id),
        expires_in=int(tokens.lifetime.total_seconds()),
        user=Account.model_validate(user),
        refresh_token=token,
        refresh_expires_in=int(sessions.REFRESH.total_seconds()),
    )


@router.post("/logout", status_code=204)
async def log_out(current: CurrentLogIn, database: Db) -> None:
    """End this session: its tokens are worth nothing from now on."""
    if current.session_id is not None:
        async with database.transaction() as session:
            await sessions.end(session, current.user.id, current.session_id)


@router.get("/sessions")
async def list_sessions(current: CurrentLogIn, database: Db) -> list[SessionView]:
    """Return where one is logged in."""
    async with database.transaction() as session:
        found = await sessions.list_sessions(session, current.user.id)
    return [SessionView.of(one, current.session_id) for one in found]


@router.delete("/sessions/{session_id}", status_code=204)
async def end_session(session_id: uuid.UUID, user: CurrentUser, database: Db) -> None:
    """End one of one's sessions."""
    async with database.transaction() as session:
        ended = await sessions.end(session, user.id, session_id)
    if not ended:
        raise HTTPException(404, "There is no such session.")


@router.get("/tokens")
async def list_access_tokens(user: CurrentUser, database: Db) -> list[AccessTokenView]:
    """Return one's personal access tokens, the newest first."""
    async with database.transaction() as session:
        return [AccessTokenView.of(token) for token in await access_tokens.list_tokens(session, user.id)]


@router.post("/tokens", status_code=201)
async def make_access_token(wanted: AccessTokenWanted, user: CurrentUser, database: Db) -> AccessTokenMade:
    """Make a personal access token for an outside client; it is shown this once."""
    may_write = wanted.scope == "write"
    try:
        async with database.transaction() as session:
            made, token = await access_tokens.make(session, user.id, wanted.name, may_write=may_write, days=wanted.days)
    except access_tokens.TooManyTokensError:
        raise HTTPException(409, f"You have {access_tokens.MOST} tokens; revoke one first.") from None
    return AccessTokenMade(token=token, access_token=AccessTokenView.of(made))


@router.delete("/tokens/{token_id}", status_code=204)
async def revoke_access_token(token_id: uuid.UUID, user: CurrentUser, database: Db) -> None:
    """Revoke a personal access token: it is worth nothing from now on."""
    async with database.transaction() as session:
        revoked = await access_tokens.revoke(session, user.id, token_id)
    if not revoked:
        raise HTTPException(404, "There is no such token.")


@router.get("/me")
async def me(user: CurrentUser) -> Account:
    """Return one's own account."""
    return Account.model_validate(user)


@router.patch("/me")
async def change_me(change: AccountChange, user: CurrentUser, database: Db) -> Account:
    """Change the time zone in which dates are meant, or whether a language model may answer."""
    async with database.transaction() as session:
        kept = await session.get(User, user.id, with_for_update=True)
        if kept is None:
            raise unauthorized()
        if change.time_zone is not None:
            kept.time_zone = change.time_zone
        if change.model_allowed is not None:
            kept.model_allowed = change.model_allowed
    return Account.model_validate(kept)


@router.post("/me/password", status_code=204)
async def change_password(
    change: PasswordChange,
    current: CurrentLogIn,
    database: Db,
    passwords: PasswordHashing,
    throttling: Throttling,
    settings: Config,
) -> None:
    """Change the password, and end all other sessions and all personal access tokens."""
    await _prove(current.user, change.password.get_secret_value(), database, passwords, throttling, settings)
    password_hash = await passwords.hash(change.new_password.get_secret_value())
    async with database.transaction() as session:
        user = await _unchanged(session, current.user)
        if user is None:
            raise unauthorized()
        await set_password(session, user, password_hash, but=current.session_id)


async def set_password(session: AsyncSession, user: User, password_hash: str, *, but: uuid.UUID | None = None) -> None:
    """Give an account another password, end its sessions, but for one, and its tokens, and forget who tried others."""
    user.password_hash, user.password_changed_at = password_hash, func.now()
    await session.flush()
    await sessions.end_all(session, user.id, but=but)
    await access_tokens.revoke_all(session, user.id)
    await throttle.clear(
        session,
        key_of("account", user.email),
        key_of("proof", str(user.id)),
        *await sessions.browsers(session, user.id),
    )


async def _unchanged(session: AsyncSession, user: User) -> User | None:
    """Return the user, held until the transaction ends; none whose password has changed since it was verified."""
    query = select(User).where(User.id == user.id, User.password_hash == user.password_hash)
    return (await session.scalars(query.with_for_update())).one_or_none()


@router.get("/me/export", response_model=Export)
async def export(current: CurrentLogIn, database: Db) -> StreamingResponse:
    """Return everything that is kept about oneself. What fails on the way ends the connection, not the document."""
    return StreamingResponse(stream(database, current.user, current.session_id), media_type="application/json")


@router.post("/me/delete", status_code=204)
async def delete_me_with_password(
    proof: PasswordProof,
    user: CurrentUser,
    database: Db,
    passwords: PasswordHashing,
    throttling: Throttling,
    settings: Config,
) -> None:
    """Delete one's own account with everything in it."""
    await _prove(user, proof.password.get_secret_value(), database, passwords, throttling, settings)
    async with database.transaction() as session:
        kept = await _unchanged(session, user)
        if kept is None:
            raise unauthorized()
        await _delete(session, kept)


@router.delete("/me", status_code=204, deprecated=True)
async def delete_me(current: CurrentLogIn, database: Db) -> None:
    """Delete one's own account with everything in it, as pages of the version before ask for it.

    Somebody whose session goes on gives the password, unless it was given in the last quarter of an hour.
    """
    async with database.transaction() as session:
        if await sessions.lasts(session, current.session_id):
            raise HTTPException(403, "The account is deleted for its password, at /auth/me/delete.")
        await _delete(session, current.user)


async def _delete(session: AsyncSession, user: User) -> None:
    await leave_usage(session, user.id)
    await session.execute(delete(User).where(User.id == user.id))


async def _prove(
    user: User, password: str, database: Database, passwords: Passwords, throttling: Throttle, settings: Settings
) -> None:
    """Raises HTTPException where this is not the password."""
    counted = key_of("proof", str(user.id))
    async with passwords.turn(counted) as gate:
        async with gate, database.transaction() as session:
            await throttling.take(session, counted, settings.wrong_passwords, _WINDOW)
        if not await passwords.verify(user.password_hash, password):
            raise HTTPException(403, "The password is wrong.")
        async with gate, database.transaction() as session:
            await throttle.clear(session, counted)


async def _begun(
    session: AsyncSession, user: User, credentials: Credentials, request: Request, tokens: Tokens, *, known: bool
) -> Session:
    agent = request.headers.get("x-client-agent") or request.headers.get("user-agent", "")
    session_id, token = await sessions.begin(session, user.id, agent, refresh=credentials.refresh)
    browser = await sessions.remember(session, user.id, credentials.browser, known=known)
    lifetime = tokens.lifetime if token else sessions.WITHOUT_REFRESH
    return Session(
        access_token=tokens.issue(user.id, session_id, lifetime),
        expires_in=int(lifetime.total_seconds()),
        user=Account.model_validate(user),
        refresh_token=token,
        refresh_expires_in=int(sessions.REFRESH.total_seconds()) if token else None,
        browser=browser,
    )
