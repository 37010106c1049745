"""A rollout under watch: when it is complete, what each pod is doing, and why it fails."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

from ansible_collections.todochat.platform.plugins.module_utils.progress import waiting_for
from ansible_collections.todochat.platform.plugins.module_utils.releases import Cluster, Release, ReleaseError

POLL_SECONDS = 1
LOG_LINES = 15
# Reasons that do not go away by waiting, once a container has shown them for this long.
FAILING = {
    "CrashLoopBackOff",
    "CreateContainerConfigError",
    "CreateContainerError",
    "ErrImagePull",
    "ImagePullBackOff",
    "InvalidImageName",
    "RunContainerError",
}
FAILING_SECONDS = 10


def unfinished(workloads: Sequence[Mapping[str, Any]]) -> list[str]:
    """What is not yet as its Deployment says, a sentence each; empty when every rollout is complete."""
    problems = []
    for workload in workloads:
        name, spec, status = workload["metadata"]["name"], workload["spec"], workload.get("status", {})
        wanted = spec.get("replicas", 1)
        if status.get("observedGeneration", 0) < workload["metadata"]["generation"]:
            problems.append(f"{name}: not yet seen by the controller")
        elif status.get("updatedReplicas", 0) < wanted:
            problems.append(f"{name}: {status.get('updatedReplicas', 0)} of {wanted} pods are new")
        elif status.get("replicas", 0) > wanted:
            problems.append(f"{name}: {status['replicas'] - wanted} old pods are leaving")
        elif status.get("availableReplicas", 0) < wanted:
            problems.append(f"{name}: {status.get('availableReplicas', 0)} of {wanted} pods are available")
    return problems


def statuses(pod: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What is known of a pod's containers, in the order of their start."""
    status = pod.get("status", {})
    return [*status.get("initContainerStatuses", []), *status.get("containerStatuses", [])]


def not_there_yet(pod: Mapping[str, Any]) -> dict[str, Any] | None:
    """The first of a pod's containers that is neither ready nor done."""
    for container in statuses(pod):
        done = container.get("state", {}).get("terminated", {}).get("exitCode") == 0
        if not done and not container.get("ready"):
            return container
    return None


def doing(pod: Mapping[str, Any]) -> str:
    """What a pod is doing now: the first of its containers that is not there yet, and why."""
    container = not_there_yet(pod)
    if container is None:
        return f"{pod['metadata']['name']} is {'ready' if pod.get('status', {}).get('containerStatuses') else 'scheduled'}"
    state = container.get("state", {})
    what = state.get("waiting", {}).get("reason") or ("starts" if "running" in state else "ended")
    return f"{pod['metadata']['name']}/{container['name']} {what}"


class Watcher:
    """Follows a rollout until it is complete, and fails early with the cause when it cannot be."""

    def __init__(self, release: Release, cluster: Cluster, seconds: float) -> None:
        self.release = release
        self.cluster = cluster
        self.deadline = time.monotonic() + seconds
        self.seconds = seconds
        self._since: dict[str, float] = {}

    def wait(self) -> None:
        """Raises ReleaseError naming the pod and the reason, with its last log lines. The cluster's own pods are waited for first."""
        self.cluster.wait_for_its_own()
        while problems := unfinished(self.release.workloads(self.cluster)):
            pods = self.release.newest_pods(self.cluster)
            waiting_for(f"waiting for {'; '.join([*problems, *map(doing, pods)])}")
            if cause := self._failing(pods):
                why, log = cause
                raise ReleaseError(
                    f"The rollout of {self.release.name} fails: {why}",
                    "Mend what the container's last lines above or this reason name, then run the same command again.",
                    log,
                )
            if time.monotonic() > self.deadline:
                raise ReleaseError(
                    f"The rollout of {self.release.name} is not complete after {self.seconds:.0f} s: {'; '.join(problems)}.",
                    f"Look at `kubectl --namespace {self.cluster.namespace} describe pods`, then run the same command again, which waits anew.",
                    next((self._log(pod, container["name"]) for pod in pods if (container := not_there_yet(pod))), ""),
                )
            time.sleep(POLL_SECONDS)

    def _failing(self, pods: Sequence[Mapping[str, Any]]) -> tuple[str, str] | None:
        """Why it cannot be complete, and the container's last lines."""
        for pod in pods:
            for container in statuses(pod):
                waiting = container.get("state", {}).get("waiting", {})
                key = f"{pod['metadata']['name']}/{container['name']}"
                if waiting.get("reason") not in FAILING:
                    self._since.pop(key, None)
                    continue
                # a pull or a start may fail once and then work
                if time.monotonic() - self._since.setdefault(key, time.monotonic()) < FAILING_SECONDS:
                    continue
                return f"{key}: {waiting['reason']}: {waiting.get('message', '')}", self._log(pod, container["name"])
        return None

    def _log(self, pod: Mapping[str, Any], container: str) -> str:
        """A container's last lines."""
        return self.cluster.run("kubectl", "logs", pod["metadata"]["name"], f"--container={container}", f"--tail={LOG_LINES}", check=False).stdout
