#!/usr/bin/python
# MIT (see LICENSE), or GNU General Public License v3.0+ (see https://www.gnu.org/licenses/gpl-3.0.txt), as you choose.
# SPDX-License-Identifier: MIT OR GPL-3.0-or-later
"""Ansible module: a Python environment of its own, with exactly what a lock file names."""

from __future__ import annotations

DOCUMENTATION = r"""
module: python_environment
short_description: A Python environment holds exactly what a lock file names
description:
  - It is made anew where the lock file, or the Python that it was made with, has changed, or where making it was broken off. pip requires hashes.
options:
  lock: {type: path, required: true, description: "A file of requirements, each with its hashes."}
  folder: {type: path, required: true, description: The folder of the environment.}
attributes:
  check_mode:
    support: full
    description: In check mode, says what would be changed, and changes nothing.
author: todochat (@todochat)
"""

EXAMPLES = r"""
- name: HolmesGPT is installed
  todochat.platform.python_environment:
    lock: files/holmesgpt.txt
    folder: ~/.cache/todochat/holmesgpt
"""

RETURN = ""

from pathlib import Path

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.todochat.platform.plugins.module_utils.base.errors import told
from ansible_collections.todochat.platform.plugins.module_utils.machine.python_environment import Environment


def main() -> None:
    """Entry point."""
    module = AnsibleModule(
        argument_spec={"lock": {"type": "path", "required": True}, "folder": {"type": "path", "required": True}},
        supports_check_mode=True,
    )
    environment = Environment(Path(module.params["folder"]), Path(module.params["lock"]))
    with told(module):
        changed = not environment.is_as_locked()
        if changed and not module.check_mode:
            environment.make()
    module.exit_json(changed=changed)


if __name__ == "__main__":
    main()
