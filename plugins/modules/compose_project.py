#!/usr/bin/python
# MIT (see LICENSE), or GNU General Public License v3.0+ (see https://www.gnu.org/licenses/gpl-3.0.txt), as you choose.
# SPDX-License-Identifier: MIT OR GPL-3.0-or-later
"""Ansible module: what a compose.yaml says runs."""

from __future__ import annotations

DOCUMENTATION = r"""
module: compose_project
short_description: What a compose.yaml says runs
description:
  - Calls C(docker compose up) and waits until all services are healthy, as long as is told. No configuration of Docker's that the caller has,
    such as proxies, reaches the containers.
options:
  folder: {type: path, required: true, description: The folder of compose.yaml.}
  variables: {type: dict, default: {}, description: "Variables that compose.yaml names; they outweigh those in a file .env beside it."}
  timeout: {type: int, default: 180, description: Seconds until all services have to be healthy.}
author: todochat (@todochat)
"""

EXAMPLES = r"""
- name: The application runs
  todochat.platform.compose_project:
    folder: ~/todochat
    variables: {TODOCHAT_PORT: 3001}
  become: true
"""

RETURN = r"""
addresses: {type: dict, returned: success, description: "Where this machine reaches each service that has a port, as in 127.0.0.1:3000."}
"""

import json
import shlex
from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.todochat.platform.plugins.module_utils.base.commands import WORK_SECONDS, follow, run
from ansible_collections.todochat.platform.plugins.module_utils.base.errors import UserError, told
from ansible_collections.todochat.platform.plugins.module_utils.base.progress import waiting_for
from ansible_collections.todochat.platform.plugins.module_utils.machine.docker_engine import VARIABLES, docker

LAST_LINES = 30
SERVICE = "com.docker.compose.service"


class Project:
    """The containers of a folder's compose.yaml."""

    def __init__(self, folder: Path, variables: dict[str, Any]) -> None:
        self.folder = folder
        self.variables = {**{name: str(value) for name, value in variables.items()}, **VARIABLES}

    def up(self, timeout: int) -> None:
        """They run, and are healthy. Raises UserError."""
        command = self._command("up", "--detach", "--no-color", "--wait", f"--wait-timeout={timeout}")
        status, lines = follow(command, waiting_for, seconds=timeout + WORK_SECONDS, variables=self.variables, folder=self.folder)
        if status:
            raise failed(self.folder, "up", lines)

    def running(self) -> list[dict[str, Any]]:
        """Those that run, as Docker describes them. Raises UserError."""
        listed = run(*self._command("ps", "--quiet"), variables=self.variables, folder=self.folder)
        if listed.returncode:
            raise failed(self.folder, "ps", listed.stderr.splitlines())
        found: list[dict[str, Any]] = json.loads(docker("inspect", *names).stdout) if (names := listed.stdout.split()) else []
        return found

    def _command(self, *arguments: str) -> list[str]:
        return ["docker", "compose", "--ansi=never", f"--project-directory={self.folder}", *arguments]


def failed(folder: Path, command: str, lines: list[str]) -> UserError:
    return UserError(
        f"`docker compose {command}` failed: {lines[-1] if lines else 'it said nothing'}",
        f"Mend what it says, which `docker compose --project-directory {shlex.quote(str(folder))} logs` may tell more of, then run the same command again.",
        "\n".join(lines[-LAST_LINES:]),
    )


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "folder": {"type": "path", "required": True},
            "variables": {"type": "dict", "default": {}},
            "timeout": {"type": "int", "default": 180},
        }
    )
    given = module.params
    project = Project(Path(given["folder"]), given["variables"])
    with told(module):
        before = {container["Id"]: container["State"]["StartedAt"] for container in project.running()}
        project.up(given["timeout"])
        containers = project.running()
    ports = {container["Config"]["Labels"][SERVICE]: container["NetworkSettings"]["Ports"] or {} for container in containers}
    module.exit_json(
        # what has ended, as it does its work at each start, is none of it
        changed={container["Id"]: container["State"]["StartedAt"] for container in containers} != before,
        addresses={service: f"{one['HostIp']}:{one['HostPort']}" for service, found in ports.items() for bound in found.values() for one in bound or []},
    )


if __name__ == "__main__":
    main()
