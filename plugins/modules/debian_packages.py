#!/usr/bin/python
# MIT (see LICENSE), or GNU General Public License v3.0+ (see https://www.gnu.org/licenses/gpl-3.0.txt), as you choose.
# SPDX-License-Identifier: MIT OR GPL-3.0-or-later
"""Ansible module: Debian packages are installed."""

from __future__ import annotations

DOCUMENTATION = r"""
module: debian_packages
short_description: Debian packages are installed
description:
  - Installs what is missing, with what it depends on and nothing that it recommends. What an interrupted dpkg left undone is finished first.
  - Apt gets the proxies that the caller has set on purpose. Needs root.
options:
  names: {type: list, elements: str, required: true, description: The packages.}
  upgrade: {type: bool, default: false, description: Whether those that are installed are upgraded as well.}
author: todochat (@todochat)
"""

EXAMPLES = r"""
- name: A compiler is installed
  todochat.platform.debian_packages:
    names: [gcc, libc6-dev]
  become: true
"""

RETURN = r"""
would: {type: list, returned: success, description: "What was done, or would be done in check mode, a sentence each."}
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.todochat.platform.plugins.module_utils.base.errors import told
from ansible_collections.todochat.platform.plugins.module_utils.machine.apt import Apt


def main() -> None:
    names = {"type": "list", "elements": "str", "required": True}
    module = AnsibleModule(argument_spec={"names": names, "upgrade": {"type": "bool", "default": False}}, supports_check_mode=True)
    given, apt = module.params, Apt()
    with told(module):
        packages = given["names"] if given["upgrade"] else apt.missing(given["names"])
        if packages and not module.check_mode:
            apt.install(packages)
    module.exit_json(changed=bool(packages), would=[f"{name} is installed" for name in packages])


if __name__ == "__main__":
    main()
