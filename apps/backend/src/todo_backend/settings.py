"""What an operator sets: ordinary settings by environment, secrets by files alone."""

import base64
import binascii
import re
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

import psycopg
from psycopg.conninfo import conninfo_to_dict
from pydantic import AfterValidator, BaseModel, Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import (
    BaseSettings,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
)
from sqlalchemy.engine import URL

MINIMUM_KEY_BYTES = 32
SYSTEM_CERTIFICATES = "/etc/ssl/certs/ca-certificates.crt"
"""Those that the image trusts: the driver's own OpenSSL looks for sslrootcert=system where no image has any."""


class ConfigurationError(Exception):
    """The service cannot start as configured; the message names the setting, never a secret's value."""


def _origin(value: str) -> str:
    scheme, separator, host = value.partition("://")
    if scheme not in {"http", "https"} or not separator or not host or "/" in host or "*" in host:
        raise ValueError(f"{value!r} is no origin; write it as http://host:port without a path")
    if value != value.lower() or value.endswith(":80" if scheme == "http" else ":443"):
        raise ValueError(f"{value!r} is no browser's origin; write it in lower case, without its scheme's own port")
    return value


class Settings(BaseSettings):
    """Settings from the environment, each with the prefix TODO_."""

    model_config = SettingsConfigDict(env_prefix="TODO_", extra="ignore", hide_input_in_errors=True)

    host: str = "0.0.0.0"  # noqa: S104 - a container is reached from outside itself
    port: int = Field(default=8001, ge=1, le=65535)
    metrics_port: int = Field(default=9464, ge=0, le=65535)  # 0: none
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    cors_origins: Annotated[list[Annotated[str, AfterValidator(_origin)]], NoDecode] = []
    secrets_dir: Path = Path("/run/secrets/todochat")
    access_token_minutes: int = Field(default=15, ge=1, le=7 * 24 * 60)
    wrong_passwords: int = Field(default=10, ge=1)
    wrong_passwords_per_minute: int = Field(default=120, ge=1)
    sign_ups_per_minute: int = Field(default=120, ge=1)
    todos_per_user: int = Field(default=10_000, ge=1)
    database_probe_seconds: float = Field(default=5, gt=0)
    database_tolerance_seconds: float = Field(default=15, ge=0)
    database_wait_seconds: float = Field(default=60, ge=0)
    model_url: str = "https://api.groq.com/openai/v1"
    model: str = Field(default="openai/gpt-oss-120b", min_length=1)
    model_fallback: str = "openai/gpt-oss-20b"  # empty: none
    model_tokens_per_user: int = Field(default=200_000, ge=0)  # in a day
    model_tokens: int = Field(default=5_000_000, ge=0)  # of all users in a day
    # Whoever waits for a request waits longer, see apps/chart/values.yaml.
    request_seconds: float = Field(default=25, gt=0)
    drain_seconds: float = Field(default=5, ge=0)  # Node.js's fetch closes a connection that is idle for 4 s

    @field_validator("model_url")
    @classmethod
    def _endpoint(cls, value: str) -> str:
        parts = urlsplit(value)
        if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query or parts.username:
            raise ValueError(f"{value!r} is no endpoint; write it as https://host/v1")
        return value

    @field_validator("cors_origins", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        if isinstance(value, str):
            return [origin.strip() for origin in value.split(",") if origin.strip()]
        return value


class JwtKeys(BaseModel):
    """Signing keys by id (`kid`); values are base64url, at least 32 bytes.

    The active one signs. How long the others verify is told by the ids, which say when each was made; see Tokens.
    """

    model_config = {"extra": "forbid", "hide_input_in_errors": True}

    active: str
    keys: dict[str, SecretStr] = Field(min_length=1)

    @model_validator(mode="after")
    def _usable(self) -> "JwtKeys":
        if self.active not in self.keys:
            raise ValueError(f"the active key {self.active!r} is not among the keys")
        for kid in self.keys:
            try:
                length = len(self.secret(kid))
            except binascii.Error:
                raise ValueError(f"the key {kid!r} is not base64url") from None
            if length < MINIMUM_KEY_BYTES:
                raise ValueError(f"the key {kid!r} has {length} bytes, {MINIMUM_KEY_BYTES} are needed")
        return self

    def secret(self, kid: str) -> bytes:
        """Return the key's bytes; KeyError when there is no such key."""
        text = self.keys[kid].get_secret_value().rstrip("=")
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)


