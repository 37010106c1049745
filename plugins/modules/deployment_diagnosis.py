#!/usr/bin/python
# MIT (see LICENSE), or GNU General Public License v3.0+ (see https://www.gnu.org/licenses/gpl-3.0.txt), as you choose.
# SPDX-License-Identifier: MIT OR GPL-3.0-or-later
"""Ansible module: what is wrong with a deployment."""

from __future__ import annotations

DOCUMENTATION = r"""
module: deployment_diagnosis
short_description: What is wrong with a deployment
description:
  - Names each fault of the machine, Docker, the node, Kubernetes, the releases, and what they make use of, with what shows
    it and the command that mends it. What only starts is told beside.
  - Asks everything at once, so that it ends within seconds, works in every state, and changes nothing.
options:
  url: {type: str, required: true, description: The application's address.}
  profile: {type: str, required: true, description: 'The minikube profile, which is also the namespace.'}
  minikube: {type: path, required: true, description: The minikube program.}
  home: {type: path, required: true, description: The MINIKUBE_HOME.}
  user: {type: str, required: true, description: The ordinary user who runs minikube.}
  helm: {type: path, required: true, description: The helm program.}
  kubectl: {type: path, required: true, description: The kubectl program.}
  kubeconfig: {type: path, required: true, description: How to reach the cluster.}
  registry: {type: str, required: true, description: "The registry, host:port."}
  registry_container: {type: str, required: true, description: The registry's container.}
  releases: {type: list, elements: str, required: true, description: The releases.}
  database_container: {type: str, default: "", description: The PostgreSQL container; empty where the database is an external one.}
  of_others:
    description: Whether others run the cluster. Then it is asked alone, of what is in the namespace.
    type: bool
    default: false
  store: {type: path, required: true, description: The folder that holds finished artifacts.}
author: todochat (@todochat)
"""

EXAMPLES = r"""
- name: Faults are looked for
  todochat.platform.deployment_diagnosis:
    url: http://127.0.0.1:30000
    profile: todo
    minikube: /opt/todochat/bin/minikube
    home: /home/me/.local/share/todochat/todo/.minikube
    user: me
    helm: /opt/todochat/bin/helm
    kubectl: /opt/todochat/bin/kubectl
    kubeconfig: ~/.local/state/todochat/todo/kubeconfig
    registry: 127.0.0.1:5000
    registry_container: todo-registry
    releases: [backend, frontend]
    database_container: todo-database
    store: ~/.cache/todochat/store
"""

RETURN = r"""
lines: {type: list, returned: success, description: "What is wrong, for a person."}
faults: {type: list, returned: success, description: "The names of the faults, as docs/troubleshooting.md lists them; empty where nothing is wrong."}
model:
  type: dict
  returned: success
  description: The C(url) and the C(name) of the language model that the deployed backend asks; empty where that is not known.
"""

import shlex
from pathlib import Path

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.todochat.platform.plugins.module_utils.base.errors import told
from ansible_collections.todochat.platform.plugins.module_utils.cluster.profile import Minikube
from ansible_collections.todochat.platform.plugins.module_utils.diagnosis.look import Looker
from ansible_collections.todochat.platform.plugins.module_utils.diagnosis.rules import diagnose

TEXTS = ("url", "profile", "user", "registry", "registry_container")
PATHS = ("minikube", "home", "helm", "kubectl", "kubeconfig", "store")


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            **{name: {"type": "str", "required": True} for name in TEXTS},
            **{name: {"type": "path", "required": True} for name in PATHS},
            "releases": {"type": "list", "elements": "str", "required": True},
            "database_container": {"type": "str", "default": ""},
            "of_others": {"type": "bool", "default": False},
        },
        supports_check_mode=True,
    )
    given = module.params
    with told(module):
        seen = Looker(
            url=given["url"],
            minikube=Minikube(Path(given["minikube"]), given["profile"], Path(given["home"]), given["user"]),
            helm=given["helm"],
            kubectl=given["kubectl"],
            kubeconfig=given["kubeconfig"],
            namespace=given["profile"],
            registry=given["registry"],
            registry_container=given["registry_container"],
            database_container=given["database_container"],
            releases=tuple(given["releases"]),
            paths=("/", given["store"], given["home"]),
            of_others=given["of_others"],
        ).look()
        found = diagnose(seen, f"{shlex.quote(given['kubectl'])} --kubeconfig {shlex.quote(given['kubeconfig'])}")
        model = {"url": seen.settings.get("TODO_MODEL_URL", ""), "name": seen.settings.get("TODO_MODEL", "")}
        module.exit_json(changed=False, lines=found.lines(), faults=found.names, model=model)


if __name__ == "__main__":
    main()
