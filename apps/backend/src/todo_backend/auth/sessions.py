"""Log-ins: when they begin, how they are kept up, when they end."""

import hashlib
import secrets
import uuid
from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import delete, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from todo_backend.auth.models import Attempts, Browser, User, UserSession
from todo_backend.auth.tokens import Tokens

REFRESH = timedelta(days=30)
JUST_NOW = timedelta(minutes=15)
"""How long ago the password was given where it need not be given again."""
WITHOUT_REFRESH = timedelta(hours=12)
GRACE = timedelta(seconds=30)
"""For how long the refresh token before the last is good: two tabs refresh at once, and answers are lost."""
OVERTAKEN = 3
"""How many tokens more may be behind within that time: such a one is good for nothing, and no thief's yet."""
BROWSER = timedelta(days=365)
MOST = 50
"""Sessions of each kind, and browsers, of one account; those used longest ago go.

Of each kind, so that a script that logs in for each of its requests ends nobody's session in a browser.
"""


class EndedError(Exception):
    """There is no such session any more."""


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()


async def begin(
    session: AsyncSession, user_id: uuid.UUID, user_agent: str, *, refresh: bool
) -> tuple[uuid.UUID, str | None]:
    """Begin a session; return its id and, where it can be refreshed, its token for that."""
    family, secret = secrets.token_urlsafe(32), secrets.token_urlsafe(32)
    begun = UserSession(
        id=uuid.uuid4(),
        user_id=user_id,
        user_agent=user_agent[:200],
        refresh_hash=_hash(secret) if refresh else None,
        family_hash=_hash(family) if refresh else None,
        expires_at=func.now() + (REFRESH if refresh else WITHOUT_REFRESH),
    )
    session.add(begun)
    await session.flush()
    await _keep_newest(session, user_id, refresh=refresh)
    return begun.id, f"{begun.id}.{family}.{secret}" if refresh else None


async def _keep_newest(session: AsyncSession, user_id: uuid.UUID, *, refresh: bool) -> None:
    kind = UserSession.refresh_hash.is_not(None) if refresh else UserSession.refresh_hash.is_(None)
    mine = select(UserSession.id).where(UserSession.user_id == user_id, kind).order_by(UserSession.rotated_at.desc())
    await session.execute(delete(UserSession).where(UserSession.id.in_(mine.offset(MOST).scalar_subquery())))


async def refresh(session: AsyncSession, token: str, tokens: Tokens) -> tuple[UserSession, User, str]:
    """Return the session with its user and its next token, which is the same for all who refresh at once.

    Raises EndedError; a token that was used long ago has been stolen from one side or the other, and ends the session.
    One that others have overtaken just now is refused, and ends nothing.
    """
    try:
        found, family, secret = token.split(".")
        session_id = uuid.UUID(found)
    except ValueError:
        raise EndedError from None
    query = select(UserSession, User, func.now() > UserSession.rotated_at + GRACE).join(
        User, User.id == UserSession.user_id
    )
    query = query.where(UserSession.id == session_id, UserSession.expires_at > func.now())
    query = query.where(UserSession.family_hash == _hash(family))  # who knows but the id ends nothing
    row = (await session.execute(query.with_for_update(of=UserSession))).one_or_none()
    if row is None:
        raise EndedError
    kept, user, is_late = row
    following = tokens.successors(secret)
    if kept.refresh_hash == _hash(secret):
        kept.refresh_hash, kept.rotated_at, kept.expires_at = _hash(following[0]), func.now(), func.now() + REFRESH
        return kept, user, f"{found}.{family}.{following[0]}"
    if not is_late:
        for secret in following:
            if kept.refresh_hash == _hash(secret):
                return kept, user, f"{found}.{family}.{secret}"
        for _ in range(OVERTAKEN):
            following = list({after for secret in following for after in tokens.successors(secret)})
            if any(kept.refresh_hash == _hash(secret) for secret in following):
                raise EndedError
    await session.delete(kept)
    await session.commit()
    raise EndedError


async def lasts(session: AsyncSession, session_id: uuid.UUID | None) -> bool:
    """Tell whether this is a session that can be refreshed, and the log-in is a while ago."""
    query = select(UserSession.id).where(
        UserSession.id == session_id,
        UserSession.refresh_hash.is_not(None),
        UserSession.created_at < func.now() - JUST_NOW,
    )
    return await session.scalar(query) is not None


async def list_sessions(session: AsyncSession, user_id: uuid.UUID) -> Sequence[UserSession]:
    """Return who is logged in, the newest first."""
    query = select(UserSession).where(UserSession.user_id == user_id, UserSession.expires_at > func.now())
    return (await session.scalars(query.order_by(UserSession.created_at.desc(), UserSession.id))).all()


async def end(session: AsyncSession, user_id: uuid.UUID, session_id: uuid.UUID) -> bool:
    """End a session, and tell whether there was one."""
    query = delete(UserSession).where(UserSession.id == session_id, UserSession.user_id == user_id)
    return (await session.execute(query.returning(UserSession.id))).one_or_none() is not None


async def end_all(session: AsyncSession, user_id: uuid.UUID, *, but: uuid.UUID | None = None) -> None:
    """End all sessions of a user, but for one."""
    query = delete(UserSession).where(UserSession.user_id == user_id)
    await session.execute(query if but is None else query.where(UserSession.id != but))


async def browsers(session: AsyncSession, user_id: uuid.UUID) -> Sequence[bytes]:
    """Return the hashes of the browsers that a user has logged in with."""
    return (await session.scalars(select(Browser.hash).where(Browser.user_id == user_id))).all()


async def known(session: AsyncSession, email: str, browser: str) -> bytes | None:
    """Return this browser's hash, where the user with this address has logged in with it before."""
    query = select(Browser.hash).join(User, User.id == Browser.user_id)
    query = query.where(Browser.hash == _hash(browser), Browser.used_at > func.now() - BROWSER, User.email == email)
    return await session.scalar(query)


async def remember(session: AsyncSession, user_id: uuid.UUID, browser: str | None, *, known: bool) -> str:
    """Return what this browser is known by from now on."""
    if known and browser and (kept := await session.get(Browser, _hash(browser))):
        kept.used_at = func.now()
        return browser
    made = secrets.token_urlsafe(32)
    session.add(Browser(hash=_hash(made), user_id=user_id))
    await session.flush()
    mine = select(Browser.hash).where(Browser.user_id == user_id).order_by(Browser.used_at.desc()).offset(MOST)
    await session.execute(delete(Browser).where(Browser.hash.in_(mine.scalar_subquery())))
    return made


OLD = {
    UserSession: UserSession.expires_at < func.now(),
    Browser: Browser.used_at < func.now() - BROWSER,
    Attempts: Attempts.ends_at < func.now(),
}
"""What has ended, of all users."""