class Secrets(BaseSettings):
    """Secrets, one file each, named like the field. They are read from nowhere else, least of all the environment."""

    model_config = SettingsConfigDict(hide_input_in_errors=True, extra="ignore")

    database_url: SecretStr
    database_ca: Path | None = None
    """The file of certificates by which the database's is checked, whatever file the URL names."""
    jwt_keys: JwtKeys
    model_api_key: SecretStr = SecretStr("")
    """Without one the built-in assistant answers."""

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003 - the signature is the library's
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Leave out the environment and dotenv files."""
        return init_settings, file_secret_settings

    @field_validator("model_api_key")
    @classmethod
    def _stripped(cls, value: SecretStr) -> SecretStr:
        return SecretStr(value.get_secret_value().strip())

    @field_validator("database_url")
    @classmethod
    def _postgresql(cls, value: SecretStr) -> SecretStr:
        url = value.get_secret_value()
        if not re.match("postgres(ql)?://", url):
            raise ValueError(
                "the URL's scheme must be postgresql; write it as postgresql://user:password@host:5432/name"
            )
        try:
            found = conninfo_to_dict(url)
        except psycopg.ProgrammingError:  # it quotes what it does not understand
            raise ValueError("no database URL; write it as postgresql://user:password@host:5432/name") from None
        if not found.get("host") or not found.get("dbname"):
            raise ValueError(
                "the URL names no host or no database; write it as postgresql://user:password@host:5432/name"
            )
        return value

    @property
    def sqlalchemy_url(self) -> URL:
        """The database URL for SQLAlchemy with psycopg 3, read as PostgreSQL's own library reads it."""
        found = {name: str(value) for name, value in conninfo_to_dict(self.database_url.get_secret_value()).items()}
        port = int(found.pop("port", "5432"))
        user, password = found.pop("user", None), found.pop("password", None)
        host, name = found.pop("host"), found.pop("dbname")
        named = found.get("sslrootcert", "")
        if named == "system":
            found["sslmode"] = "verify-full"  # the one that the library takes with it
        if named or found.get("sslmode") in {"verify-ca", "verify-full"}:
            of_image = SYSTEM_CERTIFICATES if named in {"", "system"} else named
            found["sslrootcert"] = str(self.database_ca or of_image)
        return URL.create("postgresql+psycopg", user, password, host, port, name, found)


def load() -> tuple[Settings, Secrets]:
    """Read settings and secrets. Raises ConfigurationError naming every faulty one."""
    try:
        settings = Settings()
    except ValidationError as error:
        raise ConfigurationError(_explain("environment", "TODO_", error)) from None
    except SettingsError as error:
        raise ConfigurationError(str(error)) from None
    if not settings.secrets_dir.is_dir():
        raise ConfigurationError(
            f"There is no directory {settings.secrets_dir}. Mount the secrets there (files database_url and jwt_keys), "
            "or name another directory in TODO_SECRETS_DIR."
        )
    try:
        authority = settings.secrets_dir / "database_ca"
        secrets = Secrets(_secrets_dir=settings.secrets_dir, database_ca=authority if authority.exists() else None)
    except ValidationError as error:
        raise ConfigurationError(_explain(f"secrets in {settings.secrets_dir}", "", error)) from None
    except (SettingsError, OSError) as error:
        raise ConfigurationError(str(error)) from None
    return settings, secrets


def _explain(where: str, prefix: str, error: ValidationError) -> str:
    faults = (
        f"{prefix.lower()}{'.'.join(str(part) for part in fault['loc'])}: {fault['msg']}"
        for fault in error.errors(include_input=False, include_url=False)
    )
    return f"Faulty {where}: " + "; ".join(faults).replace("todo_", "TODO_")
