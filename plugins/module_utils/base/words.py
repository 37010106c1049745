"""How digests and sizes are told to a person."""

from __future__ import annotations

SHORT_DIGEST = 12


def short(digest: str) -> str:
    """The beginning of a digest, enough to tell two apart."""
    return digest.removeprefix("sha256:")[:SHORT_DIGEST] or "unknown"


def human(size: float) -> str:
    """Bytes in the unit that a person would choose."""
    for unit in ("B", "kB", "MB"):
        if size < 1000:
            return f"{size:.0f} {unit}"
        size /= 1000
    return f"{size:.1f} GB"
