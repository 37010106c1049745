#!/usr/bin/python
# MIT (see LICENSE), or GNU General Public License v3.0+ (see https://www.gnu.org/licenses/gpl-3.0.txt), as you choose.
# SPDX-License-Identifier: MIT OR GPL-3.0-or-later
"""Ansible module: a backup of the database before an image of the backend migrates it."""

from __future__ import annotations

DOCUMENTATION = r"""
module: migration_backup
short_description: The database is backed up before an image of the backend migrates it
description:
  - Asks the image which schemas it knows, and the database which one it has. Only where there is data that is going to be migrated, a backup is
    written, proven by restoring it.
options:
  url: {type: str, required: true, description: "Where the database is, as in postgresql://user:password@host:5432/database."}
  lock: {type: path, required: true, description: "The lock file, which names the PostgreSQL image."}
  store: {type: path, required: true, description: "The folder that holds finished artifacts, where that image is loaded from."}
  directory: {type: path, required: true, description: The folder of the backups.}
  owner: {type: str, required: true, description: "The user that they belong to, who alone may read them."}
  deployment: {type: str, required: true, description: "The deployment, by whose name they are called."}
  image: {type: str, required: true, description: "The image that is going to run, by digest."}
  before: {type: str, default: "", description: "The image that has made the data, by digest."}
  revision: {type: int, required: true, description: The revision of the deployment that comes.}
author: todochat (@todochat)
"""

EXAMPLES = r"""
- name: The database is backed up before it is migrated
  todochat.platform.migration_backup:
    url: "{{ app_release_database_url }}"
    lock: artifacts.lock.yml
    store: ~/.cache/todochat/store
    directory: ~/.local/state/todochat/todo/backups
    owner: me
    deployment: todo
    image: 127.0.0.1:5000/todo/backend@sha256:0123
    revision: 7
"""

RETURN = r"""
would: {type: list, returned: success, description: "What was done, or would be, a sentence; none where nothing is migrated."}
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.todochat.platform.plugins.module_utils.base.errors import UserError, fail, told
from ansible_collections.todochat.platform.plugins.module_utils.database import compatibility


def main() -> None:
    more = {**{name: {"type": "str", "required": True} for name in ("deployment", "image")}, "before": {"type": "str", "default": ""}}
    module = AnsibleModule(
        argument_spec={**compatibility.ARGUMENTS, **more, "revision": {"type": "int", "required": True}},
        supports_check_mode=True,
    )
    given = module.params
    with told(module):
        database = compatibility.database({name: given[name] for name in compatibility.ARGUMENTS}, given["deployment"])
        try:
            made = database.back_up_before_migration(given["image"], given["before"], given["revision"], module.check_mode)
        except UserError as error:
            if not module.check_mode:
                fail(module, error)
            made = ""  # what an earlier role would start does not run yet
        module.exit_json(changed=bool(made), would=[made] if made else [])


if __name__ == "__main__":
    main()
