"""A rollout under watch: when it is complete, what each pod is doing, and why it fails.

A release may be slow: nothing here ends a pull, a migration, or a start that its startup probe still allows. What ends
the watch is a sign that waiting does not help, once the cluster has shown it for as long as that sign needs to be sure.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.todochat.platform.plugins.module_utils.base.progress import waiting_for
from ansible_collections.todochat.platform.plugins.module_utils.cluster.kubectl import Cluster
from ansible_collections.todochat.platform.plugins.module_utils.release.helm import Release, ReleaseError, owner

POLL_SECONDS = 1
LOG_LINES = 15
REVISION = "deployment.kubernetes.io/revision"
INSTANCE = "app.kubernetes.io/instance"

PULLING = {"ErrImagePull", "ImagePullBackOff", "RegistryUnavailable", "ImageInspectError"}
NOT_STARTING = {"CreateContainerConfigError", "CreateContainerError", "ErrImageNeverPull", "InvalidImageName", "RunContainerError"}
BACKING_OFF = {"image", "start", "crash", "volume"}
"""Kinds of signs whose pods the kubelet tries again only now and then."""
# Seconds that a sign has to be there without a break. With what asking takes on a busy machine, a fault is named within 15.
PATIENCE = 8
# For what mends itself where something else comes back: a registry, a volume, or the database, for which a pod answers 503 meanwhile.
LONG_PATIENCE = 45
UNAVAILABLE = "statuscode: 503"


@dataclass(frozen=True)
class Sign:
    """What tells that a pod does not get any further by waiting."""

    where: str
    """A pod's container, a pod, or a ReplicaSet."""
    what: str
    """What is wrong there, with the cluster's own words."""
    patience: float
    """Seconds for which it has to be so without a break."""
    kind: str
    """With ``where`` and ``patience``, what the clock runs on: words may change meanwhile."""
    pod: str = ""
    container: str = ""
    """Whose last lines explain it; empty where nothing has run."""


@dataclass
class Clock:
    """Since when each sign has been there."""

    _since: dict[tuple[str, str, float], float] = field(default_factory=dict)

    def ended(self, found: Iterable[Sign], now: float) -> Sign | None:
        """The first of the signs found ``now`` (seconds of any clock) that has been there for longer than its patience."""
        keys = {(sign.where, sign.kind, sign.patience): sign for sign in found}
        self._since = {key: self._since.get(key, now) for key in keys}
        return next((sign for key, sign in keys.items() if now - self._since[key] >= sign.patience), None)


