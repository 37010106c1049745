"""Standard output with finished lines and, at a terminal, a few lines below them that are painted again and again."""

from __future__ import annotations

import os
import sys
import threading
from typing import Any


def clock(seconds: float) -> str:
    """Minutes and seconds, as in 1:05."""
    return f"{int(seconds) // 60}:{int(seconds) % 60:02}"


def fit(text: str, width: int) -> str:
    """The text in one line of at most ``width`` characters."""
    line = "".join(character if character.isprintable() else " " for character in text)
    return line if len(line) <= width else line[: max(width - 3, 0)] + "..."


class Screen:
    """Standard output.

    The cursor rests where the painted lines begin, so that whatever somebody else prints takes their place, and nothing
    has to be put back after Ctrl-C. Painting is done with ``os.write`` by another thread: it takes none of the locks of
    Python's streams, which a fork could leave locked.
    """

    def __init__(self, display: Any) -> None:
        self.is_terminal = sys.stdout.isatty() and os.environ.get("TERM", "dumb") != "dumb"
        self.lock = threading.RLock()
        self._painted = ""
        self._display = display
        self._print = display.display
        self._process = os.getpid()
        # all of Ansible's messages, warnings and errors among them, go through this one method of one object
        display.display = self._display_above

    def close(self) -> None:
        with self.lock:
            self._wipe()
            self._display.display = self._print

    @property
    def width(self) -> int:
        try:
            return max(os.get_terminal_size(1).columns - 1, 20)
        except OSError:
            return 120

    def paint(self, lines: list[str]) -> None:
        """Shows these lines below the finished ones, each fit to the width, in place of those painted before."""
        rows = [fit(line, self.width) for line in lines]
        text = "\n".join(f"{row}\033[K" for row in rows)
        with self.lock:
            if text == self._painted or not rows:
                return
            up = f"\033[{len(rows) - 1}A" if len(rows) > 1 else ""
            write(f"\r{text}\033[J{up}\r")
            self._painted = text

    def line(self, text: str) -> None:
        """Prints a line from another thread than Ansible's."""
        with self.lock:
            write(f"{text}\n")

    def _display_above(self, *arguments: Any, **options: Any) -> None:
        if os.getpid() != self._process:  # a worker, which hands its messages over
            self._print(*arguments, **options)
            return
        with self.lock:
            self._wipe()
            try:
                self._print(*arguments, **options)
                sys.stdout.flush()
            except BrokenPipeError:  # nobody reads any more, as after `| head`; the work goes on to its end
                os.dup2(os.open(os.devnull, os.O_WRONLY), 1)

    def _wipe(self) -> None:
        if self._painted:
            write("\r\033[J")
            self._painted = ""


def write(text: str) -> None:
    """Writes to standard output; where nobody reads it any more, nothing happens."""
    try:
        os.write(1, text.encode(sys.stdout.encoding or "utf-8", errors="replace"))
    except OSError:
        return
