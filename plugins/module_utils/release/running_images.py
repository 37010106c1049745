"""What runs is what was built: the image ID of every container, against the digest its pod asks for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any


def wrong_images(pods: Iterable[Mapping[str, Any]], wanted: Mapping[str, str]) -> list[str]:
    """Containers that do not run the wanted digest, a sentence each.

    ``wanted`` maps a release (label app.kubernetes.io/instance) to its digest; pods of other releases, pods that are
    leaving, pods that have ended, and containers that a cluster's operators put beside ours are passed over.
    """
    problems = []
    seen: set[str] = set()
    for pod in pods:
        release = pod["metadata"].get("labels", {}).get("app.kubernetes.io/instance", "")
        phase = pod.get("status", {}).get("phase")
        if release not in wanted or "deletionTimestamp" in pod["metadata"] or phase in ("Succeeded", "Failed"):
            continue
        statuses = [*pod["status"].get("initContainerStatuses", []), *pod["status"].get("containerStatuses", [])]
        if statuses:  # a pod without a node has no containers yet
            seen.add(release)
        for status in (one for one in statuses if is_ours(one, release)):
            actual = status.get("imageID", "").rpartition("@")[2]
            if actual != wanted[release]:
                problems.append(
                    f"{pod['metadata']['name']}/{status['name']} runs {actual or 'no image yet'}, built was {wanted[release]}"
                )
    problems += [f"{release} has no running pod" for release in wanted if release not in seen]
    return problems


def is_ours(status: Mapping[str, Any], release: str) -> bool:
    """Whether a container is the release's: the one of its name, and those of an image of that name."""
    return bool(status["name"] == release) or str(status.get("imageID", "")).partition("@")[0].endswith(f"/{release}")


def startup_seconds(pods: Iterable[Mapping[str, Any]], releases: Iterable[str]) -> dict[str, int]:
    """For each release, seconds from start to readiness of its slowest ready pod (the API has whole seconds).

    Counted from the start of the pod's container, so that pulling an image is not part of it.
    """
    took: dict[str, int] = dict.fromkeys(releases, 0)
    for pod in pods:
        release = pod["metadata"].get("labels", {}).get("app.kubernetes.io/instance", "")
        status = pod.get("status", {})
        ready = [c["lastTransitionTime"] for c in status.get("conditions", []) if c["type"] == "Ready" and c["status"] == "True"]
        started = [s["state"]["running"]["startedAt"] for s in status.get("containerStatuses", []) if "running" in s["state"]]
        if release in took and ready and started:
            begin, end = datetime.fromisoformat(min(started)), datetime.fromisoformat(ready[0])
            took[release] = max(took[release], round((end - begin).total_seconds()))
    return took
