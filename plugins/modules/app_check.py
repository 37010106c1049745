#!/usr/bin/python
# MIT (see LICENSE), or GNU General Public License v3.0+ (see https://www.gnu.org/licenses/gpl-3.0.txt), as you choose.
# SPDX-License-Identifier: MIT OR GPL-3.0-or-later
"""Ansible module: the application runs what was built, and a user's way through it works."""

from __future__ import annotations

DOCUMENTATION = r"""
module: app_check
short_description: The application runs what was built, and a user's way through it works
description:
  - Waits for the cluster's own pods, and for rollouts that are still going on, as after a start of the cluster.
  - Compares the image of every running container with the digest in the registry.
  - Signs up, logs in, adds a todo, asks the assistant, and reads the rows back from PostgreSQL, with a fresh account
    that is deleted with all its rows, also after a failure. What a killed check left behind is deleted first.
  - Changes nothing. In check mode, where the application is not there yet, says what would be checked.
options:
  url: {type: str, required: true, description: The frontend's address.}
  kubectl: {type: path, required: true, description: The kubectl program.}
  kubeconfig: {type: path, required: true, description: How to reach the cluster.}
  namespace: {type: str, required: true, description: The namespace.}
  registry: {type: str, required: true, description: "The registry, host:port."}
  repository: {type: str, required: true, description: The first part of the images' repositories.}
  releases: {type: list, elements: str, required: true, description: "The releases, which are also the images' names."}
  database_container: {type: str, default: "", description: "The PostgreSQL container; empty for an external database, whose rows are not read."}
  database: {type: str, default: todo, description: The database.}
author: todochat (@todochat)
"""

EXAMPLES = r"""
- name: The application works
  todochat.platform.app_check:
    url: http://127.0.0.1:30000
    kubectl: /opt/todochat/bin/kubectl
    kubeconfig: ~/.local/state/todochat/todo/kubeconfig
    namespace: todo
    registry: 127.0.0.1:5000
    repository: todo
    releases: [backend, frontend]
    database_container: todo-database
"""

RETURN = r"""
steps: {type: list, returned: success, description: The steps of the user's way.}
digests: {type: dict, returned: success, description: The digest that each release runs.}
startup_seconds: {type: dict, returned: success, description: "Seconds from start to ready of each release's slowest pod."}
"""

from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.todochat.platform.plugins.module_utils.acceptance import StoredRows, check_as_user
from ansible_collections.todochat.platform.plugins.module_utils.base.errors import UserError, told
from ansible_collections.todochat.platform.plugins.module_utils.cluster.kubectl import Cluster
from ansible_collections.todochat.platform.plugins.module_utils.images.pushed import Pushed
from ansible_collections.todochat.platform.plugins.module_utils.release.helm import Release
from ansible_collections.todochat.platform.plugins.module_utils.release.running_images import startup_seconds, wrong_images
from ansible_collections.todochat.platform.plugins.module_utils.release.watch import Watcher

# A cluster that was just started brings its pods back within a minute or so.
ROLLOUT_SECONDS = 90


def main() -> None:
    texts = {name: {"type": "str", "required": True} for name in ("url", "namespace", "registry", "repository")}
    module = AnsibleModule(
        argument_spec={
            **texts,
            "kubectl": {"type": "path", "required": True},
            "kubeconfig": {"type": "path", "required": True},
            "releases": {"type": "list", "elements": "str", "required": True},
            "database_container": {"type": "str", "default": ""},
            "database": {"type": "str", "default": "todo"},
        },
        supports_check_mode=True,
    )
    given = module.params
    cluster = Cluster("", given["kubectl"], given["kubeconfig"], given["namespace"])
    with told(module):
        if not module.check_mode:
            for name in given["releases"]:
                Watcher(Release(name, Path(), {}), cluster, ROLLOUT_SECONDS).wait()
        pods = cluster.json("pods")["items"] if not module.check_mode or cluster.answers() else []
        put_off: dict[str, Any] = {"changed": False, "steps": [], "digests": {}, "startup_seconds": {}, "msg": "would check the application"}
        if module.check_mode and not pods:
            module.exit_json(**put_off)
        digests = {name: Pushed().current(f"{given['registry']}/{given['repository']}/{name}") for name in given["releases"]}
        if unknown := [name for name, digest in digests.items() if not digest and not module.check_mode]:
            raise UserError(f"Nothing was built here of {' and '.join(unknown)} to compare with.", "Run `make up`, which builds the images.")
        problems = wrong_images(pods, digests)
        if module.check_mode and problems:  # as after a run that was broken off between building and rolling out, which is announced then
            module.exit_json(**put_off)
        if problems:
            raise UserError(f"What runs is not what was built: {'; '.join(problems)}.", "Run `make up ARGS='--tags app_release,app_check'`.")
        rows = StoredRows(given["database_container"], given["database"]) if given["database_container"] else None
        steps = check_as_user(given["url"], rows, cluster)
    module.exit_json(changed=False, steps=steps, digests=digests, startup_seconds=startup_seconds(pods, given["releases"]))


if __name__ == "__main__":
    main()
