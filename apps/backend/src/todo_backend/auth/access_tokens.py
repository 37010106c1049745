"""Personal access tokens: how outside clients ask in a user's name. Each is shown once, and kept as a hash."""

import hashlib
import secrets
import uuid
from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import delete, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from todo_backend.auth.models import AccessToken, User

PREFIX = "todo_"
"""So that whoever finds one, a scanner of secrets among them, knows what it is."""
MOST = 50
USED = timedelta(minutes=1)
"""How exactly the last use is kept: not each of a client's requests is worth a write."""


class TooManyTokensError(Exception):
    """This user has as many as one may have."""


async def make(
    session: AsyncSession, user_id: uuid.UUID, name: str, *, may_write: bool, days: int | None
) -> tuple[AccessToken, str]:
    """Make a token; return its row, and the token itself. Raises TooManyTokensError."""
    await session.execute(select(User.id).where(User.id == user_id).with_for_update())  # counted one after the other
    if (await session.scalar(select(func.count()).where(AccessToken.user_id == user_id)) or 0) >= MOST:
        raise TooManyTokensError
    token = PREFIX + secrets.token_urlsafe(32)
    made = AccessToken(
        id=uuid.uuid4(),
        user_id=user_id,
        name=name,
        hash=_hash(token),
        may_write=may_write,
        expires_at=None if days is None else func.now() + timedelta(days=days),
    )
    session.add(made)
    await session.flush()
    await session.refresh(made)
    return made, token


async def list_tokens(session: AsyncSession, user_id: uuid.UUID) -> Sequence[AccessToken]:
    """Return the user's tokens, the newest first."""
    query = select(AccessToken).where(AccessToken.user_id == user_id)
    return (await session.scalars(query.order_by(AccessToken.created_at.desc(), AccessToken.id))).all()


async def revoke(session: AsyncSession, user_id: uuid.UUID, token_id: uuid.UUID) -> bool:
    """Delete a token of this user's; tell whether there was one."""
    query = delete(AccessToken).where(AccessToken.user_id == user_id, AccessToken.id == token_id)
    return (await session.execute(query.returning(AccessToken.id))).one_or_none() is not None


async def revoke_all(session: AsyncSession, user_id: uuid.UUID) -> None:
    """Delete all tokens of a user's."""
    await session.execute(delete(AccessToken).where(AccessToken.user_id == user_id))


async def owner(session: AsyncSession, token: str) -> tuple[User, AccessToken] | None:
    """Return whose token this is, with it, and note that it was used; None where it is none, or has ended."""
    query = select(User, AccessToken, or_(AccessToken.used_at.is_(None), AccessToken.used_at < func.now() - USED))
    query = query.join(AccessToken, AccessToken.user_id == User.id).where(AccessToken.hash == _hash(token))
    query = query.where(or_(AccessToken.expires_at.is_(None), AccessToken.expires_at > func.now()))
    row = (await session.execute(query)).one_or_none()
    if row is None:
        return None
    user, found, is_news = row
    if is_news:
        found.used_at = func.now()
        await session.flush()
    return user, found


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
