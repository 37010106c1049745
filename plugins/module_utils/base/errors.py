"""What went wrong, for the person who can mend it: what is wrong, with the value, and what to do about it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NoReturn, Protocol


class UserError(Exception):
    """A problem the user can act on.

    ``why`` is one sentence with the value that is wrong, ``remedy`` one that says what to do; each is shown as one
    line, whatever somebody else's words in it look like. ``details`` are the lines that explain it, such as the end of
    a log.
    """

    def __init__(self, why: str, remedy: str, details: str = "") -> None:
        self.why = sentence(why)
        self.remedy = sentence(remedy)
        self.details = details.rstrip()
        super().__init__(f"{self.why} {self.remedy}" + (f"\n{self.details}" if self.details else ""))


def sentence(text: str) -> str:
    """The text in one line that ends in one full stop."""
    line = " ".join(text.split())
    return line if line.endswith((".", "!", "?")) else f"{line}."


class Module(Protocol):
    """What is needed of an AnsibleModule."""

    def fail_json(self, msg: str, **result: Any) -> NoReturn: ...


def fail(module: Module, error: UserError, **result: Any) -> NoReturn:
    """Ends the task with the error, whole in ``msg`` and in parts for the view of module callback/progress, beside what else it returns."""
    module.fail_json(msg=str(error), why=error.why, remedy=error.remedy, details=error.details, **result)


@contextmanager
def told(module: Module) -> Iterator[None]:
    """A UserError that is raised within ends the task with what it says."""
    try:
        yield
    except UserError as error:
        fail(module, error)


def together(found: Sequence[UserError]) -> UserError:
    """One error that says them all."""
    if len(found) == 1:
        return found[0]
    return UserError(
        f"{len(found)} things stand in the way, and nothing was changed.",
        "Mend each of them, then run this again.",
        "\n".join(f"{number}. {error}" for number, error in enumerate(found, 1)),
    )
