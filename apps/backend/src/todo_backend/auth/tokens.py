"""Access tokens, signed by a ring of keys."""

import hmac
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import jwt

from todo_backend.settings import JwtKeys

_ALGORITHM = "HS256"
_TYPE = "at+jwt"
_AUDIENCE = "todochat"
_LEEWAY = timedelta(seconds=5)
"""What clocks of several replicas may differ by."""
_UNDATED = datetime.min.replace(tzinfo=UTC)


class InvalidTokenError(Exception):
    """The token is malformed, expired, or signed by a key that is not ours, or no longer."""


@dataclass(frozen=True)
class Claim:
    """Whose a token is, and of which session; none for one that was issued before there were sessions."""

    user_id: uuid.UUID
    session_id: uuid.UUID | None
    issued_at: datetime


class Tokens:
    """Issues and reads tokens.

    The active key signs. Another one verifies until its last token has expired, so that a new key logs nobody out and
    whoever has stolen an old one can use it no longer than that: for one lifetime after its successor was made, which
    is `longest` where some tokens are issued for longer than `lifetime`.
    """

    def __init__(self, ring: JwtKeys, lifetime: timedelta, longest: timedelta = timedelta()) -> None:
        self.lifetime = lifetime
        self._active = ring.active
        self._keys = {kid: ring.secret(kid) for kid in ring.keys}
        made = {kid: _made(kid) for kid in ring.keys}
        self._ends = {
            kid: min(later) + max(lifetime, longest)
            for kid in ring.keys
            if kid != ring.active and (later := [time for time in made.values() if time > made[kid]])
        }

    def issue(self, user_id: uuid.UUID, session_id: uuid.UUID | None, lifetime: timedelta | None = None) -> str:
        """Return a token for this user's session."""
        now = datetime.now(UTC)
        claims = {"sub": str(user_id), "iat": now, "exp": now + (lifetime or self.lifetime)}
        if session_id is not None:
            claims["sid"] = str(session_id)
        # Nothing that 0.1 refuses, during a rollout and after a rollback; the next version writes audience and type.
        return jwt.encode(claims, self._keys[self._active], algorithm=_ALGORITHM, headers={"kid": self._active})

    def successors(self, secret: str) -> list[str]:
        """Return what follows a refresh token's secret, by each key, the active one first; nobody else can tell."""
        keys = [self._keys[self._active], *self._keys.values()]
        return [hmac.digest(key, f"refresh {secret}".encode(), "sha256").hex() for key in keys]

    def read(self, token: str) -> Claim:
        """Return whose this is. Raises InvalidTokenError."""
        try:
            header = jwt.get_unverified_header(token)
            kid = header["kid"]
            # Audience and type are those of the next version's tokens.
            ours = header.get("typ") == _TYPE
            claims = jwt.decode(
                token,
                self._keys[kid],
                algorithms=[_ALGORITHM],
                audience=_AUDIENCE if ours else None,
                leeway=_LEEWAY,
                options={"require": ["sub", "iat", "exp", *(["aud"] if ours else [])]},
            )
            session_id = uuid.UUID(claims["sid"]) if "sid" in claims else None
            found = Claim(uuid.UUID(claims["sub"]), session_id, datetime.fromtimestamp(claims["iat"], UTC))
        except (jwt.InvalidTokenError, KeyError, TypeError, ValueError, OverflowError) as error:
            raise InvalidTokenError from error
        if kid in self._ends and datetime.now(UTC) >= self._ends[kid]:
            raise InvalidTokenError
        return found


def _made(kid: str) -> datetime:
    """Return when a key was made, by its id (20261125T204500Z-0a1b2c3d); one without a date is the oldest."""
    try:
        return datetime.strptime(kid.partition("-")[0], "%Y%m%dT%H%M%S%z")
    except ValueError:
        return _UNDATED
