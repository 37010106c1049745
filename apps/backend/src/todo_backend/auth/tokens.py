"""Access tokens, signed by a ring of keys."""

import uuid
from datetime import UTC, datetime, timedelta

import jwt

from todo_backend.settings import JwtKeys

_ALGORITHM = "HS256"


class InvalidTokenError(Exception):
    """The token is malformed, expired, or signed by none of our keys."""


class Tokens:
    """Issues and reads tokens.

    The active key signs and every key in the ring verifies, so that a new key logs nobody out: the old one stays in
    the ring until its last token has expired.
    """

    def __init__(self, ring: JwtKeys, lifetime: timedelta) -> None:
        self.lifetime = lifetime
        self._active = ring.active
        self._keys = {kid: ring.secret(kid) for kid in ring.keys}

    def issue(self, user_id: uuid.UUID) -> str:
        """Return a token for this user."""
        now = datetime.now(UTC)
        claims = {"sub": str(user_id), "iat": now, "exp": now + self.lifetime}
        return jwt.encode(claims, self._keys[self._active], algorithm=_ALGORITHM, headers={"kid": self._active})

    def read(self, token: str) -> uuid.UUID:
        """Return whose token this is. Raises InvalidTokenError."""
        try:
            key = self._keys[jwt.get_unverified_header(token)["kid"]]
            claims = jwt.decode(token, key, algorithms=[_ALGORITHM], options={"require": ["sub", "iat", "exp"]})
            return uuid.UUID(claims["sub"])
        except (jwt.InvalidTokenError, KeyError, TypeError, ValueError) as error:
            raise InvalidTokenError from error
