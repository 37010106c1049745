#!/usr/bin/python
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
    description: The parts, by name.
    type: dict
    required: true
    suboptions: {}
  collections:
    description: The folder in which ansible_collections is. The action plugin of this name fills it in.
    type: path
    required: true
attributes:
  check_mode:
    support: full
author: todochat (@todochat)
"""

EXAMPLES = r"""
- name: What there is is compared with what is asked
  todochat.platform.observation:
    parts:
      app_secrets:
        stands_on: [minikube]
        checks:
          - module: kubernetes_secret
            args: "{{ app_secrets_wanted }}"
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
import sys

from ansible.module_utils.basic import AnsibleModule

OBSERVER = "ansible_collections.todochat.platform.plugins.module_utils.whole.observation"


def main() -> None:
    module = AnsibleModule(
        argument_spec={"parts": {"type": "dict", "required": True}, "collections": {"type": "path", "required": True}},
        supports_check_mode=True,
    )
    # Not in this process: the modules are not in what Ansible has packed for this one.
    status, said, problem = module.run_command(
        [sys.executable, "-m", OBSERVER], data=json.dumps(module.params["parts"]), environ_update={"PYTHONPATH": module.params["collections"]}
    )
    # Where that cannot be done, nothing is known to be as asked, and each role looks for itself.
    parts = json.loads(said) if status == 0 else {}
    warnings = {warning for results in parts.values() for result in results for warning in result.pop("warnings", [])}
    for warning in sorted(warnings):
        module.warn(warning)
    module.exit_json(changed=False, parts=parts, problem=problem[-2000:] if status else "", invocation={})


if __name__ == "__main__":
    main()
