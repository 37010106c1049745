"""The mark on a deployment from which people move, or have moved: an annotation of the Deployment `backend`, which has no pods meanwhile.

One write sets both, so that neither is there without the other.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

ANNOTATION = "todochat.platform/moved"
MOVING, MOVED = "moving", "moved"
SERVE = "make up ARGS='-e deployment_moved=serve'"


@dataclass(frozen=True)
class Mark:
    """Where people are."""

    state: str
    since: str
    """In UTC, in ISO 8601."""
    url: str
    """Where they work then."""
    here: str
    """The inventory of this deployment."""
    there: str
    """That of the one they move to."""
    data: str
    """The name of this deployment's, whose data a move back replaces."""
    replicas: int
    """How many pods the Deployment wanted before."""

    @property
    def sentence(self) -> str:
        if self.state == MOVED:
            return f"People have moved from here to {self.url} at {self.since}, and nothing is served here since."
        return f"A move of people from here to {self.url} began at {self.since}, and has not ended: nothing is served here meanwhile."

    @property
    def back(self) -> str:
        """What brings people back here, with the data of there; of a move that has not ended there is no such data."""
        return f"make move TO={self.here} ARGS='-i {self.there} -e replace={self.data}'" if self.state == MOVED else SERVE

    def text(self) -> str:
        return json.dumps(asdict(self))


def mark(deployment: Mapping[str, Any]) -> Mark | None:
    """That of a Deployment, as Kubernetes has it; None where it has none."""
    text = (deployment["metadata"].get("annotations") or {}).get(ANNOTATION)
    try:
        return Mark(**json.loads(text)) if text else None
    except (ValueError, TypeError):  # somebody else's
        return None
