# MIT (see LICENSE), or GNU General Public License v3.0+ (see https://www.gnu.org/licenses/gpl-3.0.txt), as you choose.
# SPDX-License-Identifier: MIT OR GPL-3.0-or-later
"""Ansible module kubernetes_secret: a Secret whose values show nowhere but in the cluster."""

from __future__ import annotations

DOCUMENTATION = r"""
module: kubernetes_secret
short_description: Keeps a namespace and a Secret in it, and shows no value
description:
  - Compares the live Secret with the one wanted, and writes it only where they differ, never with an annotation that repeats it.
  - Values reach kubectl on its standard input. Diffs and results show key names and salted hashes.
  - A cluster that cannot be asked yet is reported as changed in check mode.
options:
  kubectl:
    description: The kubectl to call.
    type: path
    default: kubectl
  kubeconfig:
    description: The kubeconfig to use. kubectl's own choice where not given.
    type: path
  context:
    description: The context in it. The current one where not given.
    type: str
  namespace:
    description: The namespace, made where it is missing.
    type: str
    required: true
  namespace_labels:
    description: Labels that the namespace has, among others.
    type: dict
    default: {}
  name:
    description: The Secret.
    type: str
    required: true
  type:
    description: What kind of Secret it is. That of one that is there cannot be changed.
    type: str
    default: Opaque
  labels:
    description: Labels that the Secret has, among others.
    type: dict
    default: {}
  data:
    description: All keys of the Secret with their values in clear text.
    type: dict
    required: true
  checksum_key:
    description: Key of the hashes shown in place of values. May be empty in check mode, where it may not exist yet.
    type: str
    required: true
attributes:
  check_mode:
    support: full
    description: In check mode, says what would be changed, and changes nothing.
  diff_mode:
    support: full
    description: Shows the names of keys, and salted hashes of their values.
author: todochat (@todochat)
"""

EXAMPLES = r"""
- name: The backend finds its secrets in the cluster
  todochat.platform.kubernetes_secret:
    namespace: todo
    name: backend-secrets
    data:
      database_url: "{{ app_secrets_database_url }}"
    checksum_key: "{{ vault_checksum_key }}"
"""

RETURN = r"""
checksum:
  description: HMAC-SHA256 of the data under O(checksum_key), also kept as the Secret's annotation todochat.platform/checksum.
  returned: always
  type: str
"""

import base64
import json
import os
import secrets
import subprocess
from typing import Any, NoReturn

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.todochat.platform.plugins.module_utils.base.errors import UserError, fail, told
from ansible_collections.todochat.platform.plugins.module_utils.cluster import secret
from ansible_collections.todochat.platform.plugins.module_utils.cluster.kubectl import Cluster


