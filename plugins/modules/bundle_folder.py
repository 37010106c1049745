#!/usr/bin/python
# MIT (see LICENSE), or GNU General Public License v3.0+ (see https://www.gnu.org/licenses/gpl-3.0.txt), as you choose.
# SPDX-License-Identifier: MIT OR GPL-3.0-or-later
"""Ansible module: a folder has everything that a machine without a network needs."""

from __future__ import annotations

DOCUMENTATION = r"""
module: bundle_folder
short_description: A folder has everything that a machine without a network needs
description:
  - Writes what the store holds of the lock file, and the packages of Debian, Python and npm that this checkout installs, with a manifest and an SBOM.
  - Each content is there once, named by its hash. What is there already is compared, and not fetched again; what is not needed any more goes.
options:
  path: {type: path, required: true, description: "The folder, made where there is none."}
  lock: {type: path, required: true, description: "The lock file, in the checkout that the bundle is for."}
  store: {type: path, required: true, description: "The folder that holds finished artifacts, filled before."}
  optional: {type: list, elements: str, default: [], description: "Artifacts that are wanted besides, of those that the lock file calls optional."}
  python: {type: path, required: true, description: "The Python of an environment with what requirements/bundle.txt names."}
author: todochat (@todochat)
"""

EXAMPLES = r"""
- name: The bundle is written
  todochat.platform.bundle_folder:
    path: /media/stick/todochat
    lock: artifacts.lock.yml
    store: ~/.cache/todochat/store
    python: .venv/bundle/bin/python
"""

RETURN = r"""
files: {type: int, returned: success, description: "How many files it has."}
size: {type: int, returned: success, description: "Their size in bytes."}
kinds: {type: dict, returned: success, description: "The size in bytes of each kind of files."}
new: {type: int, returned: success, description: "How many bytes were not there before."}
seconds: {type: float, returned: success, description: "How long it took."}
would: {type: list, returned: success, description: "What was done, or would be done in check mode, a sentence each."}
"""

import time
from pathlib import Path

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.todochat.platform.plugins.module_utils.base.errors import told
from ansible_collections.todochat.platform.plugins.module_utils.store.lock import Lock
from ansible_collections.todochat.platform.plugins.module_utils.store.store import Store
from ansible_collections.todochat.platform.plugins.module_utils.whole.bundle import write


def main() -> None:
    paths = {name: {"type": "path", "required": True} for name in ("path", "lock", "store", "python")}
    module = AnsibleModule(
        argument_spec={**paths, "optional": {"type": "list", "elements": "str", "default": []}}, supports_check_mode=True
    )
    given, began = module.params, time.monotonic()
    would = [f"{given['path']} is a bundle of what the lock files name"]
    if module.check_mode:
        module.exit_json(changed=True, would=would, files=0, size=0, kinds={}, new=0, seconds=0.0)
    with told(module):
        written = write(Path(given["path"]), Lock(Path(given["lock"])), Store(Path(given["store"])), given["optional"], given["python"])
    module.exit_json(would=would if written["changed"] else [], seconds=round(time.monotonic() - began, 1), **written)


if __name__ == "__main__":
    main()
