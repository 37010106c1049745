"""Somebody else's text, so that it does nothing to a terminal that shows it."""

from __future__ import annotations

import re
import unicodedata

# Of terminals: titles and other strings, colours and movements, and the rest that begins with an escape.
ESCAPES = re.compile(r"\x1b[\]PX^_].*?(?:\x07|\x1b\\|\x9c|$)|(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]|\x1b[ -/]*.", re.MULTILINE)


def inert(text: str) -> str:
    """The text without escapes, control characters and what turns the direction of writing; its lines and tabs stay."""
    lines = "\n".join(ESCAPES.sub("", text).splitlines())
    return "".join(letter for letter in lines if letter in "\n\t" or unicodedata.category(letter)[0] != "C")
