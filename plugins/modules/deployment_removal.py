#!/usr/bin/python
# MIT (see LICENSE), or GNU General Public License v3.0+ (see https://www.gnu.org/licenses/gpl-3.0.txt), as you choose.
# SPDX-License-Identifier: MIT OR GPL-3.0-or-later
"""Ansible module: of a deployment, what the levels name is gone."""

from __future__ import annotations

DOCUMENTATION = r"""
module: deployment_removal
short_description: Of a deployment, what the levels name is gone
description:
  - Removes what a deployment made, by levels, and nothing of anybody else's. What has one of its names without being
    its own, and what something else still uses, is left alone and named.
  - Works in every state; what a broken-off run left, the next removes. Needs root.
options:
  levels:
    description: >-
      C(application) is both releases, the Secret and the namespace; C(cluster) also the node, the kubeconfig, the containers
      beside it and the network; C(data) the application, the database with its volume, and the vault; C(installed) the cluster
      and all that this collection put on the machine, but not the data.
    type: list
    elements: str
    choices: [application, data, cluster, installed]
    required: true
  of_others: {type: bool, default: false, description: "Whether others run the cluster: then there is the application there, and what leads to it here."}
  authority: {type: path, description: "The certificate by which Docker trusts the registry of a cluster of others, where it was put there."}
  deployment: {type: str, required: true, description: "The deployment, which is also the minikube profile, the network and the namespace."}
  minikube: {type: path, required: true, description: The minikube program.}
  home: {type: path, required: true, description: The MINIKUBE_HOME.}
  user: {type: str, required: true, description: The ordinary user who runs minikube.}
  caller: {type: str, required: true, description: "The user who called, who is never removed."}
  helm: {type: path, required: true, description: The helm program.}
  kubectl: {type: path, required: true, description: The kubectl program.}
  kubeconfig: {type: path, required: true, description: How to reach the cluster.}
  releases: {type: list, elements: str, required: true, description: "The releases, which are also the images' names."}
  secrets: {type: list, elements: str, required: true, description: The Secrets that are not a release's.}
  registry: {type: str, required: true, description: "The registry, host:port."}
  registry_container: {type: str, required: true, description: The registry's container and volume.}
  database_container: {type: str, required: true, description: The PostgreSQL container and its volume.}
  lock: {type: path, required: true, description: The lock file.}
  vault: {type: path, required: true, description: The deployment's vault.}
  vault_password: {type: path, required: true, description: "The file with the password of the vaults, removed with the last of them."}
  team_vault: {type: path, required: true, description: "The team's vault, never removed."}
  store: {type: path, required: true, description: The folder that holds finished artifacts.}
  build_cache: {type: path, required: true, description: The folder for compiler caches.}
  state: {type: path, required: true, description: The folder where runs are remembered.}
  packages: {type: list, elements: str, required: true, description: The packages that this collection asks apt for.}
author: todochat (@todochat)
"""

EXAMPLES = r"""
- name: The cluster and the application are gone
  todochat.platform.deployment_removal:
    levels: [cluster]
    deployment: todo
    minikube: /opt/todochat/bin/minikube
    home: /home/me/.local/share/todochat/todo/.minikube
    user: me
    caller: me
    helm: /opt/todochat/bin/helm
    kubectl: /opt/todochat/bin/kubectl
    kubeconfig: /home/me/.local/state/todochat/todo/kubeconfig
    releases: [backend, frontend]
    secrets: [backend-secrets, registry-login]
    registry: 127.0.0.1:5000
    registry_container: todo-registry
    database_container: todo-database
    lock: artifacts.lock.yml
    vault: /home/me/.config/todochat/todo/vault.yml
    vault_password: /home/me/.config/todochat/vault-password
    team_vault: group_vars/all/vault.yml
    store: /home/me/.cache/todochat/store
    build_cache: /home/me/.cache/todochat/build
    state: /home/me/.local/state/todochat
    packages: [gcc]
  become: true
"""

RETURN = r"""
would: {type: list, returned: success, description: "What was done, or would be done in check mode, a sentence each."}
kept: {type: list, returned: success, description: What stays because its level was not named.}
left: {type: list, returned: success, description: "What stays although its level was named, each with the reason."}
"""