class Namespace:
    """The namespace, as kubectl reaches it."""

    def __init__(self, module: AnsibleModule) -> None:
        given = module.params
        self.module = module
        self.cluster = Cluster("", given["kubectl"], given["kubeconfig"] or os.environ.get("KUBECONFIG", ""), given["namespace"])
        self.context = [f"--context={given['context']}"] if given["context"] else []

    def kubectl(self, *arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        """Run kubectl with `stdin`. UserError where there is no such program, or no end of it."""
        return self.cluster.run("kubectl", *self.context, "--request-timeout=30s", *arguments, stdin=stdin, check=False)

    def read(self, namespace: str, name: str) -> secret.Actual | str:
        """What is live, or why that cannot be known."""
        kubeconfig = self.module.params["kubeconfig"]
        if kubeconfig and not os.path.exists(kubeconfig):
            return f"there is no kubeconfig {kubeconfig}"
        try:
            asked = self.kubectl("get", f"namespace/{namespace}", f"secret/{name}", "--ignore-not-found", "--output=json")
        except UserError as error:
            return f"kubectl does not say ({error.why.removesuffix('.')})"
        unseen = None
        if 'cannot get resource "namespaces"' in asked.stderr:  # somebody else keeps it, and lets this account into it alone
            unseen = self.module.params["namespace_labels"]
            asked = self.kubectl("get", f"secret/{name}", "--ignore-not-found", "--output=json")
        if asked.returncode:
            return f"the cluster cannot be asked ({last_line(asked.stderr)})"
        return secret.Actual.parse(asked.stdout, unseen)

    def write(self, manifest: dict[str, Any], *verb: str) -> None:
        """Send one manifest with a verb of kubectl's; none of them may repeat it in an annotation."""
        done = self.kubectl(*verb, "--field-manager=todochat", "--filename=-", stdin=json.dumps(manifest))
        if done.returncode:
            self.fail(f"the cluster refused the {manifest['kind']}: {last_line(done.stderr)}", "Mend what it names, then run the same command again.")

    def fail(self, problem: str, remedy: str) -> NoReturn:
        """Fail the task with a sentence about the Secret."""
        name, namespace = self.module.params["name"], self.module.params["namespace"]
        fail(self.module, UserError(f"Secret {name} in namespace {namespace} cannot be kept: {problem}.", remedy))


def last_line(text: str) -> str:
    """kubectl's verdict, which comes after its warnings."""
    return (text.strip().splitlines() or ["no reason given"])[-1].rstrip(".")


def main() -> None:
    """Entry point."""
    module = AnsibleModule(
        argument_spec={
            "kubectl": {"type": "path", "default": "kubectl"},
            "kubeconfig": {"type": "path"},
            "context": {"type": "str"},
            "namespace": {"type": "str", "required": True},
            "namespace_labels": {"type": "dict", "default": {}},
            "name": {"type": "str", "required": True},
            "type": {"type": "str", "default": "Opaque"},
            "labels": {"type": "dict", "default": {}},
            "data": {"type": "dict", "required": True, "no_log": True},
            "checksum_key": {"type": "str", "required": True, "no_log": True},
        },
        supports_check_mode=True,
    )
    with told(module):
        cluster = Namespace(module)
        data = module.params["data"]
        if wrong := sorted(name for name, value in data.items() if not isinstance(value, str)):
            cluster.fail(f"the values of {', '.join(wrong)} must be strings", "Give mappings as JSON (to_json).")
        empty = sorted(name for name, value in {**data, "checksum_key": module.params["checksum_key"]}.items() if not value)
        if empty and not module.check_mode:
            cluster.fail(f"{', '.join(empty)} is empty, as it is where there is no vault", "Run `make up ARGS='--tags vault'` first.")
        # kubectl's own words could repeat a value in the form in which it was given one.
        module.no_log_values.update(base64.b64encode(value.encode()).decode("ascii") for value in data.values() if value)

        wanted = secret.Wanted(
            namespace=module.params["namespace"],
            namespace_labels=module.params["namespace_labels"],
            name=module.params["name"],
            labels=module.params["labels"],
            type=module.params["type"],
            data=data,
            # Where the key has only been announced, a passing one keeps the hashes as good as random.
            checksum_key=module.params["checksum_key"] or secrets.token_hex(),
        )
        read = cluster.read(wanted.namespace, wanted.name)
        if isinstance(read, str) and not module.check_mode:
            cluster.fail(read, cluster.cluster.remedy)
        actual = secret.Actual() if isinstance(read, str) else read

        writes: list[tuple[dict[str, Any], tuple[str, ...]]] = []
        if actual.namespace_labels is None and cluster.cluster.of_others:
            writes.append((wanted.namespace_manifest(), ("create",)))
        elif secret.namespace_differs(wanted, actual) and not cluster.cluster.of_others:
            # Others may label the namespace as well; server-side apply leaves them theirs.
            writes.append((wanted.namespace_manifest(), ("apply", "--server-side", "--force-conflicts")))
        if secret.secret_differs(wanted, actual):
            # The Secret is ours alone: a replacement takes away keys that are no longer wanted, whoever set them.
            writes.append((wanted.secret_manifest(), ("create" if actual.labels is None else "replace",)))
        if not module.check_mode:
            for manifest, verb in writes:
                cluster.write(manifest, *verb)

        what = " and ".join(f"{manifest['kind']} {manifest['metadata']['name']}" for manifest, _unused in writes)
        msg = f"{'would write' if module.check_mode else 'wrote'} {what}" if writes else "as wanted"
        if isinstance(read, str):
            msg += f": {read}"
        result = {"changed": bool(writes), "msg": msg, "checksum": wanted.checksum}
        if module._diff:
            result["diff"] = secret.shown(wanted, actual)
        module.exit_json(**result)


if __name__ == "__main__":
    main()
