"""What goes in and out of the account endpoints."""

import uuid
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, EmailStr, Field, SecretStr, field_validator

from todo_backend.text import encodable

# One person, one account: mail providers do not tell Ann@ and ann@ apart.
Email = Annotated[EmailStr, Field(max_length=254), AfterValidator(str.lower)]


class Credentials(BaseModel):
    """An e-mail address with its password."""

    email: Email
    password: Annotated[SecretStr, Field(min_length=8, max_length=128)]

    @field_validator("password")
    @classmethod
    def _encodable(cls, value: SecretStr) -> SecretStr:
        encodable(value.get_secret_value())
        return value


class Account(BaseModel):
    """A user as others may see it."""

    model_config = ConfigDict(from_attributes=True)

    id: uuid.UUID
    email: str


class Session(BaseModel):
    """An access token, valid for `expires_in` seconds, and whose it is."""

    access_token: str
    token_type: Literal["bearer"] = "bearer"  # noqa: S105 - the name of a kind of token
    expires_in: int
    user: Account
