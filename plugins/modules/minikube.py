#!/usr/bin/python
# MIT (see LICENSE), or GNU General Public License v3.0+ (see https://www.gnu.org/licenses/gpl-3.0.txt), as you choose.
# SPDX-License-Identifier: MIT OR GPL-3.0-or-later
"""Ansible module: a minikube profile is in the state that is asked for."""

from __future__ import annotations

DOCUMENTATION = r"""
module: minikube
short_description: A minikube profile is in the state that is asked for
description:
  - Compares a minikube profile with what is asked and changes only what differs. Runs minikube as an ordinary user.
  - A start that was broken off leaves an unfinished profile, which the next run removes and makes anew.
  - A cluster that runs starts by itself with Docker, after a reboot too; one that was stopped stays stopped.
options:
  name: {type: str, required: true, description: The profile.}
  state:
    description: C(present) makes the cluster but does not start a stopped one.
    type: str
    choices: [started, present, stopped, absent]
    default: started
  executable: {type: path, required: true, description: The minikube program.}
  home: {type: path, required: true, description: 'The MINIKUBE_HOME, ours alone.'}
  user: {type: str, required: true, description: The ordinary user who runs minikube.}
  kubeconfig: {type: path, description: A copy of the cluster's kubeconfig for the person who called.}
  on_drift:
    description: >-
      What happens where the existing cluster differs from what is asked: C(fail) says how, C(recreate) deletes it and
      makes it anew, C(ignore) leaves it and starts it as it is.
    type: str
    choices: [fail, recreate, ignore]
    default: fail
  driver: {type: str, default: docker, description: The minikube driver.}
  container_runtime: {type: str, default: containerd, description: The container runtime in the node.}
  kubernetes_version: {type: str, required: true, description: The Kubernetes version.}
  lock: {type: path, required: true, description: The lock file; a cluster is made of the Kubernetes version that it holds.}
  cpus: {type: int, default: 2, description: CPUs of each node.}
  memory: {type: int, default: 6144, description: 'Memory of each node, in MiB.'}
  nodes:
    description:
      - Number of nodes. The first one has the control plane.
      - Where there are several, minikube's cache has an image of the pods' network, and I(home) its manifest, C(kube-router.yml).
    type: int
    default: 1
  network: {type: str, required: true, description: An existing Docker network.}
  ports: {type: list, elements: str, default: [], description: 'Published ports of the first node, as docker run takes them.'}
  base_image: {type: str, default: "", description: "The node image, present in Docker; needed to make or start a cluster."}
author: todochat (@todochat)
"""

EXAMPLES = r"""
- name: The cluster runs
  todochat.platform.minikube:
    name: todo
    executable: /opt/todochat/bin/minikube-v1.38.1
    home: /home/minikube/todo/.minikube
    user: minikube
    kubernetes_version: v1.35.1
    lock: artifacts.lock.yml
    network: todo
    base_image: todochat/kicbase:v0.0.50-0123456789ab
"""

RETURN = r"""
state: {type: str, returned: success, description: The state that was found before.}
steps:
  description: "What was or would be done: delete, start, stop; or return, where only the coming back is arranged."
  type: list
  returned: success
would: {type: list, returned: success, description: "What was done, or would be done in check mode, a sentence each."}
"""

import os
import pwd
import shutil
from pathlib import Path

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.todochat.platform.plugins.module_utils.base.errors import told
from ansible_collections.todochat.platform.plugins.module_utils.cluster.profile import Cluster, Minikube, MinikubeError, Status, differs, not_locked
from ansible_collections.todochat.platform.plugins.module_utils.store.lock import Lock

# After a reboot the API server needs less to come back by itself.
API_SERVER_SECONDS = 60
PARAMETERS = {
    "name": {"type": "str", "required": True},
    "state": {"type": "str", "choices": ["started", "present", "stopped", "absent"], "default": "started"},
    "executable": {"type": "path", "required": True},
    "home": {"type": "path", "required": True},
    "user": {"type": "str", "required": True},
    "kubeconfig": {"type": "path"},
    "on_drift": {"type": "str", "choices": ["fail", "recreate", "ignore"], "default": "fail"},
    "driver": {"type": "str", "default": "docker"},
    "container_runtime": {"type": "str", "default": "containerd"},
    "kubernetes_version": {"type": "str", "required": True},
    "lock": {"type": "path", "required": True},
    "cpus": {"type": "int", "default": 2},
    "memory": {"type": "int", "default": 6144},
    "nodes": {"type": "int", "default": 1},
    "network": {"type": "str", "required": True},
    "ports": {"type": "list", "elements": "str", "default": []},
    "base_image": {"type": "str", "default": ""},
}


