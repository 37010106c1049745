"""Give somebody who has forgotten it another password: python3 -m todo_backend.reset_password EMAIL.

Prints the new one, and ends all sessions of the account. Exit status: 0 done, 1 there is no such account, 2 faulty
configuration, 3 database out of reach.
"""

import argparse
import asyncio
import logging
import secrets
import sys

from pydantic import TypeAdapter, ValidationError
from sqlalchemy import select

from todo_backend import logs
from todo_backend.auth.models import User
from todo_backend.auth.passwords import Passwords
from todo_backend.auth.router import set_password
from todo_backend.auth.schemas import Email
from todo_backend.database import Database, DatabaseUnavailableError
from todo_backend.health.state import Health
from todo_backend.settings import ConfigurationError, load

log = logging.getLogger("todo_backend.reset_password")


async def reset(database: Database, email: str) -> str | None:
    """Return the account's new password; None where there is no such account."""
    try:
        address = TypeAdapter(Email).validate_python(email.strip())
    except ValidationError:
        return None
    password = secrets.token_urlsafe(12)
    async with database.transaction() as session:
        user = await session.scalar(select(User).where(User.email == address).with_for_update())
        if user is None:
            return None
        await set_password(session, user, await Passwords().hash(password))
    return password


async def _run(email: str) -> int:
    settings, given = load()
    database = Database(given.sqlalchemy_url, Health(settings.database_tolerance_seconds))
    try:
        password = await reset(database, email)
    finally:
        await database.close()
    if password is None:
        log.critical("There is no account with this e-mail address.")
        return 1
    sys.stdout.write(f"{password}\n")
    return 0


def main() -> int:
    """Give another password. Returns the exit status."""
    parser = argparse.ArgumentParser(prog="todo_backend.reset_password", description="Give an account a new password.")
    parser.add_argument("email", help="the account's e-mail address")
    email = parser.parse_args().email
    logs.configure("warning")
    try:
        return asyncio.run(_run(email))
    except ConfigurationError as error:
        log.critical("%s", error)
        return 2
    except DatabaseUnavailableError as error:
        log.critical("the database cannot be used: %s", error.__cause__)
        return 3


if __name__ == "__main__":
    sys.exit(main())
