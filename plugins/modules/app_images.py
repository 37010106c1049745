#!/usr/bin/python
# MIT (see LICENSE), or GNU General Public License v3.0+ (see https://www.gnu.org/licenses/gpl-3.0.txt), as you choose.
# SPDX-License-Identifier: MIT OR GPL-3.0-or-later
"""Ansible module: application images are in the registry, named by what they are built from."""

from __future__ import annotations

DOCUMENTATION = r"""
module: app_images
short_description: Application images are in the registry, named by what they are built from
description:
  - Computes each image's tag from its build context, Dockerfile and build arguments, and looks up what this machine has pushed under it.
  - Builds and pushes what this machine has not pushed, or the registry does not have any more; what others have put there counts for
    nothing. Unchanged sources are neither built nor pushed.
options:
  images:
    description: The images.
    type: list
    elements: dict
    required: true
    suboptions:
      name: {type: str, required: true, description: "The image's name, and the last part of its repository."}
      context: {type: path, required: true, description: The build context.}
      bases: {type: dict, default: {}, description: "Build arguments that name base images: the argument, and the artifact."}
  lock: {type: path, required: true, description: "The lock file, which names the base images."}
  store: {type: path, required: true, description: The folder that holds finished artifacts.}
  registry:
    description: The registry, host:port; one that is not at 127.0.0.1 is spoken to by this machine's Docker, with the login that it has for it.
    type: str
    required: true
  registry_container: {type: str, default: "", description: "The container of a registry at 127.0.0.1. What is pushed goes into its storage."}
  repository: {type: str, required: true, description: The first part of the repositories.}
  client_home: {type: path, required: true, description: "Whose configuration of pip and npm the builds use."}
author: todochat (@todochat)
"""

EXAMPLES = r"""
- name: The application's images are in the registry
  todochat.platform.app_images:
    images:
      - name: backend
        context: apps/backend
        bases:
          BUILDER_IMAGE: python-builder
          RUNTIME_IMAGE: python-runtime
    lock: artifacts.lock.yml
    store: ~/.cache/todochat/store
    registry: 127.0.0.1:5000
    registry_container: todo-registry
    repository: todo
    client_home: /home/me
"""

RETURN = r"""
images:
  description: For each image its repository, tag and digest; the digest is empty where check mode would build it.
  type: dict
  returned: success
would: {type: list, returned: success, description: "What was done, or would be done in check mode, a sentence each."}
"""

from pathlib import Path

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.todochat.platform.plugins.module_utils.base.errors import told
from ansible_collections.todochat.platform.plugins.module_utils.images.build import build
from ansible_collections.todochat.platform.plugins.module_utils.images.content import Image, ImageError
from ansible_collections.todochat.platform.plugins.module_utils.images.local import give_name, is_named
from ansible_collections.todochat.platform.plugins.module_utils.images.pushed import Pushed
from ansible_collections.todochat.platform.plugins.module_utils.images.registry import registry
from ansible_collections.todochat.platform.plugins.module_utils.store.load import is_loaded, load
from ansible_collections.todochat.platform.plugins.module_utils.store.lock import Lock
from ansible_collections.todochat.platform.plugins.module_utils.store.store import Store


def main() -> None:
    suboptions = {
        "name": {"type": "str", "required": True},
        "context": {"type": "path", "required": True},
        "bases": {"type": "dict", "default": {}},
    }
    module = AnsibleModule(
        argument_spec={
            "images": {"type": "list", "elements": "dict", "required": True, "options": suboptions},
            "lock": {"type": "path", "required": True},
            "store": {"type": "path", "required": True},
            "registry": {"type": "str", "required": True},
            "registry_container": {"type": "str", "default": ""},
            "repository": {"type": "str", "required": True},
            "client_home": {"type": "path", "required": True},
        },
        supports_check_mode=True,
    )
    there = registry(module.params["registry"], module.params["registry_container"])
    store, pushed = Store(Path(module.params["store"])), Pushed()
    results = {}
    would = []
    with told(module):
        lock = Lock(Path(module.params["lock"]))
        for given in module.params["images"]:
            bases = {argument: lock[name] for argument, name in given["bases"].items()}
            arguments = {argument: artifact.reference for argument, artifact in bases.items()}
            image = Image(given["name"], Path(given["context"]), arguments)
            repository = f"{module.params['repository']}/{image.name}"
            name = f"{there.endpoint}/{repository}"
            tag = image.tag()
            digest = pushed.digest(name, tag)
            try:
                is_there = bool(digest) and there.has(repository, digest)
            except ImageError:
                if not module.check_mode:
                    raise
                is_there = False  # it may be going to be started
            if not is_there:
                digest = ""
                would.append(f"{name}:{tag} is built and pushed")
                if not module.check_mode:
                    for artifact in bases.values():
                        if not is_loaded(artifact):
                            load(artifact, store)
                    build(image, f"{name}:{tag}", Path(module.params["client_home"]))
                    digest = there.push(repository, tag)
                    pushed.keep(name, tag, digest)
            if not digest or digest != pushed.current(name) or not is_named(name, digest):
                would.append(f"{name}:{tag} is the one to deploy")
                if not module.check_mode:
                    pushed.make_current(name, digest)
                    give_name(name, digest)
            results[image.name] = {"repository": name, "tag": tag, "digest": digest}
    module.exit_json(changed=bool(would), would=would, images=results)


if __name__ == "__main__":
    main()
