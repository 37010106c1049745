#!/usr/bin/python
# MIT (see LICENSE), or GNU General Public License v3.0+ (see https://www.gnu.org/licenses/gpl-3.0.txt), as you choose.
# SPDX-License-Identifier: MIT OR GPL-3.0-or-later
"""Ansible module: what a deployment is right now."""

from __future__ import annotations

DOCUMENTATION = r"""
module: deployment_info
short_description: What a deployment is right now
description:
  - Says whether the application answers, how the cluster, the releases, the database and the registry are, what runs
    compared with what was built, what they take on disk, how old the base images are, what is past its support, and which command comes next.
  - Works in every state, also where nothing is installed or Docker does not answer. Changes nothing.
options:
  url: {type: str, required: true, description: The application's address.}
  profile: {type: str, default: "", description: "The minikube profile; empty for a cluster that others run, with their registry and their database."}
  minikube: {type: path, required: true, description: The minikube program.}
  home: {type: path, required: true, description: The MINIKUBE_HOME.}
  user: {type: str, required: true, description: The ordinary user who runs minikube.}
  helm: {type: path, required: true, description: The helm program.}
  kubectl: {type: path, required: true, description: The kubectl program.}
  kubeconfig: {type: path, required: true, description: How to reach the cluster.}
  namespace: {type: str, required: true, description: The namespace.}
  registry: {type: str, required: true, description: "The registry, host:port."}
  registry_container: {type: str, required: true, description: The registry's container and volume.}
  repository: {type: str, required: true, description: The first part of the images' repositories.}
  releases: {type: list, elements: str, required: true, description: "The releases, which are also the images' names."}
  database_container: {type: str, required: true, description: The PostgreSQL container and its volume.}
  database: {type: str, default: todo, description: The database.}
  database_host: {type: str, default: "", description: The host of an external database instead.}
  store: {type: path, required: true, description: The folder that holds finished artifacts.}
  lock: {type: path, required: true, description: The lock file.}
  node: {type: str, required: true, description: The Node.js of the frontend's image.}
author: todochat (@todochat)
"""

EXAMPLES = r"""
- name: The deployment is observed
  todochat.platform.deployment_info:
    url: http://127.0.0.1:30000
    profile: todo
    minikube: /opt/todochat/bin/minikube
    home: /home/me/.local/share/todochat/todo/.minikube
    user: me
    helm: /opt/todochat/bin/helm
    kubectl: /opt/todochat/bin/kubectl
    kubeconfig: ~/.local/state/todochat/todo/kubeconfig
    namespace: todo
    registry: 127.0.0.1:5000
    registry_container: todo-registry
    repository: todo
    releases: [backend, frontend]
    database_container: todo-database
    store: ~/.cache/todochat/store
    lock: artifacts.lock.yml
    node: "20"
"""

RETURN = r"""
lines: {type: list, returned: success, description: The state as a table for a person.}
cluster: {type: str, returned: success, description: "The cluster's state: absent, foreign, unfinished, stopped, running, or unknown."}
answers: {type: bool, returned: success, description: Whether the application answers.}
built: {type: bool, returned: success, description: Whether it is known what was built of every service that runs.}
next: {type: str, returned: success, description: The next sensible command.}
"""

from pathlib import Path

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.todochat.platform.plugins.module_utils.base.errors import told
from ansible_collections.todochat.platform.plugins.module_utils.cluster.kubectl import Cluster
from ansible_collections.todochat.platform.plugins.module_utils.cluster.profile import Minikube
from ansible_collections.todochat.platform.plugins.module_utils.images.registry import registry
from ansible_collections.todochat.platform.plugins.module_utils.store.lock import Lock
from ansible_collections.todochat.platform.plugins.module_utils.whole.status import Observer

TEXTS = ("url", "user", "namespace", "registry", "registry_container", "repository", "database_container", "node")
PATHS = ("minikube", "home", "helm", "kubectl", "kubeconfig", "store", "lock")


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            **{name: {"type": "str", "required": True} for name in TEXTS},
            **{name: {"type": "path", "required": True} for name in PATHS},
            "releases": {"type": "list", "elements": "str", "required": True},
            "profile": {"type": "str", "default": ""},
            "database": {"type": "str", "default": "todo"},
            "database_host": {"type": "str", "default": ""},
        },
        supports_check_mode=True,
    )
    given = module.params
    with told(module):
        found = Observer(
            url=given["url"],
            minikube=Minikube(Path(given["minikube"]), given["profile"], Path(given["home"]), given["user"]) if given["profile"] else None,
            cluster=Cluster(given["helm"], given["kubectl"], given["kubeconfig"], given["namespace"]),
            registry=registry(given["registry"]),
            repository=given["repository"],
            releases=tuple(given["releases"]),
            registry_container=given["registry_container"],
            database_container=given["database_container"],
            database=given["database"],
            database_host=given["database_host"],
            store=Path(given["store"]),
            lock=Lock(Path(given["lock"])),
            node=given["node"],
        ).observe()
        module.exit_json(changed=False, lines=found.lines(), cluster=found.cluster.state, answers=found.answers, built=found.built, next=found.advice()[0])


if __name__ == "__main__":
    main()
