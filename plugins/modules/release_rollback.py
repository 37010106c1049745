#!/usr/bin/python
# MIT (see LICENSE), or GNU General Public License v3.0+ (see https://www.gnu.org/licenses/gpl-3.0.txt), as you choose.
# SPDX-License-Identifier: MIT OR GPL-3.0-or-later
"""Ansible module: the deployment is as an earlier revision of it was."""

from __future__ import annotations

DOCUMENTATION = r"""
module: release_rollback
short_description: The deployment is as an earlier revision of it was
description:
  - Restores image digests and configuration of all releases with Helm's rollback, follows each rollout, and checks what runs, as
    M(todochat.platform.app_check) does. The way back is the reverse of the way there, so that no release meets an older one than it knows.
  - Looks first whether the revision is there, its images are in the registry, and the older code can work with the database's schema;
    otherwise it refuses, saying why, before anything is touched.
  - Can restore a backup of the database with it. The release that uses the database is stopped meanwhile; what is there is backed up first.
  - Can take back an upgrade that failed (O(failed)), and fails with the cause of that.
options:
  helm: {type: path, required: true, description: The helm program.}
  kubectl: {type: path, required: true, description: The kubectl program.}
  kubeconfig: {type: path, required: true, description: How to reach the cluster.}
  namespace: {type: str, required: true, description: "The namespace, and the first part of the names of backups."}
  registry: {type: str, required: true, description: "The registry, host:port."}
  repository: {type: str, required: true, description: The first part of the images' repositories.}
  releases:
    description: The releases in the order of their rollout. The first one uses the database.
    type: list
    elements: str
    required: true
  timeout: {type: int, default: 300, description: Seconds that one rollout may take.}
  to: {type: int, description: "The revision to go back to; without it, the last one before what runs."}
  restore:
    description: The backup to restore with it. V(true) is the one that was made before the upgrade; V(false) and nothing are none.
    type: str
    default: ""
  failed:
    description: How an upgrade failed, as it was registered. What it replaced, O(before), is put back where it was healthy; then this task fails likewise.
    type: dict
  before: {type: dict, default: {}, description: "What M(todochat.platform.helm_releases) returned under that name."}
  database:
    description: The database whose schema the first release's images are made for.
    type: dict
    required: true
    suboptions:
      url: {type: str, required: true, description: "Where it is, as in postgresql://user:password@host:5432/database."}
      lock: {type: path, required: true, description: "The lock file, which names the PostgreSQL image."}
      store: {type: path, required: true, description: "The folder that holds finished artifacts, where that image is loaded from."}
      directory: {type: path, required: true, description: The folder of the backups.}
      owner: {type: str, required: true, description: "The user that they belong to, who alone may read them."}
  url: {type: str, required: true, description: The frontend's address.}
  database_container: {type: str, default: "", description: "The PostgreSQL container; empty for an external database, whose rows are not read."}
  database_name: {type: str, default: todo, description: The database in it.}
attributes:
  check_mode:
    support: full
    description: Makes all the checks, and says what would be done.
author: todochat (@todochat)
"""

EXAMPLES = r"""
- name: The revision before serves again
  todochat.platform.release_rollback:
    helm: /opt/todochat/bin/helm
    kubectl: /opt/todochat/bin/kubectl
    kubeconfig: ~/.local/state/todochat/todo/kubeconfig
    namespace: todo
    registry: 127.0.0.1:5000
    repository: todo
    releases: [backend, frontend]
    database:
      url: "{{ app_secrets_database_url }}"
      lock: artifacts.lock.yml
      store: ~/.cache/todochat/store
      directory: ~/.local/state/todochat/todo/backups
      owner: me
    url: http://127.0.0.1:30000
    database_container: todo-database
"""

RETURN = r"""
revision: {type: int, returned: success, description: The revision that was gone back to.}
revisions: {type: list, returned: success, description: "All that one can go back to, the newest first, a line each."}
steps: {type: list, returned: success, description: The steps of the user's way that was checked; none where nothing was done.}
undo: {type: str, returned: success, description: "The backup of what was in the database before one was restored; empty otherwise."}
would: {type: list, returned: success, description: "What was done, or would be, a sentence each."}
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.todochat.platform.plugins.module_utils.acceptance import StoredRows
from ansible_collections.todochat.platform.plugins.module_utils.base.errors import fail, told
from ansible_collections.todochat.platform.plugins.module_utils.cluster.kubectl import Cluster
from ansible_collections.todochat.platform.plugins.module_utils.database import compatibility
from ansible_collections.todochat.platform.plugins.module_utils.images.registry import registry
from ansible_collections.todochat.platform.plugins.module_utils.whole.rollback import Done, Rollback


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            **{name: {"type": "path", "required": True} for name in ("helm", "kubectl", "kubeconfig")},
            **{name: {"type": "str", "required": True} for name in ("namespace", "registry", "repository", "url")},
            "releases": {"type": "list", "elements": "str", "required": True},
            "timeout": {"type": "int", "default": 300},
            "to": {"type": "int"},
            "restore": {"type": "str", "default": ""},
            "failed": {"type": "dict"},
            "before": {"type": "dict", "default": {}},
            "database": {"type": "dict", "required": True, "options": compatibility.ARGUMENTS},
            "database_container": {"type": "str", "default": ""},
            "database_name": {"type": "str", "default": "todo"},
        },
        supports_check_mode=True,
    )
    given = module.params
    with told(module):
        rollback = Rollback(
            cluster=Cluster(given["helm"], given["kubectl"], given["kubeconfig"], given["namespace"]),
            registry=registry(given["registry"]),
            repository=given["repository"],
            releases=tuple(given["releases"]),
            database=compatibility.database(given["database"], given["namespace"]),
            url=given["url"],
            rows=StoredRows(given["database_container"], given["database_name"]) if given["database_container"] else None,
            timeout=given["timeout"],
        )
        if given["failed"] is not None:
            # in check mode nothing was upgraded
            fail(module, rollback.take_back(given["failed"], {} if module.check_mode else given["before"]))
        words = {"": "", "false": "", "true": "true"}
        way = rollback.look(given["to"], words.get(given["restore"].lower(), given["restore"]))
        done = rollback.go(way) if way.would and not module.check_mode else Done([], "")
        module.exit_json(
            changed=bool(way.would), revision=way.plan.revision, revisions=way.past.lines(), steps=done.steps, undo=done.undo, would=list(way.would)
        )


if __name__ == "__main__":
    main()
