#!/usr/bin/python
# MIT (see LICENSE), or GNU General Public License v3.0+ (see https://www.gnu.org/licenses/gpl-3.0.txt), as you choose.
# SPDX-License-Identifier: MIT OR GPL-3.0-or-later
"""Observes the Docker engine of this machine."""

from __future__ import annotations

DOCUMENTATION = r"""
module: container_engine_info
short_description: Observe the Docker engine of this machine
description:
  - Says what there is of Docker, however it was installed, what is missing, and where apt finds Debian's releases.
  - Warns of what membership in the group C(docker) means, where it is still to be given.
  - Changes nothing. Needs root, because the engine's socket does.
options:
  users:
    description: Users that are to be in the group C(docker).
    type: list
    elements: str
    default: []
  release:
    description: Code name of this machine's Debian release.
    type: str
    default: ""
  wait_seconds:
    description: How long to wait for an engine that was just started; fails with the end of its log when it does not answer.
    type: int
    default: 0
author:
  - The todochat maintainers (@todochat)
"""

EXAMPLES = r"""
- name: The Docker engine is observed
  todochat.platform.container_engine_info:
    users: [dev]
  become: true
  register: engine
"""

RETURN = r"""
version:
  description: Version of the engine that answers, empty where none does.
  type: str
  returned: always
installed_version:
  description: Version of the engine installed, running or not; empty where there is none.
  type: str
  returned: always
supported:
  description: Whether an engine answers that is new enough.
  type: bool
  returned: always
init:
  description: Who starts services, C(systemd) or C(none).
  type: str
  returned: always
missing:
  description: Debian's packages for what is missing.
  type: list
  elements: str
  returned: always
refused:
  description: Why nothing can be made in what stands in Docker's place, and what to do about it; empty where it is Docker itself, or nothing.
  type: str
  returned: always
users_outside:
  description: The asked users that are not in the group docker.
  type: list
  elements: str
  returned: always
users_unknown:
  description: The asked users that do not exist.
  type: list
  elements: str
  returned: always
repository:
  description: Base URI and Signed-By of the repository of this machine's release; null where nothing is missing or apt knows none.
  type: dict
  returned: always
security_repository:
  description: The same of the release's security updates.
  type: dict
  returned: always
"""

import pwd
import time
from dataclasses import asdict
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.todochat.platform.plugins.module_utils.base.errors import UserError, fail, told
from ansible_collections.todochat.platform.plugins.module_utils.base.progress import waiting_for
from ansible_collections.todochat.platform.plugins.module_utils.machine import apt, docker_engine, host
from ansible_collections.todochat.platform.plugins.module_utils.machine.accounts import group_members

POLL_SECONDS = 0.5
OLDEST = 24
MEANS_ROOT = (
    "{} will be put into the group docker, as minikube needs it: whoever is in that group can become root without a password. "
    "Who does not want that has another user, who is made, run minikube: -e deployment_minikube_user=minikube"
)


def observe(users: list[str], release: str) -> dict[str, Any]:
    """What the module returns; keys and types are those of RETURN."""
    known = [user for user in users if _exists(user)]
    version = docker_engine.answering_version()
    installed = version or docker_engine.installed_version()
    missing = docker_engine.missing_packages(installed)
    older = bool(installed) and int(installed.partition(".")[0]) < OLDEST
    stand_in = docker_engine.stand_in()
    refusal = docker_engine.refusal(stand_in) if stand_in else None
    return {
        "version": version,
        "installed_version": installed,
        "supported": bool(version) and not older,
        "init": host.init_system(),
        "missing": missing,
        "refused": f"{refusal.why}\n{refusal.remedy}" if refusal else "",
        "users_unknown": [user for user in users if user not in known],
        "users_outside": [user for user in users if user not in group_members("docker")],
        **_repositories(release if missing or older else ""),
    }


def _exists(user: str) -> bool:
    try:
        pwd.getpwnam(user)
    except KeyError:
        return False
    return True


def _repositories(release: str) -> dict[str, Any]:
    found: dict[str, Any] = {"repository": None, "security_repository": None}
    targets = apt.apt_targets() if release else ""
    for name, suite in (("repository", release), ("security_repository", f"{release}-security")):
        repository = apt.debian_repository(targets, suite)
        found[name] = asdict(repository) if repository else None
    return found


def _answers_within(seconds: int) -> bool:
    waiting_for("waiting for Docker to answer")
    end = time.monotonic() + seconds
    while not docker_engine.answering_version():
        if time.monotonic() > end:
            return False
        time.sleep(POLL_SECONDS)
    return True


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "users": {"type": "list", "elements": "str", "default": []},
            "release": {"type": "str", "default": ""},
            "wait_seconds": {"type": "int", "default": 0},
        },
        supports_check_mode=True,
    )
    with told(module):
        seconds = module.params["wait_seconds"]
        if seconds and not _answers_within(seconds):
            fail(
                module,
                UserError(
                    f"Docker was started but does not answer after {seconds} s.",
                    "Mend what the end of its log above names, then run the same command again.",
                    docker_engine.last_lines(),
                ),
            )
        if outside := [user for user in module.params["users"] if user not in group_members("docker")]:
            module.warn(MEANS_ROOT.format(" and ".join(outside)))
        module.exit_json(changed=False, **observe(module.params["users"], module.params["release"]))


if __name__ == "__main__":
    main()
