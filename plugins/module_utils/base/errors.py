"""What went wrong, for the person who can mend it: what is wrong, with the value, and what to do about it."""

from __future__ import annotations

import errno
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NoReturn, Protocol

from ansible_collections.todochat.platform.plugins.module_utils.base.turn import in_the_way

TAKES_NO_MORE = {errno.ENOSPC, errno.EDQUOT, errno.EROFS}


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

    check_mode: bool

    def fail_json(self, msg: str, **result: Any) -> NoReturn: ...


def fail(module: Module, error: UserError, **result: Any) -> NoReturn:
    """Ends the task with the error, whole in ``msg`` and in parts for the view of module callback/progress, beside what else it returns."""
    module.fail_json(msg=str(error), why=error.why, remedy=error.remedy, details=error.details, **result)


@contextmanager
def told(module: Module) -> Iterator[None]:
    """What goes wrong within ends the task with a sentence, where it is the user's to mend: a UserError, or a disk that takes no more.

    Nothing is done within while another account's run is at work on the deployment.
    """
    try:
        if not module.check_mode and (other := in_the_way()):
            raise UserError(other, "Wait until that has ended, then run the same command again, which goes on where this one stopped.")
        yield
    except UserError as error:
        fail(module, error)
    except OSError as error:
        if error.errno not in TAKES_NO_MORE:
            raise
        fail(module, no_room(error))


def no_room(error: OSError) -> UserError:
    """What to do about a file system that takes no more."""
    where = f"{error.filename} cannot be written" if error.filename else "A file cannot be written"
    remedy = "Free space there (`df -h` shows where), then run the same command again, which goes on where this one stopped."
    return UserError(f"{where}: {error.strerror}", remedy)


def together(found: Sequence[UserError]) -> UserError:
    """One error that says them all."""
    if len(found) == 1:
        return found[0]
    return UserError(
        f"{len(found)} things stand in the way, and nothing was changed.",
        "Mend each of them, then run this again.",
        "\n".join(f"{number}. {error}" for number, error in enumerate(found, 1)),
    )
