#!/usr/bin/python
# MIT (see LICENSE), or GNU General Public License v3.0+ (see https://www.gnu.org/licenses/gpl-3.0.txt), as you choose.
# SPDX-License-Identifier: MIT OR GPL-3.0-or-later
"""Ansible module: a backup in the place of what the application's database holds."""

from __future__ import annotations

DOCUMENTATION = r"""
module: database_restore
short_description: Puts a backup of module database_backup in the place of what is in the application's database
description:
  - Looks at the file, the server, the application and the data first, and refuses, saying why, before anything is touched.
  - Data is only replaced where O(replace) names the database; it is backed up first, into O(undo), while nobody can write any more, so
    that nothing that the application has acknowledged is lost.
  - All is one transaction, which is committed when every table holds what the backup says. Whatever breaks it off leaves the old data.
    Requests of the application wait for its end; those that would be in its way are ended.
  - Objects belong to the login's role, as those that the application's migrations make. Rights of other roles come back where all of
    those roles are there.
options:
  url:
    description: The database, as in postgresql://user:password@host:5432/database?sslmode=verify-full. Parameters are libpq's.
    type: str
    required: true
  image:
    description: The PostgreSQL image, which Docker has.
    type: str
    required: true
  application:
    description: The backend's image by tag or digest, which has to know the backup's schema; empty where there is none to ask.
    type: str
    default: ""
  file:
    description: The backup.
    type: path
    required: true
  replace:
    description: The name of the database, which says that its data may be replaced. Not needed where there is none.
    type: str
    default: ""
  undo:
    description: The file into which what is there is backed up first.
    type: path
    required: true
  owner:
    description: The user that this file belongs to.
    type: str
    required: true
attributes:
  check_mode:
    support: full
    description: Makes all the checks, and says what would be done. Where Docker does not have the image yet, only the file is looked at.
author: todochat (@todochat)
"""

EXAMPLES = r"""
- name: The data is as it was before
  todochat.platform.database_restore:
    url: "{{ app_secrets_database_url }}"
    image: todochat/postgres:17
    application: 127.0.0.1:5000/todo/backend
    file: ~/backups/todo.tar
    replace: todo
    undo: ~/backups/todo-before.tar
    owner: me
"""

RETURN = r"""
undo: {type: str, returned: success, description: "The backup of what was there before; empty where there was no data."}
contents: {type: str, returned: success, description: "The rows of each table, for a person."}
made: {type: str, returned: success, description: When the backup was made.}
behind: {type: bool, returned: success, description: "Whether the schema is older than the application's, whose next start brings it up."}
notes: {type: list, returned: success, description: "What a person should know, a sentence each."}
would: {type: list, returned: success, description: "What was done, or would be, a sentence each."}
"""

from pathlib import Path

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.todochat.platform.plugins.module_utils.base.errors import told
from ansible_collections.todochat.platform.plugins.module_utils.database import dump_file
from ansible_collections.todochat.platform.plugins.module_utils.database.backup import (
    ARGUMENTS,
    Restored,
    by_digest,
    look,
    may_be_written,
    missing_roles,
    refusal,
    restore,
)
from ansible_collections.todochat.platform.plugins.module_utils.database.client import Address, Workbench, has_image, known_revisions


def main() -> None:
    options = {"replace": {"type": "str", "default": ""}, "undo": {"type": "path", "required": True}}
    module = AnsibleModule(argument_spec=ARGUMENTS | options, supports_check_mode=True)
    given = module.params
    path, undo = Path(given["file"]), Path(given["undo"])
    with told(module):
        address = Address.parse(given["url"])
        manifest, start = dump_file.read(path)
        application = by_digest(given["application"])
        revisions = known_revisions(application) if application else []
        holds = manifest.contents.summary()
        result = {"changed": True, "contents": holds, "made": manifest.made}
        if module.check_mode and not has_image(given["image"]):
            module.exit_json(**result, undo="", behind=False, notes=[], would=[f"would restore {path} ({holds}) into {address}"])
        with Workbench(given["image"], address) as bench, bench.session("database") as session:
            found, size = look(session)
            if refused := refusal(manifest, found, revisions, address.database, given["replace"]):
                raise refused
            if not found.is_empty():
                may_be_written(undo, size)
            if module.check_mode:
                done = Restored(found, "" if found.is_empty() else str(undo), missing_roles(session, manifest))
            else:
                asked = {"undo": undo, "owner": given["owner"], "application": application, "replace": given["replace"]}
                done = restore(bench, session, path, manifest, start, **asked)
    verb = "would be " if module.check_mode else ""
    would = [f"what was there ({done.found.summary()}) {verb}backed up to {done.undo}"] if done.undo else []
    would += [f"{address} {verb}restored from {path} ({holds})"]
    missing = " and no ".join(done.without_grants)
    notes = [f"The rights of other roles were left out, as this server has no role {missing}."] if missing else []
    if not revisions:
        notes += ["No image of the application was there to ask whether it knows this schema; its next start looks at that."]
    behind = manifest.contents.revision in ["", *revisions[1:]] and bool(revisions)
    module.exit_json(**result, undo=done.undo, behind=behind, notes=notes, would=would)


if __name__ == "__main__":
    main()
