"""What runs is what was built: the image ID of every container, against the digest its pod asks for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any


def wrong_images(pods: Iterable[Mapping[str, Any]], wanted: Mapping[str, str]) -> list[str]:
    """Containers that do not run the wanted digest, a sentence each.

    ``wanted`` maps a release (label app.kubernetes.io/instance) to its digest; pods of other releases, pods that are
    leaving, and pods that have ended are passed over.
    """
    problems = []
    seen: set[str] = set()
    for pod in pods:
        release = pod["metadata"].get("labels", {}).get("app.kubernetes.io/instance", "")
        phase = pod.get("status", {}).get("phase")
        if release not in wanted or "deletionTimestamp" in pod["metadata"] or phase in ("Succeeded", "Failed"):
            continue
        seen.add(release)
        statuses = [*pod["status"].get("initContainerStatuses", []), *pod["status"].get("containerStatuses", [])]
        for status in statuses:
            actual = status.get("imageID", "").rpartition("@")[2]
            if actual != wanted[release]:
                problems.append(
                    f"{pod['metadata']['name']}/{status['name']} runs {actual or 'no image yet'}, built was {wanted[release]}"
                )
    problems += [f"{release} has no running pod" for release in wanted if release not in seen]
    return problems


def startup_seconds(pods: Iterable[Mapping[str, Any]]) -> dict[str, float]:
    """For each ready pod, seconds from its first container's start to readiness (the API has whole seconds)."""
    took = {}
    for pod in pods:
        ready = [c for c in pod.get("status", {}).get("conditions", []) if c["type"] == "Ready" and c["status"] == "True"]
        started = [s["state"]["running"]["startedAt"] for s in pod.get("status", {}).get("containerStatuses", []) if "running" in s["state"]]
        if ready and started:
            begin, end = (datetime.fromisoformat(text) for text in (min(started), ready[0]["lastTransitionTime"]))
            took[pod["metadata"]["name"]] = (end - begin).total_seconds()
    return took
