"""The words by which the built-in assistant tells what is wanted, English and German.

They stand in cues.txt. A cue is a few words in a row; `^` before one: it begins a clause, after courtesies; `$` after
one: it ends a clause; `a … b`: it begins with one and ends with the other. `a/b` is either, `(a)` may be missing. Words
are folded (see `fold`): lower case, `ae` for ä, without apostrophes, and `to-do` is `todo`.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files

from todo_backend.text import comparable

_UMLAUTS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss", "'": None, "’": None, "-": None})


@lru_cache(1 << 14)
def fold(word: str) -> str:
    """Return the form in which words are compared with those of this module."""
    return comparable(word).translate(_UMLAUTS)


def read(name: str) -> Iterator[tuple[str, str]]:
    """Yield the lines of a file beside this module, each with the section that it is in."""
    section = ""
    for line in files(__package__).joinpath(name).read_text(encoding="utf-8").splitlines():
        if line.startswith("["):
            section = line.strip("[]")
        elif line and not line.startswith("#"):
            yield section, line


Slot = tuple[frozenset[str], bool]
"""The words that may stand there, and whether there may be none."""


@dataclass(frozen=True)
class Cue:
    """Words in a row that tell what is wanted."""

    wants: str
    slots: tuple[Slot, ...]
    begins: bool = False
    ends: bool = False
    particle: tuple[Slot, ...] = ()
    """With what the clause ends, where the cue has two parts."""


def slots(text: str) -> tuple[Slot, ...]:
    """Return the slots for words in a row, as this module writes them."""
    return tuple(
        (frozenset(fold(word) for word in slot.strip("()").split("/")), slot.startswith("(")) for slot in text.split()
    )


def _read(lines: Iterable[tuple[str, str]]) -> Iterator[Cue]:
    for wants, line in lines:
        for entry in filter(None, map(str.strip, line.split(","))):
            begins, ends = entry.startswith("^"), entry.endswith("$")
            head, _, particle = entry.strip("^$").partition("…")
            yield Cue(wants, slots(head), begins or bool(particle), ends or bool(particle), slots(particle))


def lengths(slots: Sequence[Slot], words: Sequence[str]) -> int | None:
    """Return how many of the words, from the first one on, the slots take at most; None where they do not fit."""
    if not slots:
        return 0
    (alternatives, optional), *rest = slots
    if words and words[0] in alternatives and (more := lengths(rest, words[1:])) is not None:
        return more + 1
    return lengths(rest, words) if optional else None


CUES: Sequence[Cue] = list(_read(read("cues.txt")))
