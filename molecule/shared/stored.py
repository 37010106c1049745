"""Images from the store, which may hold those of other versions too, where several checkouts share it."""

from __future__ import annotations

import pytest
from conftest import PAUSE, Tester

STORE = "/home/tester/.cache/todochat/store"


def newest(name: str, store: str = STORE) -> str:
    """The newest archive of an image, as a word for a shell."""
    return f'"$(ls -t {store}/{name}/*/{name}.tar | head -n 1)"'


@pytest.fixture
def pause(tester: Tester) -> str:
    """The name of a small image that Docker has: its program waits for ever."""
    tester.sees(f"docker load --quiet --input {newest('pause')}")
    return PAUSE
