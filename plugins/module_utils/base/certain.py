"""What a type says may be missing, where what made it has seen to it that it is not."""

from __future__ import annotations

from typing import TypeVar

T = TypeVar("T")


def certain(value: T | None) -> T:
    """The value, which is there. Raises AssertionError, also where Python is told to leave assertions out."""
    if value is None:
        raise AssertionError("It is missing, which what made it rules out")
    return value
