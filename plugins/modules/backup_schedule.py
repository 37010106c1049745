#!/usr/bin/python
# MIT (see LICENSE), or GNU General Public License v3.0+ (see https://www.gnu.org/licenses/gpl-3.0.txt), as you choose.
# SPDX-License-Identifier: MIT OR GPL-3.0-or-later
"""Ansible module: systemd backs a deployment's database up by itself, or does not."""

from __future__ import annotations

DOCUMENTATION = r"""
module: backup_schedule
short_description: A deployment's database is backed up by a schedule, each time with a drill
description:
  - Writes and enables a systemd timer, whose service runs the checkout's playbooks as the user who called, without a terminal and without
    becoming root; or takes both away again.
  - Where that user is not in the group docker, the service has that group, and the user still has not.
  - Refuses, before anything is touched, where systemd does not run, or where Docker does not answer with that group either.
options:
  deployment: {type: str, required: true, description: "The deployment, by whose name the units are called."}
  every: {type: str, required: true, description: "C(hourly), C(daily), C(weekly), C(monthly), or C(off), which takes the schedule away."}
  keep: {type: str, required: true, description: "How many of the schedule's backups stay."}
  user: {type: str, required: true, description: The user who called.}
  checkout: {type: path, required: true, description: The checkout whose playbooks are run.}
  variables: {type: dict, required: true, description: "The environment of these runs; what is empty is left out."}
  settings: {type: dict, required: true, description: The playbooks' variables.}
attributes:
  check_mode:
    support: full
    description: In check mode, says what would be changed, and changes nothing.
author: todochat (@todochat)
"""

EXAMPLES = r"""
- name: The database is backed up every day
  todochat.platform.backup_schedule:
    deployment: todo
    every: daily
    keep: 7
    user: me
    checkout: ~/todochat
    variables:
      HOME: /home/me
    settings:
      deployment_name: todo
  become: true
"""

RETURN = r"""
rights: {type: str, returned: success, description: "What the service may and the user may not, and what that means, in a sentence; or nothing."}
name: {type: str, returned: success, description: "What the units are called, without their ends."}
would: {type: list, returned: success, description: "What was done, or would be, a sentence each."}
"""

import grp
import json
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.todochat.platform.plugins.module_utils.base.commands import Account, run
from ansible_collections.todochat.platform.plugins.module_utils.base.errors import UserError, told
from ansible_collections.todochat.platform.plugins.module_utils.database import series
from ansible_collections.todochat.platform.plugins.module_utils.machine.docker_engine import VARIABLES
from ansible_collections.todochat.platform.plugins.module_utils.machine.host import init_system
from ansible_collections.todochat.platform.plugins.module_utils.machine.timer import Task, backups

OFF = "off"
EVERY = ("hourly", "daily", "weekly", "monthly", OFF)
GROUP = "docker"
RIGHTS = "these runs have the group docker, in which {} is not: whatever can change that user's files, such as this checkout, can become root by them"


def task(given: dict[str, Any], keep: int, group: str = "") -> Task:
    """A backup and, where it succeeded, a drill of the newest backup, which is that one."""
    begin = ["/usr/bin/env", "python3", "-I", "bootstrap", "--", "ansible-playbook"]
    end = ["-e", json.dumps(given["settings"]), "-e", "ansible_become=false"]
    return Task(
        title=f"Backup of the todochat deployment {given['deployment']}, and a drill",
        made="Written by `make schedule`, which takes it away with ARGS='-e every=off'.",
        every=given["every"],
        user=given["user"],
        folder=Path(given["checkout"]),
        variables={name: value for name, value in given["variables"].items() if value},
        commands=[[*begin, "playbooks/backup.yml", *end, "-e", f"keep={keep}"], [*begin, "playbooks/drill.yml", *end]],
        group=group,
    )


def group_for(user: str) -> str:
    """The group that the user's runs need besides the user's own, empty where that is none. Raises UserError where nothing would come of them."""
    if init_system() != "systemd":
        raise UserError(
            "systemd does not run here, so it cannot start backups",
            f"Have what starts tasks here, such as cron, run `make backup` and `make drill` as {user}; docs/backup.md says with what",
        )
    account = Account.named(user)
    if may_use_docker(account):
        return ""
    with suppress(KeyError):  # there is no such group
        if may_use_docker(replace(account, groups=(*account.groups, grp.getgrnam(GROUP).gr_gid))):
            return GROUP
    raise UserError(
        f"{user} cannot use Docker, nor could the group {GROUP}, and at night nobody is there to give a password",
        "See that Docker runs (`docker info`), and that its socket /var/run/docker.sock is that group's, then run the same command again.",
    )


def may_use_docker(account: Account) -> bool:
    return run("docker", "version", account=account, variables=VARIABLES).returncode == 0


def main() -> None:
    texts = ("deployment", "every", "keep", "user")
    spec = {name: {"type": "str", "required": True} for name in texts} | {"checkout": {"type": "path", "required": True}}
    module = AnsibleModule(argument_spec=spec | {name: {"type": "dict", "required": True} for name in ("variables", "settings")}, supports_check_mode=True)
    given = module.params
    timer, off = backups(given["deployment"]), given["every"] == OFF
    would, rights = [], ""
    with told(module):
        if given["every"] not in EVERY:
            raise UserError(f"every={given['every']} is none of {', '.join(EVERY)}", "Give one of them, as in every=daily.")
        keep = series.number(given["keep"])
        if off and timer.is_there():
            would = [f"{timer.name} {'would be' if module.check_mode else 'is'} taken away"]
        elif not off:
            group = group_for(given["user"])
            rights = RIGHTS.format(given["user"]) if group else ""
            wanted = task(given, keep, group)
            if not timer.does(wanted):
                would = [f"{timer.name} {'would run' if module.check_mode else 'runs'} {given['every']} as {given['user']}, and keeps {keep} backups"]
                would += [rights] if rights else []
        if would and not module.check_mode:
            timer.remove() if off else timer.let_do(wanted)
    module.exit_json(changed=bool(would), name=timer.name, would=would, rights=rights)


if __name__ == "__main__":
    main()
