#!/usr/bin/python
# MIT (see LICENSE), or GNU General Public License v3.0+ (see https://www.gnu.org/licenses/gpl-3.0.txt), as you choose.
# SPDX-License-Identifier: MIT OR GPL-3.0-or-later
"""Ansible module: a language model explains a page."""

from __future__ import annotations

DOCUMENTATION = r"""
module: model_advice
short_description: A language model explains a page
description:
  - Sends a page to an endpoint that speaks OpenAI's protocol, and returns what it says as text. Nothing of it is run.
  - Whatever the provider does, the task succeeds, and says in a sentence why there is no advice.
  - What is sent is kept in a file before it is sent. Check mode returns just that, and sends nothing.
options:
  url: {type: str, required: true, description: The endpoint; empty where it is not known.}
  model: {type: str, required: true, description: The model's name; empty where it is not known.}
  key: {type: str, required: true, description: The provider's key; empty where there is none.}
  page: {type: str, required: true, description: "The page, from which all is taken out that may not leave this machine."}
  sent: {type: path, required: true, description: The file that holds what was sent last.}
author: todochat (@todochat)
"""

EXAMPLES = r"""
- name: A model explains it
  todochat.platform.model_advice:
    url: https://api.groq.com/openai/v1
    model: openai/gpt-oss-120b
    key: "{{ vault_model_api_key }}"
    page: "{{ page | todochat.platform.redacted([vault_model_api_key]) }}"
    sent: ~/.local/state/todochat/todo/sent-to-model.json
"""

RETURN = r"""
lines: {type: list, returned: success, description: "The advice, marked as such, or why there is none; in check mode what would be sent."}
"""

import os
from pathlib import Path
from urllib.parse import urlsplit

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.todochat.platform.plugins.module_utils.base.errors import UserError, told
from ansible_collections.todochat.platform.plugins.module_utils.diagnosis.model import KEY, advice, endpoint, question

MARK = "  | "
UNKNOWN = "Mend what is named above first, `make up` where nothing is deployed yet; then run this again."


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            **{name: {"type": "str", "required": True} for name in ("url", "model", "page")},
            "key": {"type": "str", "required": True, "no_log": True},
            "sent": {"type": "path", "required": True},
        },
        supports_check_mode=True,
    )
    given = module.params
    body, file = question(given["page"], given["model"]), Path(given["sent"])
    with told(module):
        try:
            if not given["url"] or not given["model"]:
                raise UserError("No model was asked: which one the application uses is in its cluster, and cannot be read there", UNKNOWN)
            where = endpoint(given["url"])
            if module.check_mode:
                module.exit_json(changed=False, lines=[f"This would be sent to {where}; nothing was.", "", *body.decode().split("\n")])
            if not given["key"]:
                raise UserError("No model was asked: the vault has no key for one", KEY.replace("another", "a"))
            keep(file, body)
        except UserError as error:
            module.exit_json(changed=False, lines=[error.why, error.remedy])
        try:
            host = urlsplit(where).hostname
            lines = [f"Advice of the model {given['model']} at {host}. Nothing of it was run; look at each command before you run it.", ""]
            lines += [f"{MARK}{line}".rstrip() for line in advice(given["url"], given["key"], body)]
        except UserError as error:
            lines = [error.why, error.remedy]
        module.exit_json(changed=True, lines=[*lines, "", f"What was sent is in {file}."])


def keep(file: Path, body: bytes) -> None:
    """It is in the file, for its owner alone. Raises UserError where it cannot be: then nothing is sent."""
    try:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        file.unlink(missing_ok=True)
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as written:
            written.write(body)
    except OSError as error:
        raise UserError(f"No model was asked: {file}, which says what is sent, cannot be written: {error.strerror}", "Mend that, then try again.") from None


if __name__ == "__main__":
    main()
