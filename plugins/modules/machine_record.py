#!/usr/bin/python
# MIT (see LICENSE), or GNU General Public License v3.0+ (see https://www.gnu.org/licenses/gpl-3.0.txt), as you choose.
# SPDX-License-Identifier: MIT OR GPL-3.0-or-later
"""Ansible module: what was on the machine before the first installation is recorded."""

from __future__ import annotations

DOCUMENTATION = r"""
module: machine_record
short_description: What was on the machine before the first installation is recorded
description:
  - Writes the installed packages, the users and the groups to C(/var/lib/todochat/before.json), once; a record that is
    there is never changed. The module C(deployment_removal) takes away what is not in it, and no more. Needs root.
options: {}
author: todochat (@todochat)
"""

EXAMPLES = r"""
- name: What was on this machine before is recorded
  todochat.platform.machine_record:
  become: true
"""

RETURN = r"""
would: {type: list, returned: success, description: "What was done, or would be done in check mode, a sentence each."}
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.todochat.platform.plugins.module_utils.base.errors import told
from ansible_collections.todochat.platform.plugins.module_utils.machine import baseline


def main() -> None:
    module = AnsibleModule(argument_spec={}, supports_check_mode=True)
    with told(module):
        if baseline.RECORD.exists():
            module.exit_json(changed=False, would=[])
        if not module.check_mode:
            baseline.write(baseline.observe())
        module.exit_json(changed=True, would=[f"{baseline.RECORD} says what was on this machine before"])


if __name__ == "__main__":
    main()
