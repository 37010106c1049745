#!/usr/bin/python
# MIT (see LICENSE), or GNU General Public License v3.0+ (see https://www.gnu.org/licenses/gpl-3.0.txt), as you choose.
# SPDX-License-Identifier: MIT OR GPL-3.0-or-later
"""Ansible module: one artifact is built from package registries into the store."""

from __future__ import annotations

DOCUMENTATION = r"""
module: bundle_component
short_description: One artifact is built from package registries into the store
description:
  - Builds the version that the lock file names from its Go module or from Debian packages, unless the store has it.
options:
  lock: {type: path, required: true, description: The lock file.}
  store: {type: path, required: true, description: The folder that holds finished artifacts.}
  cache: {type: path, required: true, description: The folder for compiler caches and the Go toolchain.}
  name: {type: str, required: true, description: The artifact.}
author: todochat (@todochat)
"""

EXAMPLES = r"""
- name: The bundle has etcd
  todochat.platform.bundle_component:
    lock: artifacts.lock.yml
    store: ~/.cache/todochat/store
    cache: ~/.cache/todochat/build
    name: etcd
"""

RETURN = r"""
seconds: {type: float, returned: changed, description: How long the build took.}
"""

import time
from pathlib import Path

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.todochat.platform.plugins.module_utils.base.errors import told
from ansible_collections.todochat.platform.plugins.module_utils.store.build import Builder
from ansible_collections.todochat.platform.plugins.module_utils.store.lock import Lock
from ansible_collections.todochat.platform.plugins.module_utils.store.store import Store


def main() -> None:
    paths = {name: {"type": "path", "required": True} for name in ("lock", "store", "cache")}
    module = AnsibleModule(
        argument_spec={**paths, "name": {"type": "str", "required": True}}, supports_check_mode=True
    )
    started = time.monotonic()
    with told(module):
        lock = Lock(Path(module.params["lock"]))
        store = Store(Path(module.params["store"]))
        artifact = lock[module.params["name"]]
        if store.has(artifact):
            module.exit_json(changed=False)
        if not module.check_mode:
            Builder(lock, store, Path(module.params["cache"])).build(artifact)
    module.exit_json(changed=True, seconds=round(time.monotonic() - started, 1))


if __name__ == "__main__":
    main()
