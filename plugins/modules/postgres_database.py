# MIT (see LICENSE), or GNU General Public License v3.0+ (see https://www.gnu.org/licenses/gpl-3.0.txt), as you choose.
# SPDX-License-Identifier: MIT OR GPL-3.0-or-later
"""Ansible module postgres_database: a database with its owner and its logins, in a PostgreSQL container."""

from __future__ import annotations

DOCUMENTATION = r"""
module: postgres_database
short_description: Keeps a database, its owner and its logins in a PostgreSQL container
description:
  - Waits until the server in the container answers, compares, and changes only what differs.
  - Administers over the container's local socket, with SQL on standard input.
  - Keeps the server's C(pg_hba.conf), by which none but members of O(owner) log in over the network, and into O(database) alone.
  - The password never leaves this module; the server is sent a SCRAM-SHA-256 verifier of it.
  - A container that cannot be asked yet is reported as changed in check mode.
options:
  container:
    description: Name of the container.
    type: str
    required: true
  database:
    description: Name of the database.
    type: str
    required: true
  owner:
    description: Role that owns the database and all that is made in it. It cannot log in.
    type: str
    required: true
  login:
    description: Role that logs in, and acts as O(owner) from then on.
    type: str
    required: true
  password:
    description: Password of O(login), in printable ASCII. May be empty in check mode, where it may not exist yet.
    type: str
    required: true
  reset_password:
    description: Whether a login that can log in with another password is given this one. Otherwise that is a failure.
    type: bool
    default: false
  other_login:
    description: Role that logged in before O(login), or will after it, where two take turns.
    type: str
    default: ""
  lock_other:
    description:
      - Whether O(other_login) is locked. It loses its password, and can no longer log in.
      - Its sessions may end by themselves within O(timeout), as they do while those who used it are being replaced; what is
        left then is ended.
    type: bool
    default: false
  timeout:
    description: Seconds to wait for the server to answer, and for sessions to end.
    type: int
    default: 60
attributes:
  check_mode:
    support: full
    description: In check mode, says what would be changed, and changes nothing.
  diff_mode:
    support: full
    description: Shows roles and databases, and no password.
author: todochat (@todochat)
"""

EXAMPLES = r"""
- name: The database has its owner and its login
  todochat.platform.postgres_database:
    container: todo-database
    database: todo
    owner: todo_owner
    login: todo_app
    password: "{{ vault_database_password }}"
"""

RETURN = r"""
steps:
  description: What was done, or would be.
  returned: always
  type: list
  elements: str
other_is_open:
  description: Whether the other login could log in, as it was found.
  returned: always
  type: bool
container:
  description: The container as it was found, with its status (absent where there is none), restarts, labels, networks, and addresses by network.
  returned: always
  type: dict
"""

import json
import subprocess
import time
from typing import Any, NoReturn

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.todochat.platform.plugins.module_utils.base.commands import StuckProgramError, which
from ansible_collections.todochat.platform.plugins.module_utils.base.errors import UserError, fail, told
from ansible_collections.todochat.platform.plugins.module_utils.base.progress import waiting_for
from ansible_collections.todochat.platform.plugins.module_utils.database import roles
from ansible_collections.todochat.platform.plugins.module_utils.machine import docker_engine

LOOK = "Read why with `docker logs {}`, mend it, then run the same command again."


