#!/usr/bin/python
# MIT (see LICENSE), or GNU General Public License v3.0+ (see https://www.gnu.org/licenses/gpl-3.0.txt), as you choose.
# SPDX-License-Identifier: MIT OR GPL-3.0-or-later
"""Ansible module: a backup is restored for a trial."""

from __future__ import annotations

DOCUMENTATION = r"""
module: database_drill
short_description: Restores a backup of module database_backup for a trial, and says how that went
description:
  - Reads the file, restores it into an empty server, reads every row, and compares with what the backup says of itself; asks the
    application's image whether it can work with that schema.
  - The server is one of its own, in a container that is gone afterwards, whatever ends this. The application's database is not even asked,
    so this works without its address and its password, also while it does not run.
options:
  image:
    description: The PostgreSQL image, which Docker has.
    type: str
    required: true
  application:
    description: The backend's image by tag or digest; empty where there is none to ask.
    type: str
    default: ""
  file:
    description: The backup.
    type: path
    required: true
attributes:
  check_mode:
    support: full
    description: Looks at the file, and restores nothing.
author: todochat (@todochat)
"""

EXAMPLES = r"""
- name: A backup can be restored
  todochat.platform.database_drill:
    image: todochat/postgres:17
    application: 127.0.0.1:5000/todo/backend
    file: ~/backups/todo.tar
"""

RETURN = r"""
would: {type: str, returned: success, description: "How it went, or what would be done, in a sentence."}
"""

import time
from datetime import UTC, datetime
from pathlib import Path

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.todochat.platform.plugins.module_utils.base.errors import UserError, told
from ansible_collections.todochat.platform.plugins.module_utils.base.words import age
from ansible_collections.todochat.platform.plugins.module_utils.database import dump_file
from ansible_collections.todochat.platform.plugins.module_utils.database.backup import ARGUMENTS, by_digest, need_room_for_a_trial, unknown_schema, wrong_in
from ansible_collections.todochat.platform.plugins.module_utils.database.client import Workbench, known_revisions

# What a dump takes in a database; it is compressed.
GROWS = 5


def main() -> None:
    module = AnsibleModule(argument_spec={name: ARGUMENTS[name] for name in ("image", "application", "file")}, supports_check_mode=True)
    given = module.params
    path = Path(given["file"])
    began = time.monotonic()
    with told(module):
        manifest, _unused = dump_file.read(path)
        old = age((datetime.now(UTC) - datetime.strptime(f"{manifest.made}+0000", "%Y%m%dT%H%M%SZ%z")).total_seconds())
        holds = f"{path}, {old} old, holds {manifest.contents.summary()}"
        if module.check_mode:
            module.exit_json(changed=False, would=f"would restore for a trial: {holds}")
        application = by_digest(given["application"])
        if unknown := unknown_schema(manifest, known_revisions(application) if application else []):
            raise unknown
        need_room_for_a_trial(GROWS * path.stat().st_size)
        with Workbench(given["image"]) as bench:
            if wrong := wrong_in(bench, path, manifest):
                raise UserError(f"The backup {path} did not pass: {wrong}", "Keep another backup, and make a new one: make backup")
    module.exit_json(changed=False, would=f"The drill passed: {holds}; all of it came back in {age(time.monotonic() - began)}")


if __name__ == "__main__":
    main()
