#!/usr/bin/python
# MIT (see LICENSE), or GNU General Public License v3.0+ (see https://www.gnu.org/licenses/gpl-3.0.txt), as you choose.
# SPDX-License-Identifier: MIT OR GPL-3.0-or-later
"""Ansible module: whether a deployment serves, or has stopped to because people are, or are going to be, elsewhere."""

from __future__ import annotations

DOCUMENTATION = r"""
module: deployment_pause
short_description: A deployment serves, or stands still while its people are elsewhere
description:
  - C(paused) scales the backend to no pods, marks it with where people are going to be, and waits until the last pod has gone, so that
    nothing is written any more. An autoscaler looks at nothing that was scaled to 0. The frontend answers on, and says that the application is away.
  - C(moved) has the mark say that people are there.
  - C(serving) takes the mark away, with as many pods as before. It waits for none of them. Where there is no mark nothing is changed;
    in check mode it tells of one.
options:
  kubectl: {type: path, required: true, description: The kubectl program.}
  kubeconfig: {type: path, required: true, description: How to reach the cluster.}
  namespace: {type: str, required: true, description: The namespace.}
  state: {type: str, required: true, choices: [paused, moved, serving], description: What it is to be.}
  url: {type: str, default: "", description: "Where people are going to be; for C(paused)."}
  here: {type: str, default: "", description: "The inventory of this deployment; for C(paused)."}
  there: {type: str, default: "", description: "The inventory of the other one; for C(paused)."}
  data: {type: str, default: "", description: "The name of this deployment's database; for C(paused)."}
  timeout: {type: int, default: 120, description: 'How long pods may take to go, in seconds.'}
attributes:
  check_mode:
    support: full
    description: In check mode, says what would be changed, and changes nothing.
author: todochat (@todochat)
"""

EXAMPLES = r"""
- name: Nothing writes any more
  todochat.platform.deployment_pause:
    kubectl: /opt/todochat/bin/kubectl
    kubeconfig: ~/.local/state/todochat/todo/kubeconfig
    namespace: todo
    state: paused
    url: https://todo.example.org
    here: inventory/local.yml
    there: inventory/work.yml
    data: todo
"""

RETURN = r"""
mark:
  description: The mark that was found, with its C(sentence), C(state) and the command that brings people C(back); empty where there is none.
  type: dict
  returned: success
replicas: {type: int, returned: success, description: "How many pods were wanted; -1 where there is no Deployment, or the cluster does not answer."}
would: {type: list, returned: success, description: "What was done, or would be in check mode, a sentence each."}
"""

import json
import time
from dataclasses import asdict, replace
from datetime import UTC, datetime
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.todochat.platform.plugins.module_utils.base.errors import UserError, told
from ansible_collections.todochat.platform.plugins.module_utils.base.progress import waiting_for
from ansible_collections.todochat.platform.plugins.module_utils.cluster.kubectl import Cluster
from ansible_collections.todochat.platform.plugins.module_utils.cluster.moved import ANNOTATION, MOVED, MOVING, Mark, mark

BACKEND = "backend"
POLL_SECONDS = 0.5


def look(cluster: Cluster) -> dict[str, Any] | None:
    """The Deployment; None where there is none, or no cluster that answers."""
    arguments = ("get", f"deployment/{BACKEND}", "--ignore-not-found", "--output=json", "--request-timeout=10s")
    done = cluster.run("kubectl", *arguments, check=False)
    found: dict[str, Any] | None = json.loads(done.stdout) if done.returncode == 0 and done.stdout.strip() else None
    return found


def write(cluster: Cluster, text: str | None, replicas: int) -> None:
    """The mark, or none, and how many pods there are to be, at once."""
    patch = {"metadata": {"annotations": {ANNOTATION: text}}, "spec": {"replicas": replicas}}
    cluster.run("kubectl", "patch", f"deployment/{BACKEND}", "--type=merge", f"--patch={json.dumps(patch)}")


def wait_until_gone(cluster: Cluster, seconds: float) -> None:
    """No pod of the backend's is left, not one that answers its last requests either. Raises UserError."""
    deadline = time.monotonic() + seconds
    while left := [item["metadata"]["name"] for item in cluster.json("pods", f"--selector=app.kubernetes.io/instance={BACKEND}")["items"]]:
        waiting_for(f"stopping {', '.join(left)}")
        if time.monotonic() > deadline:
            raise UserError(f"The pods of {BACKEND} do not stop: {', '.join(left)}", "Run the same command again.")
        time.sleep(POLL_SECONDS)


def pause(cluster: Cluster, given: dict[str, Any], before: Mark | None, replicas: int) -> None:
    now = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"
    places = {name: given[name] for name in ("url", "here", "there", "data")}
    new = Mark(MOVING, now, **places, replicas=before.replicas if before else max(replicas, 1))
    write(cluster, new.text(), 0)
    wait_until_gone(cluster, given["timeout"])


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            **{name: {"type": "path", "required": True} for name in ("kubectl", "kubeconfig")},
            "namespace": {"type": "str", "required": True},
            "state": {"type": "str", "required": True, "choices": ["paused", "moved", "serving"]},
            **{name: {"type": "str", "default": ""} for name in ("url", "here", "there", "data")},
            "timeout": {"type": "int", "default": 120},
        },
        supports_check_mode=True,
    )
    given = module.params
    state = given["state"]
    cluster = Cluster("", given["kubectl"], given["kubeconfig"], given["namespace"])
    with told(module):
        found = look(cluster)
        before = mark(found) if found else None
        replicas = int(found["spec"].get("replicas", 1)) if found else -1
        if state != "serving" and not found:
            raise UserError(f"There is no application in {given['namespace']} that could stop, or its cluster does not answer", cluster.remedy)
        if state == "moved" and not before:
            raise UserError(f"Nobody moves away from {given['namespace']}", "Run `make move TO=PATH`, with the inventory of where people are to be.")
        changes = {"paused": True, "moved": bool(before and before.state != MOVED), "serving": bool(before)}[state]
        if changes and not module.check_mode:
            if state == "paused":
                pause(cluster, given, before, replicas)
            elif before and state == "moved":
                write(cluster, replace(before, state=MOVED).text(), 0)
            elif before:
                write(cluster, None, before.replicas)
    said = {"paused": f"{BACKEND} has no pods, so that nothing is written", "moved": "people are elsewhere", "serving": f"{BACKEND} serves again"}
    shown = {**asdict(before), "sentence": before.sentence, "back": before.back} if before else {}
    module.exit_json(changed=changes, mark=shown, replicas=replicas, would=[said[state]] if changes else [])


if __name__ == "__main__":
    main()