@dataclass(frozen=True)
class Rollout:
    """What the cluster holds of a release, from one answer to ``kubectl get deployments,replicasets,pods,events``."""

    release: str
    items: Sequence[Mapping[str, Any]]

    def _of(self, kind: str) -> list[Mapping[str, Any]]:
        return [i for i in self.items if i["kind"] == kind and i["metadata"].get("labels", {}).get(INSTANCE) == self.release]

    @property
    def deployments(self) -> list[Mapping[str, Any]]:
        return self._of("Deployment")

    @property
    def newest(self) -> list[Mapping[str, Any]]:
        """Each Deployment's newest ReplicaSet; what the ones before it suffer from is past. None while the controller has not seen the newest."""
        revisions = {d["metadata"]["uid"]: d["metadata"].get("annotations", {}).get(REVISION) for d in self.deployments if seen(d)}
        return [r for r in self._of("ReplicaSet") if r["metadata"].get("annotations", {}).get(REVISION) == revisions.get(owner(r), "")]

    @property
    def pods(self) -> list[Mapping[str, Any]]:
        """The newest ReplicaSets' pods, but those that leave."""
        newest = {replicaset["metadata"]["uid"] for replicaset in self.newest}
        return [pod for pod in self._of("Pod") if owner(pod) in newest and "deletionTimestamp" not in pod["metadata"]]

    def events(self, of: Mapping[str, Any], *reasons: str, container: str = "") -> list[str]:
        """What was said about an object or one of its containers, for one of the reasons, the newest last."""
        found = [
            event
            for event in self.items
            if event["kind"] == "Event"
            and event["involvedObject"].get("uid") == of["metadata"]["uid"]
            and event.get("reason") in reasons
            and container in event["involvedObject"].get("fieldPath", "")
        ]
        return [event.get("message", "") for event in sorted(found, key=when)]

    def unfinished(self) -> list[str]:
        """What is not yet as its Deployment says, a sentence each; empty when every rollout is complete."""
        return unfinished(self.deployments)

    def doing(self) -> list[str]:
        """What each of the newest pods is doing now, a few words each."""
        return [self._doing(pod) for pod in self.pods]

    def _doing(self, pod: Mapping[str, Any]) -> str:
        name, container = pod["metadata"]["name"], not_there_yet(pod)
        if container is None:
            if pod.get("status", {}).get("containerStatuses"):
                return f"{name} is ready"
            return f"{name} waits for a node: {message}" if (message := unschedulable(pod)) else f"{name} is scheduled"
        state = container.get("state", {})
        what = state.get("waiting", {}).get("reason") or ("ended" if "running" not in state else "runs, not ready" if container.get("started") else "starts")
        if what in ("ContainerCreating", "PodInitializing") and (said := self.events(pod, "Pulling", "Pulled", "FailedMount", "FailedCreatePodSandBox")):
            what = f"{what}: {said[-1]}"
        return f"{name}/{container['name']} {what}"

    def signs(self, restarts: Mapping[str, int]) -> list[Sign]:
        """What tells that the rollout will not be complete.

        ``restarts`` says how often each container (``pod/name``) had been restarted when the watch began: after a
        restart of the node that is no sign.
        """
        return [
            *(sign for replicaset in self.newest for sign in self._refused(replicaset)),
            *(sign for pod in self.pods for sign in self._waiting(pod)),
            *(sign for pod in self.pods for container in statuses(pod) for sign in self._failing(pod, container, restarts)),
        ]

    @property
    def _leaving(self) -> bool:
        """Whether a pod is on its way out, of whichever release: it makes room when it is gone."""
        return any(item["kind"] == "Pod" and "deletionTimestamp" in item["metadata"] for item in self.items)

    def _refused(self, replicaset: Mapping[str, Any]) -> Iterator[Sign]:
        """Pods that the API server does not take: Pod Security, a quota."""
        name = replicaset["metadata"]["name"]
        for condition in replicaset.get("status", {}).get("conditions", []):
            if condition["type"] == "ReplicaFailure" and condition["status"] == "True" and not self._leaving:
                yield Sign(name, f"no pod can be made: {condition.get('message', '')}", PATIENCE, "refused")

    def _waiting(self, pod: Mapping[str, Any]) -> Iterator[Sign]:
        """A pod that no node has room for, or whose volumes are not there."""
        name = pod["metadata"]["name"]
        if (message := unschedulable(pod)) and not self._leaving:
            yield Sign(name, f"no node takes it: {message}", PATIENCE, "room")
        # once the sandbox is there, so are all volumes, whatever was said before
        mounted = condition(pod, "PodReadyToStartContainers") or any("waiting" not in c.get("state", {}) for c in statuses(pod))
        if not mounted and (said := self.events(pod, "FailedMount")):
            missing = any(words in said[-1] for words in ("not found", "non-existent"))
            yield Sign(name, said[-1], PATIENCE if missing else LONG_PATIENCE, "volume")

    def _failing(self, pod: Mapping[str, Any], container: Mapping[str, Any], restarts: Mapping[str, int]) -> Iterator[Sign]:
        """A container that cannot be pulled or started, ends again and again, or does not get ready."""
        where = f"{pod['metadata']['name']}/{container['name']}"
        ran = {"pod": pod["metadata"]["name"], "container": container["name"]}
        state, waiting = container.get("state", {}), container.get("state", {}).get("waiting", {})
        reason = waiting.get("reason", "")
        in_back_off = reason == "CrashLoopBackOff"
        ended = state.get("terminated") or (container.get("lastState", {}).get("terminated", {}) if in_back_off else {})
        if reason in PULLING:
            said = [waiting.get("message", ""), *self.events(pod, "Failed", container=f"{{{container['name']}}}")]
            message = next((words for words in said if no_such_image(words)), said[0])
            yield Sign(where, f"{reason}: {message}", 0 if no_such_image(message) else LONG_PATIENCE, "image")
        elif reason in NOT_STARTING:
            yield Sign(where, f"{reason}: {waiting.get('message', '')}", PATIENCE, "start", **ran)
        elif in_back_off or ended.get("exitCode") or (ended and is_service(pod, container)):
            again = container.get("restartCount", 0) > restarts.get(where, 0)
            if again or in_back_off:
                said = self.events(pod, "Unhealthy", container=f"{{{container['name']}}}")
                what = f"{reason or 'ended again'}, exit code {ended.get('exitCode')} ({ended.get('reason')})"
                yield Sign(where, f"{what}: {said[-1]}" if said else what, 0 if again else PATIENCE, "crash", **ran)
        elif "running" in state and container.get("started") and not container.get("ready") and is_service(pod, container):
            said = [words for words in self.events(pod, "Unhealthy", container=f"{{{container['name']}}}") if "Readiness probe" in words]
            # Nothing said yet, or 503, may mean that it waits for the database.
            sure = said and UNAVAILABLE not in said[-1]
            what = f"runs, but does not get ready: {said[-1] if said else 'its readiness probe does not succeed'}"
            yield Sign(where, what, max(PATIENCE if sure else LONG_PATIENCE, first_probes(pod, container)), "readiness", **ran)


