#!/usr/bin/python
# MIT (see LICENSE), or GNU General Public License v3.0+ (see https://www.gnu.org/licenses/gpl-3.0.txt), as you choose.
# SPDX-License-Identifier: MIT OR GPL-3.0-or-later
"""Ansible module: a cluster that others run can be deployed to."""

from __future__ import annotations

DOCUMENTATION = r"""
module: existing_cluster
short_description: A cluster that others run can be deployed to
description:
  - Takes one context out of a kubeconfig into a file of its own, by which all else reaches the cluster.
  - Asks the cluster for its version, what this kubeconfig may do in the namespace, quotas, nodes, classes of Ingress, metrics and who enforces
    NetworkPolicies, and fails with all at once that stands in the way. What it may not ask is not known, and no problem.
  - Changes nothing in the cluster.
options:
  kubectl: {type: path, required: true, description: The kubectl program.}
  source: {type: path, required: true, description: The kubeconfig that leads to the cluster.}
  context: {type: str, default: "", description: The context in it; empty for its current one.}
  kubeconfig: {type: path, required: true, description: "Where that context is kept, readable by its owner alone."}
  namespace: {type: str, required: true, description: The namespace of the application.}
  values:
    description: The values of both charts by name, as the releases get them.
    type: dict
    required: true
attributes:
  check_mode:
    support: full
    description: In check mode, says what would be changed, and changes nothing.
author: todochat (@todochat)
"""

EXAMPLES = r"""
- name: The cluster can be deployed to
  todochat.platform.existing_cluster:
    kubectl: /opt/todochat/bin/kubectl
    source: ~/.kube/config
    context: work
    kubeconfig: ~/.local/state/todochat/todo/kubeconfig
    namespace: todo
    values: {backend: {}, frontend: {}}
"""

RETURN = r"""
version: {type: str, returned: success, description: "The cluster's Kubernetes, like 1.35."}
would: {type: list, returned: success, description: "What was done, or would be done in check mode, a sentence each."}
"""

import json
import os
import tempfile
from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.todochat.platform.plugins.module_utils.base.commands import run
from ansible_collections.todochat.platform.plugins.module_utils.base.errors import UserError, fail, together, told
from ansible_collections.todochat.platform.plugins.module_utils.cluster.kubectl import OF_OTHERS, Cluster
from ansible_collections.todochat.platform.plugins.module_utils.preflight import foreign
from ansible_collections.todochat.platform.plugins.module_utils.preflight.capacity import Service
from ansible_collections.todochat.platform.plugins.module_utils.store.lock import machine_architecture

ELSEWHERE = {"exec": "a program", "auth-provider": "a program", "tokenFile": "a file that changes"}
"""How a user of a kubeconfig may log in that does not hold for whoever else reads it, by kubeconfig's names."""


def extracted(kubectl: str, source: Path, context: str) -> str:
    """One context of a kubeconfig with all that it names, certificates and keys as well, marked as of others. Raises UserError."""
    if not source.is_file():
        raise UserError(
            f"There is no kubeconfig {source}, which is to lead to the cluster.",
            "Name yours in existing_cluster_source_kubeconfig.",
        )
    options = [f"--context={context}"] if context else []
    own = {"KUBECONFIG": str(source)}
    done = run(kubectl, "config", "view", "--raw", "--minify", "--flatten", "--output=json", *options, variables=own)
    if done.returncode:
        what = f"context {context}" if context else "current context"
        contexts = run(kubectl, "config", "get-contexts", "--output=name", variables=own).stdout.split()
        raise UserError(
            f"The kubeconfig {source} has no {what}: {(done.stderr.strip().splitlines() or ['kubectl said nothing'])[-1]}",
            f"Name one of its contexts in existing_cluster_source_context: {', '.join(contexts) or 'it has none at all'}.",
        )
    found = json.loads(done.stdout)
    for user in found.get("users") or []:
        if ways := sorted(ELSEWHERE.keys() & (user.get("user") or {}).keys()):
            raise UserError(
                f"In the kubeconfig {source}, the user {user['name']} logs in by {ELSEWHERE[ways[0]]} ({ways[0]}), which does not come along.",
                "Have a ServiceAccount made for this, and a kubeconfig with its token: docs/existing-cluster.md says how.",
            )
    found["extensions"] = [OF_OTHERS]
    return json.dumps(found, indent=2)


def keep(target: Path, content: str) -> None:
    """As a file of the owner of its folder alone, at once."""
    owner = next(parent for parent in target.parents if parent.exists()).stat()
    for folder in reversed([parent for parent in target.parents if not parent.exists()]):
        folder.mkdir(mode=0o700)
        os.chown(folder, owner.st_uid, owner.st_gid)
    with tempfile.NamedTemporaryFile("w", dir=target.parent, prefix=".new-", encoding="utf-8", delete=False) as new:
        new.write(content)
    os.chown(new.name, owner.st_uid, owner.st_gid)
    os.replace(new.name, target)


def asked(given: dict[str, Any]) -> foreign.Asked:
    """What the deployment needs. Raises UserError where values do not fit."""
    values = given["values"]
    return foreign.Asked(
        namespace=given["namespace"],
        architecture=machine_architecture(),
        services=[Service.of(name, of) for name, of in values.items()],
        ingresses=[of["ingress"] for of in values.values()],
        policies=any(of["networkPolicy"]["enabled"] for of in values.values()),
        autoscaling=any(of["autoscaling"]["enabled"] for of in values.values()),
    )


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            **{name: {"type": "path", "required": True} for name in ("kubectl", "source", "kubeconfig")},
            "context": {"type": "str", "default": ""},
            "namespace": {"type": "str", "required": True},
            "values": {"type": "dict", "required": True},
        },
        supports_check_mode=True,
    )
    given = module.params
    target = Path(given["kubeconfig"])
    if module.check_mode and not Path(given["kubectl"]).is_file():
        module.exit_json(changed=True, would=[f"the cluster is asked, by {given['kubectl']}"], version="")
    with told(module), tempfile.TemporaryDirectory() as folder:
        content = extracted(given["kubectl"], Path(given["source"]), given["context"])
        draft = Path(folder, "kubeconfig")  # asked by it before it is kept
        draft.touch(mode=0o600)
        draft.write_text(content, encoding="utf-8")
        needs = asked(given)
        found = foreign.look(Cluster("", given["kubectl"], str(draft), given["namespace"]), needs)
        if wrong := foreign.problems(found, needs):
            fail(module, together(wrong))
        for warning in foreign.warnings(found, needs):
            module.warn(warning)
        differs = not target.is_file() or target.read_text(encoding="utf-8") != content
        if differs and not module.check_mode:
            keep(target, content)
    would = [f"{target} opens the cluster"] if differs else []
    module.exit_json(changed=differs, would=would, version=".".join(map(str, found.version)))


if __name__ == "__main__":
    main()
