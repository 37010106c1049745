"""Filter: a text as it may leave this machine."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ansible_collections.todochat.platform.plugins.module_utils.diagnosis.redaction import redact, this_machine

DOCUMENTATION = r"""
name: redacted
short_description: A text without secrets, and without what tells whose machine it is
description:
  - Takes away the values that it is given, in whatever form, what looks like a password, token, key, e-mail address or address,
    and the names and homes of this machine and its users.
positional: secrets
options:
  _input: {type: str, required: true, description: The text.}
  secrets: {type: raw, required: true, description: "Values that may not be in it, also within lists and mappings."}
"""

EXAMPLES = r"""
sent: "{{ page | todochat.platform.redacted([vault_database_password]) }}"
"""

RETURN = r"""
_value: {type: str, description: "The text; what was taken away is named in brackets."}
"""


def redacted(text: str, secrets: Any) -> str:
    return redact(str(text), secrets, this_machine())


class FilterModule:
    """As Ansible finds it."""

    def filters(self) -> dict[str, Callable[..., str]]:
        return {"redacted": redacted}
