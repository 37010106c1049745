#!/usr/bin/python
# MIT (see LICENSE), or GNU General Public License v3.0+ (see https://www.gnu.org/licenses/gpl-3.0.txt), as you choose.
# SPDX-License-Identifier: MIT OR GPL-3.0-or-later
"""Ansible module: what there is, compared with what is asked."""

from __future__ import annotations

DOCUMENTATION = r"""
module: observation
short_description: What there is, compared with what is asked
description:
  - Asks the modules that make the parts of a deployment, each in check mode and all at once, whether anything has to be done.
  - A part is as asked where none of its modules would change anything or fails, each returns what is expected of it, and so it is with the
    parts that it stands on. Changes nothing, and never fails for what it finds.
options:
  parts:
    description: The parts, by name, as a text of JSON.
    type: str
    required: true
  collections:
    description: The folder in which ansible_collections is. The action plugin of this name fills it in.
    type: path
    required: true
attributes:
  check_mode:
    support: full
    description: Changes nothing in any mode.
author: todochat (@todochat)
"""

EXAMPLES = r"""
- name: What there is is compared with what is asked
  todochat.platform.observation:
    parts: "{{ {'app_secrets': {'stands_on': ['minikube'], 'checks': checks}} | to_json }}"
  vars:
    checks: [{module: kubernetes_secret, args: "{{ app_secrets_wanted }}"}]
"""

RETURN = r"""
as_asked:
  description: The parts for which nothing has to be done.
  returned: always
  type: list
  elements: str
parts:
  description: For each part what its modules returned, in their order.
  returned: always
  type: dict
"""

import json
import os
import sys

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.todochat.platform.plugins.module_utils.base.commands import WORK_SECONDS, run
from ansible_collections.todochat.platform.plugins.module_utils.base.errors import UserError, told
from ansible_collections.todochat.platform.plugins.module_utils.whole import observation


def main() -> None:
    module = AnsibleModule(
        # As one text, secrets in it as well: of a mapping each word would be masked in all that is returned.
        argument_spec={"parts": {"type": "str", "required": True, "no_log": True}, "collections": {"type": "path", "required": True}},
        supports_check_mode=True,
    )
    problem, parts = "", {}
    with told(module):
        try:
            # Not in this process: the modules are not in what Ansible has packed for this one. They get the environment that they would get from it.
            environment = {**os.environ, "PYTHONPATH": module.params["collections"]}
            # Root would leave its bytecode in somebody's checkout (-B).
            asked = run(sys.executable, "-B", "-m", observation.__name__, stdin=module.params["parts"], seconds=WORK_SECONDS, variables=environment)
            if asked.returncode:
                problem = (asked.stderr.strip().splitlines() or ["it said nothing"])[-1]
            else:
                parts = json.loads(asked.stdout)
        except UserError as error:
            problem = error.why
    if problem:  # nothing is known to be as asked, and each role looks for itself
        module.warn(f"What there is could not be compared with what is asked all at once, so this run takes longer: {problem}")
    for warning in sorted({warning for results in parts.values() for result in results for warning in result.pop("warnings", [])}):
        module.warn(warning)
    module.exit_json(changed=False, parts=parts, invocation={})


if __name__ == "__main__":
    main()
