"""The cluster's own pods, DNS among them: whether they are ready, told from what was so before a restart."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any

from ansible_collections.todochat.platform.plugins.module_utils.base.errors import UserError
from ansible_collections.todochat.platform.plugins.module_utils.base.progress import waiting_for

SYSTEM = "kube-system"
# What this collection adds there is no part of the cluster: its release waits for it, and must be able to mend it.
ADDED = ("app.kubernetes.io/part-of", "todochat")
READY_SECONDS = 180
POLL_SECONDS = 1


def unready_pods(pods: Iterable[Mapping[str, Any]], node_starts: Mapping[str, datetime]) -> list[str]:
    """The cluster's own pods that are not ready, and all that are shown as running since before their node was started.

    No container runs longer than its node does, which tells old news from new.
    """
    unready = []
    for pod in pods:
        status = pod.get("status", {})
        node_start = node_starts.get(pod["spec"].get("nodeName", ""))
        states = [container["state"] for container in status.get("containerStatuses", [])]
        running = [datetime.fromisoformat(state["running"]["startedAt"]) for state in states if "running" in state]
        stale = node_start is not None and any(since < node_start for since in running)
        ready = {"type": "Ready", "status": "True"}.items()
        is_ready = any(ready <= condition.items() for condition in status.get("conditions", []))
        own = pod["metadata"]["namespace"] == SYSTEM and ADDED not in pod["metadata"].get("labels", {}).items()
        if stale or (own and not is_ready):
            unready.append(pod["metadata"]["name"])
    return unready


def wait_for_pods(ask: Callable[[], Iterable[Mapping[str, Any]]], look: str, node_starts: Mapping[str, datetime] | None = None) -> None:
    """Waits until no pod is unready. Raises UserError naming those that stay so; ``look`` is the command that says why."""
    deadline = time.monotonic() + READY_SECONDS
    while unready := unready_pods(ask(), node_starts or {}):
        waiting_for(f"waiting for the pods {', '.join(unready)}")
        if time.monotonic() > deadline:
            raise UserError(
                f"These pods of the cluster are not ready after {READY_SECONDS} s: {', '.join(unready)}.",
                f"Read why with {look}, then run the same command again.",
            )
        time.sleep(POLL_SECONDS)
