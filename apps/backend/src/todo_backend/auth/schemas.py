"""What goes in and out of the account endpoints."""

import uuid
from datetime import datetime
from typing import Annotated, Literal, Self

import email_validator
from pydantic import AfterValidator, BaseModel, ConfigDict, EmailStr, Field, SecretStr

from todo_backend.auth.models import AccessToken, UserSession
from todo_backend.clock import known_time_zone, time_zone
from todo_backend.text import encodable, one_line

# People who run this for themselves have addresses in .local.
email_validator.SPECIAL_USE_DOMAIN_NAMES.remove("local")
# One person, one account: mail providers do not tell Ann@ and ann@ apart.
Email = Annotated[EmailStr, Field(max_length=254), AfterValidator(str.lower)]


def _encodable(value: SecretStr) -> SecretStr:
    encodable(value.get_secret_value())
    return value


Password = Annotated[SecretStr, Field(min_length=8, max_length=128), AfterValidator(_encodable)]
Opaque = Annotated[str, Field(max_length=200)]
TimeZone = Annotated[str, AfterValidator(time_zone)]


def _known(name: str | None) -> str | None:
    return known_time_zone(name) if name else None


class Credentials(BaseModel):
    """An e-mail address with its password.

    With `refresh` the answer has a short access token and one to refresh it with, without it a long one alone.
    `browser` is what an earlier log-in of this browser answered. A time zone that there is not counts as none: browsers
    have such, and nobody is kept out for it.
    """

    email: Email
    password: Password
    refresh: bool = False
    browser: Opaque | None = None
    time_zone: Annotated[str | None, AfterValidator(_known)] = None


class RefreshRequest(BaseModel):
    """A refresh token."""

    refresh_token: Opaque


class PasswordChange(BaseModel):
    """The password, and what it is to be."""

    password: Password
    new_password: Password


class PasswordProof(BaseModel):
    """The password, for what cannot be taken back."""

    password: Password


class AccountChange(BaseModel):
    """What to change."""

    model_config = ConfigDict(extra="forbid")

    time_zone: TimeZone | None = None
    model_allowed: bool | None = None


class Account(BaseModel):
    """A user as others may see it."""

    model_config = ConfigDict(from_attributes=True)

    id: uuid.UUID
    email: str
    time_zone: str = "UTC"
    model_allowed: bool = True
    """Whether messages, and what the tools answer, may go to a provider of language models."""


class Session(BaseModel):
    """An access token, valid for `expires_in` seconds, and whose it is."""

    access_token: str
    token_type: Literal["bearer"] = "bearer"  # noqa: S105 - the name of a kind of token
    expires_in: int
    user: Account
    refresh_token: str | None = None
    refresh_expires_in: int | None = None
    browser: str | None = None


class SessionView(BaseModel):
    """A log-in as its owner sees it."""

    id: uuid.UUID
    user_agent: str
    created_at: datetime
    used_at: datetime
    current: bool

    @classmethod
    def of(cls, kept: UserSession, current: uuid.UUID | None) -> Self:
        """Return the view of a row, to who asks in the session `current`."""
        return cls(
            id=kept.id,
            user_agent=kept.user_agent,
            created_at=kept.created_at,
            used_at=kept.rotated_at,
            current=kept.id == current,
        )


class AccessTokenWanted(BaseModel):
    """What a token is to be called, what it may do, and for how long it is good; without `days` until it is revoked."""

    model_config = ConfigDict(extra="forbid")

    name: Annotated[str, AfterValidator(one_line), Field(min_length=1, max_length=100)]
    scope: Literal["read", "write"] = "read"
    days: Annotated[int, Field(ge=1, le=3650)] | None = None


class AccessTokenView(BaseModel):
    """A token as its owner sees it."""

    id: uuid.UUID
    name: str
    scope: Literal["read", "write"]
    created_at: datetime
    used_at: datetime | None
    expires_at: datetime | None

    @classmethod
    def of(cls, token: AccessToken) -> Self:
        """Return the view of a row."""
        return cls(
            id=token.id,
            name=token.name,
            scope="write" if token.may_write else "read",
            created_at=token.created_at,
            used_at=token.used_at,
            expires_at=token.expires_at,
        )


class AccessTokenMade(BaseModel):
    """A new token; `token` is shown this once."""

    token: str
    access_token: AccessTokenView