from contextlib import nullcontext
from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.todochat.platform.plugins.module_utils.base.errors import told
from ansible_collections.todochat.platform.plugins.module_utils.cluster.kubectl import Cluster
from ansible_collections.todochat.platform.plugins.module_utils.cluster.profile import Minikube
from ansible_collections.todochat.platform.plugins.module_utils.images.local import local_name
from ansible_collections.todochat.platform.plugins.module_utils.machine import baseline, docker_engine
from ansible_collections.todochat.platform.plugins.module_utils.machine.apt import Apt
from ansible_collections.todochat.platform.plugins.module_utils.machine.docker_objects import Docker
from ansible_collections.todochat.platform.plugins.module_utils.whole.removal import IMPLIED, installed, leaving, levels, of_a_cluster_of_others, parts, sweep
from ansible_collections.todochat.platform.plugins.module_utils.whole.removal_application import Application
from ansible_collections.todochat.platform.plugins.module_utils.whole.removal_parts import Deployment, Part

TEXTS = ("deployment", "user", "caller", "registry", "registry_container", "database_container")
PATHS = ("minikube", "home", "helm", "kubectl", "kubeconfig", "lock", "vault", "vault_password", "team_vault", "store", "build_cache", "state")
LISTS = ("releases", "secrets", "packages")


def take_away(deployment: Deployment, chosen: set[str], check_mode: bool) -> tuple[list[Part], list[Part]]:
    """Removes what the levels name; returns it, and what stays. Raises UserError."""
    asks_cluster = "cluster" not in chosen
    inside = Application(deployment)
    with inside.awake() if asks_cluster and not check_mode else nullcontext():
        application = inside.parts() if asks_cluster else []
        here = of_a_cluster_of_others(deployment) if deployment.of_others else parts(deployment)
        going, staying = leaving([*application, *here], chosen)
        if "installed" in chosen:
            more, left = leaving(installed(deployment, going), chosen)
            going, staying = going + more, staying + left
        if not check_mode:
            for part in going:
                part.remove()
            sweep(deployment, chosen)
    return going, staying


def main() -> None:
    spec: dict[str, dict[str, Any]] = {
        "levels": {"type": "list", "elements": "str", "choices": list(IMPLIED), "required": True},
        **{name: {"type": "str", "required": True} for name in TEXTS},
        **{name: {"type": "path", "required": True} for name in PATHS},
        **{name: {"type": "list", "elements": "str", "required": True} for name in LISTS},
        "of_others": {"type": "bool", "default": False},
        "authority": {"type": "path"},
    }
    spec["vault_password"]["no_log"] = spec["secrets"]["no_log"] = False  # where it is, and how they are named
    module = AnsibleModule(argument_spec=spec, supports_check_mode=True)
    given = module.params
    paths = {name: Path(given[name]) for name in PATHS}
    chosen = levels(given["levels"])
    with told(module):
        deployment = Deployment(
            name=given["deployment"],
            minikube=Minikube(paths["minikube"], given["deployment"], paths["home"], given["user"]),
            of_others=given["of_others"],
            cluster=Cluster(given["helm"], given["kubectl"], given["kubeconfig"], given["deployment"]),
            releases=given["releases"],
            secrets=given["secrets"],
            registry_of_others=given["registry"],
            authority=Path(given["authority"]) if given["authority"] else None,
            registry=given["registry_container"],
            database=given["database_container"],
            repositories=[
                repository
                for name in (f"{given['registry']}/{given['deployment']}/{release}" for release in [*given["releases"], "metrics-server"])
                for repository in (name, local_name(name).partition(":")[0])
            ],
            lock=paths["lock"],
            vault=paths["vault"],
            vault_password=paths["vault_password"],
            team_vault=paths["team_vault"],
            store=paths["store"],
            build_cache=paths["build_cache"],
            state=paths["state"],
            caller=given["caller"],
            packages=[*docker_engine.PACKAGES, *given["packages"]],
            docker=Docker(),
            apt=Apt(),
            before=baseline.read(),
        )
        going, staying = take_away(deployment, chosen, module.check_mode)
    module.exit_json(
        changed=bool(going),
        would=[f"{part.name} is gone" for part in going],
        kept=[part.name for part in staying if not chosen & part.levels],
        left=[f"{part.name}: {part.stays}" for part in staying if chosen & part.levels],
    )


if __name__ == "__main__":
    main()
