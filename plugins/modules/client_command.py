#!/usr/bin/python
# MIT (see LICENSE), or GNU General Public License v3.0+ (see https://www.gnu.org/licenses/gpl-3.0.txt), as you choose.
# SPDX-License-Identifier: MIT OR GPL-3.0-or-later
"""Ansible module: a command of kubectl or Docker, run as all modules of this collection run theirs."""

from __future__ import annotations

DOCUMENTATION = r"""
module: client_command
short_description: Runs kubectl or docker as all modules of this collection do
description:
  - No proxy, no context and no configuration of the caller's has a say in it, and it is ended when it takes too long.
options:
  argv: {type: list, elements: str, required: true, description: "The command, which begins with kubectl or docker."}
  kubectl: {type: path, default: kubectl, description: The kubectl program.}
  kubeconfig: {type: path, default: "", description: How to reach the cluster.}
  namespace: {type: str, default: default, description: The namespace that kubectl is about.}
author: todochat (@todochat)
"""

EXAMPLES = r"""
- name: The backend starts anew
  todochat.platform.client_command:
    argv: [kubectl, rollout, restart, deployment/backend]
    kubectl: /opt/todochat/bin/kubectl
    kubeconfig: ~/.local/state/todochat/todo/kubeconfig
    namespace: todo
"""

RETURN = r"""
cmd: {type: list, returned: when it ran, description: "The whole command."}
rc: {type: int, returned: when it ran, description: Its exit status.}
stdout: {type: str, returned: when it ran, description: What it printed.}
stderr: {type: str, returned: when it ran, description: What it said beside.}
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.todochat.platform.plugins.module_utils.base.errors import UserError, fail, told
from ansible_collections.todochat.platform.plugins.module_utils.cluster.kubectl import Cluster
from ansible_collections.todochat.platform.plugins.module_utils.machine.docker_engine import docker


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "argv": {"type": "list", "elements": "str", "required": True},
            "kubectl": {"type": "path", "default": "kubectl"},
            "kubeconfig": {"type": "path", "default": ""},
            "namespace": {"type": "str", "default": "default"},
        }
    )
    given = module.params
    program, *rest = given["argv"]
    with told(module):
        if program not in ("kubectl", "docker"):
            raise UserError(f"{program} is no program of this module's", "Name kubectl or docker.")
        cluster = Cluster("", given["kubectl"], given["kubeconfig"], given["namespace"])
        done = docker(*rest) if program == "docker" else cluster.run(program, *rest, check=False)
    result = {"cmd": done.args, "rc": done.returncode, "stdout": done.stdout.rstrip("\n"), "stderr": done.stderr.strip()}
    if done.returncode:
        said = [*done.stdout.splitlines(), *result["stderr"].splitlines()] or ["it said nothing"]
        why = f"`{' '.join(given['argv'][:3])}` failed: {said[-1]}"
        details = result["stderr"] if "\n" in result["stderr"] else ""
        fail(module, UserError(why, "Run `make status`, which says what runs, and what comes first.", details), **result)
    module.exit_json(changed=True, **result)


if __name__ == "__main__":
    main()
