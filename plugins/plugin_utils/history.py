"""How long the phases of a run took the last times, and what that says about the time left."""

from __future__ import annotations

import json
import os
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path

Figures = dict[str, float]
"""Seconds by what the phase did: ``changed`` something, or left all as it was (``unchanged``)."""


class History:
    """The figures of one kind of run (a playbook with its tags, in check mode or not) in a file that holds all kinds.

    The file helps and is never needed: a damaged one counts as none, and one that cannot be written stays as it is.
    """

    def __init__(self, file: Path, kind: str) -> None:
        self.file = file
        self.kind = kind
        self.was_there = file.exists()
        self.kinds = read(file)
        self.phases = self.kinds.setdefault(kind, {})

    def expected(self, phase: str, changing: bool, elapsed: float = 0) -> float | None:
        """Seconds that a phase will take in all, None where nobody knows.

        A run after a good one mostly changes nothing. Where this run has changed something, or the phase takes longer
        than leaving all as it was ever did, it is one that changes.
        """
        figures = self.phases.get(phase, {})
        first, second = ("changed", "unchanged") if changing else ("unchanged", "changed")
        known = [figures[key] for key in (first, second) if key in figures]
        return next((seconds for seconds in known if seconds >= elapsed), max(known, default=None))

    def left(self, phase: str, changing: bool, elapsed: float, finished: Collection[str]) -> float | None:
        """Seconds until the run ends, None where the phase that runs now is not known."""
        now = self.expected(phase, changing, elapsed)
        if now is None:
            return None
        changing = changing or now != self.expected(phase, changing)
        later = [self.expected(other, changing) or 0 for other in self.phases if other != phase and other not in finished]
        return max(now - elapsed, 0) + sum(later)

    def note(self, phase: str, seconds: float, changed: bool) -> None:
        """A phase has ended well."""
        self.phases.setdefault(phase, {})["changed" if changed else "unchanged"] = round(seconds, 1)

    def write(self, only: Collection[str] | None = None) -> None:
        """Keeps the figures; after a whole run ``only`` those of its phases, for the others are not part of it any more."""
        if self.was_there and not self.file.exists():
            return  # this run has taken it away with all else
        if only is not None:
            self.kinds[self.kind] = {phase: figures for phase, figures in self.phases.items() if phase in only}
        draft = self.file.with_name(f".{self.file.name}.{os.getpid()}")
        with suppress(OSError):
            try:
                draft.write_text(json.dumps(self.kinds, indent=1) + "\n", encoding="utf-8")
                draft.replace(self.file)
            finally:
                draft.unlink(missing_ok=True)


def read(file: Path) -> dict[str, dict[str, Figures]]:
    """Every kind of run that the file holds; what is not as this module writes it is left out."""
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
        return {
            kind: {phase: {key: float(figures[key]) for key in ("changed", "unchanged") if key in figures} for phase, figures in phases.items()}
            for kind, phases in content.items()
        }
    except (OSError, ValueError, AttributeError, TypeError):
        return {}
