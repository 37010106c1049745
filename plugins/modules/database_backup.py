#!/usr/bin/python
# MIT (see LICENSE), or GNU General Public License v3.0+ (see https://www.gnu.org/licenses/gpl-3.0.txt), as you choose.
# SPDX-License-Identifier: MIT OR GPL-3.0-or-later
"""Ansible module: a backup of the application's database, proven by restoring it."""

from __future__ import annotations

DOCUMENTATION = r"""
module: database_backup
short_description: Writes a backup of the application's database, proven by restoring it
description:
  - Takes one snapshot with pg_dump, restores it into an empty server, and compares every table with what was counted in that snapshot.
    Only then does the file get its name. Where anything fails, nothing is left behind.
  - Works for any database by its URL, with the programs of the PostgreSQL image in a container that is gone afterwards. It takes what is
    in the schema that the URL's login makes its tables in. Users, passwords and rights of the server are not in it.
  - The URL is sent to the container on standard input and lies there in memory alone.
options:
  url:
    description: The database, as in postgresql://user:password@host:5432/database?sslmode=verify-full. Parameters are libpq's.
    type: str
    required: true
  image:
    description: The PostgreSQL image, which Docker has. It has to be as new as the server.
    type: str
    required: true
  application:
    description: The backend's image by tag or digest, whose digest is kept in the backup; empty where there is none.
    type: str
    default: ""
  file:
    description: The file to write, which must not be there. Missing folders are made.
    type: path
    required: true
  owner:
    description: The user that the file belongs to, who alone may read it.
    type: str
    required: true
  keep:
    description: >-
      How many backups of a schedule are to stay, this one among them, when it is written; the oldest go. Such are beside the file, and
      called as it is, but for the time, as in C(todo-20260102T030405Z-scheduled.tar). Empty where all stay.
    type: str
    default: ""
attributes:
  check_mode:
    support: full
    description: Says what would be written. Where Docker does not have the image yet, the database is not asked.
author: todochat (@todochat)
"""

EXAMPLES = r"""
- name: The database is backed up
  todochat.platform.database_backup:
    url: "{{ app_secrets_database_url }}"
    image: todochat/postgres:17
    file: ~/backups/todo.tar
    owner: me
"""

RETURN = r"""
file: {type: str, returned: success, description: The backup.}
size: {type: str, returned: success, description: "Its size, for a person; empty in check mode."}
contents: {type: str, returned: success, description: "The rows of each table, for a person."}
revision: {type: str, returned: success, description: The migration that made the tables.}
removed: {type: list, returned: success, description: "The backups of the schedule that were too many, and are gone, or would be."}
would: {type: list, returned: success, description: "What was done, or would be, a sentence each."}
"""

from pathlib import Path

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.todochat.platform.plugins.module_utils.base.errors import told
from ansible_collections.todochat.platform.plugins.module_utils.base.words import human
from ansible_collections.todochat.platform.plugins.module_utils.database import series
from ansible_collections.todochat.platform.plugins.module_utils.database.backup import ARGUMENTS, by_digest, look, may_be_written, take
from ansible_collections.todochat.platform.plugins.module_utils.database.client import Address, Workbench, has_image


def main() -> None:
    module = AnsibleModule(argument_spec=ARGUMENTS | {"keep": {"type": "str", "default": ""}}, supports_check_mode=True)
    given = module.params
    path = Path(given["file"])
    with told(module):
        going = series.surplus(path, series.number(given["keep"])) if given["keep"] else []
        address = Address.parse(given["url"])
        if module.check_mode and not has_image(given["image"]):
            module.exit_json(changed=True, file=str(path), size="", contents="", revision="", removed=[], would=[f"would back up {address} to {path}"])
        with Workbench(given["image"], address) as bench, bench.session("database") as session:
            session.ask("BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            if module.check_mode:
                contents, bytes_there = look(session)
                may_be_written(path, bytes_there)
                size = ""
            else:
                contents = take(bench, session, path, given["owner"], by_digest(given["application"])).contents
                size = human(path.stat().st_size)
        if not module.check_mode:
            for file in going:
                file.unlink(missing_ok=True)
    did = "would back up" if module.check_mode else "backed up"
    module.exit_json(
        changed=True,
        file=str(path),
        size=size,
        contents=contents.summary(),
        revision=contents.revision,
        removed=list(map(str, going)),
        would=[f"{did} {address} ({contents.summary()}) to {path}", *(f"{'would remove' if module.check_mode else 'removed'} {file}" for file in going)],
    )


if __name__ == "__main__":
    main()