class Server:
    """The PostgreSQL server in a container, reached by `docker exec`."""

    def __init__(self, module: AnsibleModule) -> None:
        self.module = module
        self.container: str = module.params["container"]
        self.program = which("docker")

    def docker(self, *arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        """Run docker with `stdin`; whatever its exit status."""
        if not self.program:
            self.fail("cannot be reached: there is no docker command", "Run `make up ARGS='--tags container_engine'` first.")
        try:
            return docker_engine.docker(*arguments, stdin=stdin, seconds=self.module.params["timeout"])
        except StuckProgramError:
            self.fail(f"did not answer to docker {arguments[0]} within {self.module.params['timeout']} s", LOOK.format(self.container))

    def fail(self, problem: str, remedy: str, details: str = "") -> NoReturn:
        """Fail the task with a sentence about the container."""
        fail(self.module, UserError(f"The database container {self.container} {problem}", remedy, details))

    def facts(self) -> dict[str, Any]:
        """Of the container: status ("absent" where there is none), restarts, labels, networks, addresses by network."""
        asked = self.docker("container", "inspect", self.container) if self.program else None
        if asked is None or asked.returncode:
            return {"status": "absent", "restarts": 0, "labels": {}, "networks": [], "addresses": {}}
        found = json.loads(asked.stdout)[0]
        return {
            "status": found["State"]["Status"],
            "restarts": found["RestartCount"],
            "labels": found["Config"]["Labels"] or {},
            "networks": sorted(found["NetworkSettings"]["Networks"]),
            "addresses": {name: network["IPAddress"] for name, network in found["NetworkSettings"]["Networks"].items()},
        }

    def wait_until_ready(self) -> None:
        """Return when the server accepts connections; fail when it died, or when the time is over."""
        deadline = time.monotonic() + self.module.params["timeout"]
        restarts = self.facts()["restarts"]
        # By TCP: while a new database is being made, the official image runs a server that listens on the socket only.
        while self.docker("exec", self.container, "pg_isready", "--quiet", "--host=127.0.0.1").returncode:
            now = self.facts()
            died = now["status"] not in ("running", "created", "restarting") or now["restarts"] > restarts
            if died or time.monotonic() > deadline:
                logs = self.docker("logs", "--tail", "8", self.container)
                self.fail(
                    f"does not accept connections (it is {now['status']}, restarted {now['restarts']} times)",
                    LOOK.format(self.container),
                    (logs.stdout + logs.stderr).strip(),
                )
            waiting_for(f"waiting for PostgreSQL in {self.container} to take connections")
            time.sleep(0.25)

    def wait_until_unused(self, login: str) -> None:
        """Return when a login has no sessions any more, or when the time is over."""
        deadline = time.monotonic() + self.module.params["timeout"]
        while int(self.sql(roles.sessions(login))) and time.monotonic() < deadline:
            waiting_for(f"waiting for the sessions of {login} to end")
            time.sleep(0.25)

    def sql(self, text: str) -> str:
        """What psql prints for `text`, which is stopped at the first error."""
        done = self.docker("exec", "--interactive", self.container, *roles.PSQL, stdin=roles.QUIETLY + text)
        if done.returncode:
            self.fail(f"refused: {done.stderr.strip()}", LOOK.format(self.container))
        return done.stdout


def main() -> None:
    """Entry point."""
    module = AnsibleModule(
        argument_spec={
            "container": {"type": "str", "required": True},
            "database": {"type": "str", "required": True},
            "owner": {"type": "str", "required": True},
            "login": {"type": "str", "required": True},
            "password": {"type": "str", "required": True, "no_log": True},
            "reset_password": {"type": "bool", "default": False, "no_log": False},
            "other_login": {"type": "str", "default": ""},
            "lock_other": {"type": "bool", "default": False},
            "timeout": {"type": "int", "default": 60},
        },
        supports_check_mode=True,
    )
    with told(module):
        names = {key: module.params[key] for key in ("database", "owner", "login", "other_login")}
        wanted = roles.Wanted(**names, password=module.params["password"])
        server = Server(module)
        facts = server.facts()
        if module.check_mode and not wanted.password:
            # The vault that will hold the password has only been announced.
            wanted = roles.Wanted(**names, password="not-made-yet")
            actual = roles.NOTHING
        elif problem := wanted.problem():
            fail(module, UserError(f"The database of container {server.container} cannot be kept: {problem}.", "Correct it, then run the same command again."))
        elif module.check_mode and facts["status"] != "running":
            actual = roles.NOTHING
        else:
            server.wait_until_ready()
            actual = roles.Actual.parse(server.sql(roles.observation(wanted)))

        try:
            steps = roles.plan(wanted, actual, module.params["reset_password"], module.params["lock_other"])
        except roles.PasswordDiffersError:
            server.fail(
                f"holds data whose role {wanted.login} has another password than the vault says: the vault does not belong to this database",
                "Put the vault back that does, or give the role the vault's password with -e database_reset_password=true.",
            )
        if steps and not module.check_mode:
            if module.params["lock_other"] and actual.other_is_open:
                server.wait_until_unused(wanted.other_login)
            server.sql("\n".join(step.sql for step in steps))
        says = [f"would {step.says}" if module.check_mode else step.says for step in steps]
        result = {"changed": bool(steps), "steps": says, "msg": "; ".join(says) or "as wanted", "container": facts, "other_is_open": actual.other_is_open}
        if module._diff:
            result["diff"] = {"prepared": "".join(f"+ {step.says}\n" for step in steps)}
        module.exit_json(**result)


if __name__ == "__main__":
    main()
