"""Limits of time: on a machine that is many times slower than others, such as an emulated one, an environment variable multiplies them."""

from __future__ import annotations

import os

VARIABLE = "TODOCHAT_TIMEOUT_FACTOR"


def limit(seconds: int) -> int:
    """So many seconds as others need, as a limit for this machine."""
    return round(seconds * float(os.environ.get(VARIABLE) or 1))
