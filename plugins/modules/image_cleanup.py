#!/usr/bin/python
# MIT (see LICENSE), or GNU General Public License v3.0+ (see https://www.gnu.org/licenses/gpl-3.0.txt), as you choose.
# SPDX-License-Identifier: MIT OR GPL-3.0-or-later
"""Ansible module: of the application's images those stay that something can go back to."""

from __future__ import annotations

DOCUMENTATION = r"""
module: image_cleanup
short_description: Of the application's images those stay that something can go back to
description:
  - Keeps the image of each revision that Helm knows, and the one to deploy. All others, those of a push that was broken off too, are taken
    out of the registry and of Docker, with what they alone were made of, and of Docker's build cache above 5 GB, what no build has used for a week.
  - Where there is no cluster nothing but the one to deploy is kept; where there is one that does not answer, all is. What fails is a warning,
    and the next run goes on with it.
options:
  helm: {type: path, required: true, description: The helm program.}
  kubectl: {type: path, required: true, description: The kubectl program.}
  kubeconfig: {type: path, required: true, description: How to reach the cluster.}
  profile: {type: str, required: true, description: "The cluster's name, as minikube has it."}
  namespace: {type: str, required: true, description: The namespace of the releases.}
  releases: {type: list, elements: str, required: true, description: "The releases, by whose names their images are called."}
  registry: {type: str, required: true, description: "The registry, host:port."}
  registry_container: {type: str, required: true, description: The registry's container.}
  repository: {type: str, required: true, description: The first part of the repositories.}
author: todochat (@todochat)
"""

EXAMPLES = r"""
- name: Images that nothing can go back to are gone
  todochat.platform.image_cleanup:
    helm: /opt/todochat/bin/helm
    kubectl: /opt/todochat/bin/kubectl
    kubeconfig: ~/.local/state/todochat/todo/kubeconfig
    profile: todo
    namespace: todo
    releases: [backend, frontend]
    registry: 127.0.0.1:5000
    registry_container: todo-registry
    repository: todo
"""

RETURN = r"""
would: {type: list, returned: success, description: "What was taken away, or would be, a sentence for each image."}
"""

from collections.abc import Sequence

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.todochat.platform.plugins.module_utils.base.errors import UserError
from ansible_collections.todochat.platform.plugins.module_utils.base.words import short
from ansible_collections.todochat.platform.plugins.module_utils.cluster.kubectl import Cluster
from ansible_collections.todochat.platform.plugins.module_utils.images.collect import collect, superfluous
from ansible_collections.todochat.platform.plugins.module_utils.images.pushed import Pushed
from ansible_collections.todochat.platform.plugins.module_utils.machine.docker_engine import NODE_LABEL, docker
from ansible_collections.todochat.platform.plugins.module_utils.release import revisions


def needed(cluster: Cluster, profile: str, releases: Sequence[str]) -> dict[str, set[str]]:
    """The digests of each release that the cluster can go back to; none of them where it cannot be asked. Raises UserError."""
    nodes = docker("ps", "--all", "--quiet", f"--filter=label={NODE_LABEL}={profile}")
    if nodes.returncode == 0 and not nodes.stdout.strip():
        return {release: set() for release in releases}
    if nodes.returncode or not cluster.answers():
        return {}
    return {release: {part.digest for part in parts} for release, parts in revisions.read(cluster, releases).parts.items()}


def main() -> None:
    texts = ("profile", "namespace", "registry", "registry_container", "repository")
    module = AnsibleModule(
        argument_spec={
            **{name: {"type": "path", "required": True} for name in ("helm", "kubectl", "kubeconfig")},
            **{name: {"type": "str", "required": True} for name in texts},
            "releases": {"type": "list", "elements": "str", "required": True},
        },
        supports_check_mode=True,
    )
    given = module.params
    cluster = Cluster(given["helm"], given["kubectl"], given["kubeconfig"], given["namespace"])
    names = {release: f"{given['registry']}/{given['repository']}/{release}" for release in given["releases"]}
    pushed, going = Pushed(), {}
    try:
        if any(superfluous(pushed, name, ()) for name in names.values()):
            kept = {names[release]: digests for release, digests in needed(cluster, given["profile"], given["releases"]).items()}
            going = {name: tags for name, digests in kept.items() if (tags := superfluous(pushed, name, digests))}
            if going and not module.check_mode:
                collect(pushed, given["registry_container"], kept)
    except (UserError, OSError) as error:  # all else is done, and what is left the next run finds again
        module.warn(f"Images that nothing can go back to are still there; the next run tries again to take them away. {error}")
        going = {}
    would = [f"of {name} is gone what no revision runs ({', '.join(map(short, tags.values()))})" for name, tags in going.items()]
    module.exit_json(changed=bool(would), would=would)


if __name__ == "__main__":
    main()
