#!/usr/bin/python
# MIT (see LICENSE), or GNU General Public License v3.0+ (see https://www.gnu.org/licenses/gpl-3.0.txt), as you choose.
# SPDX-License-Identifier: MIT OR GPL-3.0-or-later
"""Ansible module: what an assistant for operations asks the cluster and its language model with."""

from __future__ import annotations

DOCUMENTATION = r"""
module: agent_access
short_description: Keeps a kubeconfig with a short-lived token of a service account, and the key of a language model, in a folder of one user's
description:
  - The token is asked for by TokenRequest, and renewed as soon as less than half of its time is left, or the cluster does not take it.
  - Both are files of the user's alone; neither shows in what is returned.
options:
  kubectl: {type: path, default: kubectl, description: The kubectl program.}
  kubeconfig: {type: path, required: true, description: How an administrator reaches the cluster.}
  namespace: {type: str, required: true, description: The namespace of the service account.}
  account: {type: str, required: true, description: The service account.}
  directory: {type: path, required: true, description: "The folder. The files in it are C(kubeconfig) and C(model-key)."}
  seconds: {type: int, default: 3600, description: How long a token is good for.}
  model_key: {type: str, default: "", description: The key of the language model. Where empty there is no file for it.}
attributes:
  check_mode:
    support: full
    description: In check mode, says what would be changed, and changes nothing.
author: todochat (@todochat)
"""

EXAMPLES = r"""
- name: Agents have a kubeconfig of their own
  todochat.platform.agent_access:
    kubectl: /opt/todochat/bin/kubectl
    kubeconfig: ~/.local/state/todochat/todo/kubeconfig
    namespace: todo
    account: agents
    directory: ~/.local/state/todochat/todo/agents
"""

RETURN = r"""
expires: {type: str, returned: always, description: "Until when the token is good, as in 2026-11-29 21:30 UTC; empty where there is none yet."}
server: {type: str, returned: always, description: The host that the kubeconfig leads to; empty where the cluster cannot be asked yet.}
has_key: {type: bool, returned: always, description: Whether there is a key for a language model.}
would: {type: list, returned: always, description: "What was done, or would be done in check mode, a sentence each."}
"""

import time
import urllib.parse
from pathlib import Path

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.todochat.platform.plugins.module_utils.base.errors import told
from ansible_collections.todochat.platform.plugins.module_utils.cluster.agents import Account, Kubeconfig, lifetime, write
from ansible_collections.todochat.platform.plugins.module_utils.cluster.kubectl import Cluster


def main() -> None:
    """Entry point."""
    module = AnsibleModule(
        argument_spec={
            "kubectl": {"type": "path", "default": "kubectl"},
            "kubeconfig": {"type": "path", "required": True},
            "namespace": {"type": "str", "required": True},
            "account": {"type": "str", "required": True},
            "directory": {"type": "path", "required": True},
            "seconds": {"type": "int", "default": 3600},
            "model_key": {"type": "str", "default": "", "no_log": True},
        },
        supports_check_mode=True,
    )
    given = module.params
    folder = Path(given["directory"])
    account = Account(Cluster("", given["kubectl"], given["kubeconfig"], given["namespace"]), given["account"])
    kubeconfig, key = Kubeconfig(folder / "kubeconfig"), folder / "model-key"
    would = []
    with told(module):
        seconds = lifetime(given["seconds"])
        wanted = account.wanted()
        if not folder.is_dir() or folder.stat().st_mode & 0o077:
            would.append(f"{folder} is its owner's alone")
            if not module.check_mode:
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
                folder.chmod(0o700)
        if not kubeconfig.serves(wanted, account, seconds):
            would.append(f"{kubeconfig.path} has a new token for {seconds // 60} minutes")
            if not module.check_mode:
                kubeconfig.write(wanted, account, seconds)
        if differs(key, given["model_key"]):
            would.append(f"{key} has the model's key" if given["model_key"] else f"{key} is gone")
            if not module.check_mode and given["model_key"]:
                write(key, given["model_key"])
            elif not module.check_mode:
                key.unlink()
    expires = kubeconfig.expires()
    module.exit_json(
        changed=bool(would),
        would=would,
        expires=time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(expires)) if expires else "",
        server=urllib.parse.urlsplit(wanted["clusters"][0]["cluster"]["server"]).hostname or "",
        has_key=bool(given["model_key"]),
    )


def differs(key: Path, wanted: str) -> bool:
    """Whether the file has another content, or readers."""
    if not key.exists():
        return bool(wanted)
    return not wanted or key.read_text(encoding="utf-8") != wanted or bool(key.stat().st_mode & 0o077)


if __name__ == "__main__":
    main()
