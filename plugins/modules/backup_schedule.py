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
  - Refuses, before anything is touched, where systemd does not run, or where that user may not use Docker without a password.
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
name: {type: str, returned: success, description: "What the units are called, without their ends."}
would: {type: list, returned: success, description: "What was done, or would be, a sentence each."}
"""

import json
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


def task(given: dict[str, Any], keep: int) -> Task:
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
    )


def refusal(given: dict[str, Any]) -> UserError | None:
    """Why nothing would come of it, or None."""
    if init_system() != "systemd":
        return UserError(
            "systemd does not run here, so it cannot start backups",
            f"Have what starts tasks here, such as cron, run `make backup` and `make drill` as {given['user']}; docs/backup.md says with what",
        )
    if run("docker", "version", account=Account.named(given["user"]), variables=VARIABLES).returncode:
        return UserError(
            f"{given['user']} cannot use Docker without becoming root, and at night nobody is there to give a password",
            f"See that Docker runs, and put {given['user']} into its group (sudo gpasswd --add {given['user']} docker), then run the same command again.",
        )
    return None


def main() -> None:
    texts = ("deployment", "every", "keep", "user")
    spec = {name: {"type": "str", "required": True} for name in texts} | {"checkout": {"type": "path", "required": True}}
    module = AnsibleModule(argument_spec=spec | {name: {"type": "dict", "required": True} for name in ("variables", "settings")}, supports_check_mode=True)
    given = module.params
    timer, off = backups(given["deployment"]), given["every"] == OFF
    would = []
    with told(module):
        if given["every"] not in EVERY:
            raise UserError(f"every={given['every']} is none of {', '.join(EVERY)}", "Give one of them, as in every=daily.")
        keep = series.number(given["keep"])
        if off and timer.is_there():
            would = [f"{timer.name} {'would be' if module.check_mode else 'is'} taken away"]
        elif not off:
            if refused := refusal(given):
                raise refused
            wanted = task(given, keep)
            if not timer.does(wanted):
                would = [f"{timer.name} {'would run' if module.check_mode else 'runs'} {given['every']} as {given['user']}, and keeps {keep} backups"]
        if would and not module.check_mode:
            timer.remove() if off else timer.let_do(wanted)
    module.exit_json(changed=bool(would), name=timer.name, would=would)


if __name__ == "__main__":
    main()
