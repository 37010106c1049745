#!/usr/bin/python
# MIT (see LICENSE), or GNU General Public License v3.0+ (see https://www.gnu.org/licenses/gpl-3.0.txt), as you choose.
# SPDX-License-Identifier: MIT OR GPL-3.0-or-later
"""Ansible module: Helm releases are as their charts, values, images and secrets say."""

from __future__ import annotations

DOCUMENTATION = r"""
module: helm_releases
short_description: Helm releases are as their charts, values, images and secrets say
description:
  - Renders each chart and compares it with the deployed revision and with the live objects. Calls Helm only where they
    differ, in the given order, after the cluster's own pods are ready, and follows each rollout until it is complete. What
    cannot become complete fails within seconds, with the cause and the container's last lines.
  - An edited chart of the same version is seen, because what is rendered is compared, not version numbers.
  - What one run changes is one revision of the deployment, to which M(todochat.platform.release_rollback) can go back.
options:
  helm: {type: path, required: true, description: The helm program.}
  kubectl: {type: path, required: true, description: The kubectl program.}
  kubeconfig: {type: path, required: true, description: How to reach the cluster.}
  namespace: {type: str, required: true, description: The namespace.}
  registry: {type: str, required: true, description: "The registry, host:port, that holds the images to deploy."}
  repository: {type: str, required: true, description: The first part of the images' repositories.}
  timeout: {type: int, default: 300, description: Seconds that one rollout may take.}
  wait: {type: bool, default: true, description: Whether to follow each rollout until it is complete.}
  compare:
    description: Whether only to say what would be changed, as check mode does, but where nothing may be missing that earlier roles make.
    type: bool
    default: false
  images:
    description: For each release the image to deploy, as M(todochat.platform.app_images) returned it. In check mode its digest is
      empty where it is only going to be built. Of others, the one that was built last is meant.
    type: dict
    default: {}
  releases:
    description: The releases, in the order of their rollout.
    type: list
    elements: dict
    required: true
    suboptions:
      name: {type: str, required: true, description: "The release, and the last part of its image's repository."}
      chart: {type: path, required: true, description: The chart.}
      values: {type: dict, default: {}, description: "Values over the chart's own; nothing secret."}
      secret: {type: str, default: "", description: "The Secret whose checksum goes into the values, so that a changed secret rolls its users."}
      checksum: {type: str, default: "", description: "That checksum, as M(todochat.platform.kubernetes_secret) returned it; empty, the Secret is asked."}
author: todochat (@todochat)
"""

EXAMPLES = r"""
- name: The backend is deployed
  todochat.platform.helm_releases:
    helm: /opt/todochat/bin/helm
    kubectl: /opt/todochat/bin/kubectl
    kubeconfig: ~/.local/state/todochat/todo/kubeconfig
    namespace: todo
    registry: 127.0.0.1:5000
    repository: todo
    releases:
      - name: backend
        chart: apps/backend/chart
        secret: backend-secrets
"""

RETURN = r"""
releases: {type: dict, returned: success, description: "For each release its digest, revision, and whether it changed."}
replacing:
  description: For each release whose image is another one now, or is going to be, that image and the one that it replaces (empty where there is none).
  type: dict
  returned: success
revision: {type: int, returned: success, description: "The revision of the deployment that a change is, or would be; 0 where there is none."}
complete: {type: bool, returned: success, description: "Whether every rollout is complete, as far as this task knows."}
before:
  description: The revision of the deployment that this run replaced, and whether it was healthy. Empty where nothing changed, or nothing was before.
  type: dict
  returned: always
would: {type: list, returned: success, description: "What was done, or would be done in check mode, a sentence each."}
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.todochat.platform.plugins.module_utils.base.errors import UserError, fail
from ansible_collections.todochat.platform.plugins.module_utils.cluster.kubectl import Cluster
from ansible_collections.todochat.platform.plugins.module_utils.cluster.secret import CHECKSUM_ANNOTATION
from ansible_collections.todochat.platform.plugins.module_utils.images.pushed import Pushed
from ansible_collections.todochat.platform.plugins.module_utils.images.registry import Registry, registry
from ansible_collections.todochat.platform.plugins.module_utils.release import revisions
from ansible_collections.todochat.platform.plugins.module_utils.release.helm import BROKEN_OFF, LEAVING, Release, ReleaseError, difference, live_drift
from ansible_collections.todochat.platform.plugins.module_utils.release.watch import Watcher, unfinished


def wanted(given: dict[str, Any], cluster: Cluster, there: Registry, repository: str, images: Mapping[str, Any]) -> Release:
    """The release with the digest of its image and the checksum of its secret: as earlier tasks said, else read from where they are."""
    path = f"{repository}/{given['name']}"
    said = images.get(given["name"], {})
    is_said = said.get("repository") == f"{there.endpoint}/{path}"
    digest = said["digest"] if is_said else Pushed().current(f"{there.endpoint}/{path}")
    if not digest or not (is_said or there.has(path, digest)):
        raise ReleaseError(f"There is no image {there.endpoint}/{path} to deploy.", "Run `make up ARGS='--tags app_images'` first.")
    values = {**given["values"], "image": {**given["values"].get("image", {}), "repository": f"{there.endpoint}/{path}", "digest": digest}}
    if given["checksum"]:
        values["secret"] = {"name": given["secret"], "checksum": given["checksum"]}
    elif given["secret"]:
        found = cluster.run("kubectl", "get", "secret", given["secret"], "--output=json", "--ignore-not-found").stdout
        annotations = json.loads(found)["metadata"].get("annotations", {}) if found else {}
        if CHECKSUM_ANNOTATION not in annotations:
            raise ReleaseError(
                f"The namespace {cluster.namespace} has no Secret {given['secret']} of this deployment.",
                "Run `make up ARGS='--tags app_secrets'` first.",
            )
        values["secret"] = {"name": given["secret"], "checksum": annotations[CHECKSUM_ANNOTATION]}
    return Release(given["name"], Path(given["chart"]), values)


def serving(past: revisions.History, cluster: Cluster) -> dict[str, Any]:
    """What runs before this run changes anything: the deployment's revision, and whether it is healthy. Empty where there is none."""
    if past.at(past.revision) is None:
        return {}
    deployed = all(part.status == "deployed" for part in past.newest.values())
    complete = not any(unfinished(Release(name, Path(), {}).workloads(cluster)) for name in past.parts)
    return {"revision": past.revision, "healthy": deployed and complete}


