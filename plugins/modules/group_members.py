#!/usr/bin/python
# MIT (see LICENSE), or GNU General Public License v3.0+ (see https://www.gnu.org/licenses/gpl-3.0.txt), as you choose.
# SPDX-License-Identifier: MIT OR GPL-3.0-or-later
"""Ansible module: users are members of a group of this machine."""

from __future__ import annotations

DOCUMENTATION = r"""
module: group_members
short_description: Users are members of a group of this machine
description:
  - Adds users to a group in C(/etc/group), also those that come from a directory, which usermod does not know. Takes nobody out. Needs root.
options:
  group: {type: str, required: true, description: The group; in check mode it need not be there yet.}
  users: {type: list, elements: str, required: true, description: 'The users, whom this machine knows.'}
author: todochat (@todochat)
"""

EXAMPLES = r"""
- name: The user who calls may use Docker
  todochat.platform.group_members:
    group: docker
    users: [john.doe]
  become: true
"""

RETURN = r"""
would: {type: list, returned: success, description: "What was done, or would be done in check mode, a sentence each."}
"""

import grp

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.todochat.platform.plugins.module_utils.base.commands import run
from ansible_collections.todochat.platform.plugins.module_utils.base.errors import UserError, told


def members(group: str) -> list[str]:
    """Those that are listed; none where there is no such group."""
    try:
        return grp.getgrnam(group).gr_mem
    except KeyError:
        return []


def main() -> None:
    spec = {"group": {"type": "str", "required": True}, "users": {"type": "list", "elements": "str", "required": True}}
    module = AnsibleModule(argument_spec=spec, supports_check_mode=True)
    group = module.params["group"]
    with told(module):
        missing = [user for user in module.params["users"] if user not in members(group)]
        for user in missing if not module.check_mode else []:
            done = run("gpasswd", "--add", user, group)
            if done.returncode:
                raise UserError(f"{user} cannot be added to the group {group}: {done.stderr.strip()}", "Add that user to it, then run the same command again.")
    module.exit_json(changed=bool(missing), would=[f"{user} is added to the group {group}" for user in missing])


if __name__ == "__main__":
    main()
