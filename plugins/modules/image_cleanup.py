#!/usr/bin/python
"""Ansible module: of the application's images those stay that something can go back to."""

from __future__ import annotations

DOCUMENTATION = r"""
module: image_cleanup
short_description: Of the application's images those stay that something can go back to
description:
  - Keeps the image of each revision that Helm knows, and the one to deploy. All others that this machine has pushed are taken out of the
    registry and of Docker, with what they alone were made of, and of Docker's build cache above 5 GB, what no build has used for a week.
options:
  helm: {type: path, required: true, description: The helm program.}
  kubectl: {type: path, required: true, description: The kubectl program.}
  kubeconfig: {type: path, required: true, description: How to reach the cluster.}
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
    namespace: todo
    releases: [backend, frontend]
    registry: 127.0.0.1:5000
    registry_container: todo-registry
    repository: todo
"""

RETURN = r"""
would: {type: list, returned: success, description: "What was taken away, or would be, a sentence for each image."}
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.todochat.platform.plugins.module_utils.base.errors import told
from ansible_collections.todochat.platform.plugins.module_utils.base.words import short
from ansible_collections.todochat.platform.plugins.module_utils.cluster.kubectl import Cluster
from ansible_collections.todochat.platform.plugins.module_utils.images.collect import collect, superfluous
from ansible_collections.todochat.platform.plugins.module_utils.images.pushed import Pushed
from ansible_collections.todochat.platform.plugins.module_utils.release import revisions


def main() -> None:
    texts = ("namespace", "registry", "registry_container", "repository")
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
    pushed, going = Pushed(), {}
    if module.check_mode and not cluster.answers():
        module.exit_json(changed=False, would=[])
    with told(module):
        for release, parts in revisions.read(cluster, given["releases"]).parts.items():
            name = f"{given['registry']}/{given['repository']}/{release}"
            if tags := superfluous(pushed, name, {part.digest for part in parts}):
                going[name] = tags
        if going and not module.check_mode:
            collect(pushed, given["registry_container"], going)
    would = [f"of {name} is gone what no revision runs ({', '.join(map(short, tags.values()))})" for name, tags in going.items()]
    module.exit_json(changed=bool(would), would=would)


if __name__ == "__main__":
    main()
