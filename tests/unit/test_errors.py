"""Errors in parts, as the view of a run shows them."""

from __future__ import annotations

import importlib
import pkgutil

from ansible_collections.todochat.platform.plugins import module_utils
from ansible_collections.todochat.platform.plugins.module_utils.base.errors import UserError


def test_each_part_is_one_line_that_ends_in_a_full_stop_whatever_words_of_others_are_in_it() -> None:
    error = UserError("It cannot be read: while parsing\n  a block", "Mend it.", "line 1\nline 2\n")
    assert (error.why, error.remedy, error.details) == ("It cannot be read: while parsing a block.", "Mend it.", "line 1\nline 2")
    assert str(error) == "It cannot be read: while parsing a block. Mend it.\nline 1\nline 2"


def test_every_error_for_people_has_the_parts() -> None:
    # Who catches them says it for people, with the name of the container, or of what holds the address or what is downloaded; of a bundle bootstrap does.
    inner = {"AddressError", "BundleError", "PasswordDiffersError", "TooLongError"}
    for found in pkgutil.walk_packages(module_utils.__path__, f"{module_utils.__name__}."):
        module = importlib.import_module(found.name)
        for name, thing in vars(module).items():
            if isinstance(thing, type) and issubclass(thing, Exception) and name not in inner and thing.__module__ == module.__name__:
                assert issubclass(thing, UserError), name