def foreign(container: str) -> MinikubeError:
    """What is said of a container that has a node's name."""
    return MinikubeError(
        f"A container named {container!r} exists that this deployment did not make, perhaps somebody else's minikube profile; it was not touched.",
        "Choose another deployment_name, or remove that container.",
    )


def plan(found: Status, wanted: Cluster, state: str, on_drift: str, name: str, locked: str) -> list[str]:
    """The steps from what was found to what is asked, out of delete, start, stop and return. Raises MinikubeError.

    ``locked`` is the Kubernetes version of which a cluster can be made.
    """
    if found.state == "foreign":
        raise foreign(name)
    if state == "absent":
        return [] if found.state == "absent" else ["delete"]
    difference = differs(name, wanted, found.actual, locked) if found.actual else None
    if difference and on_drift == "fail":
        raise difference
    if found.actual is None or (difference and on_drift == "recreate"):
        if cannot_be_made := not_locked(wanted.kubernetes_version, locked):
            raise cannot_be_made
        steps = ["start"] if found.state == "absent" else ["delete", "start"]
        return [*steps, "stop"] if state == "stopped" else steps
    if state == "started" and found.state == "stopped":
        return ["start"]
    if state == "stopped" and found.up:
        return ["stop"]
    if state != "stopped" and found.state == "running" and not found.comes_back:
        return ["return"]
    return []


def copy_for_caller(source: Path, target: Path, check_mode: bool) -> bool:
    """Gives the person who called a kubeconfig of their own; returns whether it differed."""
    owner = next(parent for parent in target.parents if parent.exists()).stat()
    is_theirs = target.exists() and target.stat().st_uid == owner.st_uid
    if not source.exists() or (is_theirs and target.read_bytes() == source.read_bytes()):
        return False
    if not check_mode:
        for folder in reversed([parent for parent in target.parents if not parent.exists()]):
            folder.mkdir(mode=0o700)
            os.chown(folder, owner.st_uid, owner.st_gid)
        draft = target.with_suffix(".new")
        draft.touch(mode=0o600)
        shutil.copyfile(source, draft)
        os.chown(draft, owner.st_uid, owner.st_gid)
        draft.rename(target)
    return True


def main() -> None:
    module = AnsibleModule(argument_spec=PARAMETERS, supports_check_mode=True)
    given = module.params
    minikube = Minikube(Path(given["executable"]), given["name"], Path(given["home"]), given["user"])
    wanted = Cluster(
        given["driver"],
        given["container_runtime"],
        given["kubernetes_version"],
        given["cpus"],
        given["memory"],
        given["nodes"],
        given["network"],
        tuple(sorted(given["ports"])),
    )
    with told(module):
        locked = Lock(Path(given["lock"]))["kubelet"].version
        is_to_run = given["state"] in ("started", "present")
        found = minikube.status(API_SERVER_SECONDS if is_to_run else 0)
        steps = plan(found, wanted, given["state"], given["on_drift"], given["name"], locked)
        is_made = "start" in steps and (found.actual is None or "delete" in steps)
        if is_made and (taken := minikube.taken(wanted.nodes)):
            raise foreign(taken)
        if not module.check_mode:
            for step in steps:
                if step == "delete":
                    minikube.delete()
                elif step == "start":
                    # what is left as it is must not be upgraded by its start
                    as_it_is = found.actual if given["on_drift"] == "ignore" else None
                    minikube.start(as_it_is or wanted, given["base_image"])
                elif step == "return":
                    minikube.let_come_back()
                else:
                    minikube.stop()
            if steps:
                give_to(given["user"], minikube.home)
    said = {"return": f"{given['name']} comes back by itself after a reboot"}
    would = [said.get(step, f"minikube {step} ({given['name']})") for step in steps]
    copied = bool(given["kubeconfig"]) and copy_for_caller(
        minikube.kubeconfig, Path(given["kubeconfig"]), module.check_mode
    )
    if copied:
        would.append(f"{given['kubeconfig']} opens the cluster")
    module.exit_json(
        changed=bool(would),
        state=found.state,
        steps=steps,
        would=would,
        diff={"before": f"{found.state}\n", "after": f"{given['state']}\n"} if steps else {},
    )


def give_to(user: str, home: Path) -> None:
    """The marker that this module left belongs to the user, like everything minikube wrote there."""
    account = pwd.getpwnam(user)
    for path in home.glob("profiles/*/finished"):
        os.chown(path, account.pw_uid, account.pw_gid)


if __name__ == "__main__":
    main()