def replaced(release: Release, past: revisions.History) -> dict[str, str] | None:
    """The image of a release and the one that it replaces, both by digest; None where it is the same."""
    before, image = past.newest.get(release.name), release.values["image"]
    if before and before.digest == image["digest"]:
        return None
    return {"image": f"{image['repository']}@{image['digest']}", "before": f"{before.repository}@{before.digest}" if before else ""}


def main() -> None:
    suboptions = {
        "name": {"type": "str", "required": True},
        "chart": {"type": "path", "required": True},
        "values": {"type": "dict", "default": {}},
        "secret": {"type": "str", "default": "", "no_log": False},
        "checksum": {"type": "str", "default": ""},
    }
    module = AnsibleModule(
        argument_spec={
            **{name: {"type": "path", "required": True} for name in ("helm", "kubectl", "kubeconfig")},
            **{name: {"type": "str", "required": True} for name in ("namespace", "registry", "repository")},
            "timeout": {"type": "int", "default": 300},
            "wait": {"type": "bool", "default": True},
            "compare": {"type": "bool", "default": False},
            "images": {"type": "dict", "default": {}},
            "releases": {"type": "list", "elements": "dict", "required": True, "options": suboptions},
        },
        supports_check_mode=True,
    )
    given = module.params
    cluster = Cluster(given["helm"], given["kubectl"], given["kubeconfig"], given["namespace"])
    there = registry(given["registry"])
    results: dict[str, Any] = {}
    replacing: dict[str, Any] = {}
    before: dict[str, Any] = {}
    would: list[str] = []
    diffs: list[str] = []
    complete = True
    looks = module.check_mode or given["compare"]
    try:
        if module.check_mode and not cluster.answers():
            would = [f"release {release['name']} is installed" for release in given["releases"]]
            module.exit_json(changed=True, would=would, releases={}, replacing={}, revision=0, before={}, complete=True)
        past = revisions.read(cluster, [one["name"] for one in given["releases"]])
        for entry in given["releases"]:
            try:
                release = wanted(entry, cluster, there, given["repository"], given["images"])
            except UserError:
                if not module.check_mode:
                    raise
                # what an earlier role would put there is not there yet
                would.append(f"release {entry['name']} is installed or upgraded")
                continue
            new, newest = release.rendered(cluster), past.newest.get(release.name)
            status, revision = (newest.status, newest.version) if newest else ("absent", 0)
            changes = difference(f"{newest.manifest}\n---\n{newest.hooks}" if newest else "", new)
            reasons = [f"its status is {status}"] if status not in ("absent", "deployed") else []
            live, watcher = release.live(cluster, new), Watcher(release, cluster, given["timeout"])
            if status == "absent":
                reasons = ["it is not installed"]
            else:
                reasons += ["it differs from what is deployed"] if changes else live_drift(live, new)
            is_unfinished = bool(unfinished(item for item in live if item["kind"] == "Deployment"))
            if is_unfinished and (failing := watcher.backing_off()):
                would.append(f"pods that an earlier attempt left failing are made anew: {', '.join(failing)}")
                if not looks:
                    cluster.run("kubectl", "delete", "pods", "--wait=false", "--ignore-not-found", *failing)
            if reasons:
                if found := replaced(release, past):
                    replacing[release.name] = found
                would.append(f"release {release.name} is rolled out: {'; '.join(reasons)}")
                diffs += [changes] if changes else []
                if not looks:
                    before = before or serving(past, cluster)
                    if given["wait"]:  # where DNS does not answer yet, services only fail
                        cluster.wait_for_its_own()
                    release.upgrade(cluster, past.next)
            if reasons or is_unfinished:
                if given["wait"] and not looks:
                    watcher.wait()
                else:
                    complete = False
            results[release.name] = {
                "digest": release.values["image"]["digest"],
                # an upgrade takes the place of one that was broken off
                "revision": 1 if status == LEAVING else revision + (1 if reasons and status not in BROKEN_OFF else 0),
                "changed": bool(reasons),
            }
    except UserError as error:
        fail(module, error, before=before)
    diff = {"prepared": "\n".join(diffs) + "\n"} if diffs else {}
    revision = past.next if any(result["changed"] for result in results.values()) else 0
    module.exit_json(
        changed=bool(would), would=would, releases=results, replacing=replacing, revision=revision, before=before, complete=complete, diff=diff
    )


if __name__ == "__main__":
    main()