def seen(deployment: Mapping[str, Any]) -> bool:
    """Whether what is said of a Deployment is about its newest version."""
    return bool(deployment.get("status", {}).get("observedGeneration", 0) >= deployment["metadata"]["generation"])


def unfinished(workloads: Iterable[Mapping[str, Any]]) -> list[str]:
    """What is not yet as its Deployment says, a sentence each; empty when every rollout is complete."""
    problems = []
    for workload in workloads:
        name, spec, status = workload["metadata"]["name"], workload["spec"], workload.get("status", {})
        wanted = spec.get("replicas", 1)
        if not seen(workload):
            problems.append(f"{name}: not yet seen by the controller")
        elif status.get("updatedReplicas", 0) < wanted:
            problems.append(f"{name}: {status.get('updatedReplicas', 0)} of {wanted} pods are new")
        elif status.get("replicas", 0) > wanted:
            problems.append(f"{name}: {status['replicas'] - wanted} old pods are leaving")
        elif status.get("availableReplicas", 0) < wanted:
            problems.append(f"{name}: {status.get('availableReplicas', 0)} of {wanted} pods are available")
    return problems


def when(event: Mapping[str, Any]) -> str:
    """When an event was seen last; all are spelled alike, so that they can be sorted."""
    return str(event.get("lastTimestamp") or event.get("eventTime") or event["metadata"].get("creationTimestamp") or "")


def condition(pod: Mapping[str, Any], kind: str, status: str = "True") -> Mapping[str, Any] | None:
    """A pod's condition of this kind, where it has this status."""
    found = pod.get("status", {}).get("conditions", [])
    return next((entry for entry in found if entry["type"] == kind and entry["status"] == status), None)


def unschedulable(pod: Mapping[str, Any]) -> str:
    """Why no node takes a pod, in the scheduler's words; empty where one does, or was not looked for yet."""
    found = condition(pod, "PodScheduled", "False")
    return str(found.get("message") or "Unschedulable") if found and found.get("reason") == "Unschedulable" else ""


