"""Access tokens, signed by a ring of keys."""

import uuid
from datetime import UTC, datetime, timedelta

import jwt

from todo_backend.settings import JwtKeys

_ALGORITHM = "HS256"
_UNDATED = datetime.min.replace(tzinfo=UTC)


class InvalidTokenError(Exception):
    """The token is malformed, expired, or signed by a key that is not ours, or no longer."""


class Tokens:
    """Issues and reads tokens.

    The active key signs. Another one verifies until its last token has expired, so that a new key logs nobody out and
    whoever has stolen an old one can use it no longer than that: for one lifetime after its successor was made.
    """

    def __init__(self, ring: JwtKeys, lifetime: timedelta) -> None:
        self.lifetime = lifetime
        self._active = ring.active
        self._keys = {kid: ring.secret(kid) for kid in ring.keys}
        made = {kid: _made(kid) for kid in ring.keys}
        self._ends = {
            kid: min(later) + lifetime
            for kid in ring.keys
            if kid != ring.active and (later := [time for time in made.values() if time > made[kid]])
        }

    def issue(self, user_id: uuid.UUID) -> str:
        """Return a token for this user."""
        now = datetime.now(UTC)
        claims = {"sub": str(user_id), "iat": now, "exp": now + self.lifetime}
        return jwt.encode(claims, self._keys[self._active], algorithm=_ALGORITHM, headers={"kid": self._active})

    def read(self, token: str) -> uuid.UUID:
        """Return whose token this is. Raises InvalidTokenError."""
        try:
            kid = jwt.get_unverified_header(token)["kid"]
            claims = jwt.decode(
                token, self._keys[kid], algorithms=[_ALGORITHM], options={"require": ["sub", "iat", "exp"]}
            )
            user_id = uuid.UUID(claims["sub"])
        except (jwt.InvalidTokenError, KeyError, TypeError, ValueError) as error:
            raise InvalidTokenError from error
        if kid in self._ends and datetime.now(UTC) >= self._ends[kid]:
            raise InvalidTokenError
        return user_id


def _made(kid: str) -> datetime:
    """Return when a key was made, by its id (20261125T204500Z-0a1b2c3d); one without a date is the oldest."""
    try:
        return datetime.strptime(kid.partition("-")[0], "%Y%m%dT%H%M%S%z")
    except ValueError:
        return _UNDATED
