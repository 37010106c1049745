"""Helm and kubectl as the store has them, and both charts."""

from __future__ import annotations

from pathlib import Path

import pytest
from chart import ROOT, Chart

from ansible_collections.todochat.platform.plugins.module_utils.store.lock import Lock
from ansible_collections.todochat.platform.plugins.module_utils.store.store import Store


def stored(name: str) -> Path:
    """A program of the store."""
    return Store(Path.home() / ".cache/todochat/store").verified(Lock(ROOT / "artifacts.lock.yml")[name])


@pytest.fixture(scope="session")
def helm() -> Path:
    return stored("helm")


@pytest.fixture(scope="session")
def kubectl() -> Path:
    return stored("kubectl")


@pytest.fixture(params=["backend", "frontend"])
def chart(request: pytest.FixtureRequest, helm: Path) -> Chart:
    return Chart(request.param, helm)


@pytest.fixture
def backend(helm: Path) -> Chart:
    return Chart("backend", helm)


@pytest.fixture
def frontend(helm: Path) -> Chart:
    return Chart("frontend", helm)