def statuses(pod: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What is known of a pod's containers, in the order of their start."""
    status = pod.get("status", {})
    return [*status.get("initContainerStatuses", []), *status.get("containerStatuses", [])]


def is_service(pod: Mapping[str, Any], container: Mapping[str, Any]) -> bool:
    """Whether a container is to go on running, not to end as an init container."""
    return container in pod["status"].get("containerStatuses", [])


def not_there_yet(pod: Mapping[str, Any]) -> dict[str, Any] | None:
    """The first of a pod's containers that is neither ready nor done."""
    for container in statuses(pod):
        done = container.get("state", {}).get("terminated", {}).get("exitCode") == 0
        if not done and not container.get("ready"):
            return container
    return None


def no_such_image(message: str) -> bool:
    """Whether a registry has answered that it does not have the image."""
    return any(words in message.lower() for words in ("not found", "notfound", "manifest unknown"))


def first_probes(pod: Mapping[str, Any], container: Mapping[str, Any]) -> float:
    """Seconds until a container's readiness was asked for twice."""
    spec: Mapping[str, Any] = next((c for c in pod.get("spec", {}).get("containers", []) if c["name"] == container["name"]), {})
    probe = spec.get("readinessProbe", {})
    return float(probe.get("initialDelaySeconds", 0) + 2 * probe.get("periodSeconds", 0))


class Watcher:
    """Follows a rollout until it is complete, and fails early with the cause when it cannot be."""

    def __init__(self, release: Release, cluster: Cluster, seconds: float) -> None:
        self.release = release
        self.cluster = cluster
        self.seconds = seconds

    def wait(self) -> None:
        """Raises ReleaseError naming the pod and the reason, with its last log lines. The cluster's own pods are waited for first."""
        self.cluster.wait_for_its_own()
        deadline, clock = time.monotonic() + self.seconds, Clock()
        rollout = self._ask()
        restarts = {f"{pod['metadata']['name']}/{c['name']}": c.get("restartCount", 0) for pod in rollout.pods for c in statuses(pod)}
        while problems := rollout.unfinished():
            waiting_for(f"waiting for {'; '.join([*problems, *rollout.doing()])}")
            if sign := clock.ended(rollout.signs(restarts), time.monotonic()):
                waiting_for(f"the rollout fails: {sign.where}: {sign.what}")
                raise ReleaseError(
                    f"The rollout of {self.release.name} fails: {sign.where}: {sign.what}",
                    "Mend what the container's last lines above or this reason name, then run the same command again.",
                    self._log(sign.pod, sign.container) if sign.pod else "",
                )
            if time.monotonic() > deadline:
                late = ((pod["metadata"]["name"], c["name"]) for pod in rollout.pods if (c := not_there_yet(pod)))
                raise ReleaseError(
                    f"The rollout of {self.release.name} is not complete after {self.seconds:.0f} s: {'; '.join([*problems, *rollout.doing()])}.",
                    f"Look at {self.cluster.look(self.cluster.namespace)}, then run the same command again, which waits anew.",
                    next((self._log(*container) for container in late), ""),
                )
            time.sleep(POLL_SECONDS)
            rollout = self._ask()

    def backing_off(self) -> list[str]:
        """The pods that an earlier attempt left failing, by name.

        They are best deleted before they are watched: they try again after up to five minutes only, and what they show
        may be of before its cause was mended.
        """
        return sorted({sign.where.partition("/")[0] for sign in self._ask().signs({}) if sign.kind in BACKING_OFF})

    def _ask(self) -> Rollout:
        return Rollout(self.release.name, self.cluster.json("deployments,replicasets,pods,events")["items"])

    def _log(self, pod: str, container: str) -> str:
        """A container's last lines, below those of its run before where there was one."""
        arguments = ("kubectl", "logs", pod, f"--container={container}", f"--tail={LOG_LINES}")
        runs = [self.cluster.run(*arguments, *which, check=False).stdout.rstrip() for which in (("--previous",), ())]
        return "\n".join(run for run in dict.fromkeys(runs) if run)
