"""What the pods of the services ask of the node, the largest number of them and one more while they are replaced, against what it can give."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ansible_collections.todochat.platform.plugins.module_utils.base.errors import UserError

SYSTEM = {"cpu": 0.90, "memory": 350.0}
"""Asked by what the cluster runs for itself (control plane, DNS, metrics), in cores and MiB: 0.80 and 234 in `kubectl describe node`, and a reserve
for pods of `helm test` and for metrics-server while it is replaced."""
NETWORK = {"cpu": 0.25, "memory": 250.0}
"""Asked by the pods' network on each of several nodes."""
UNITS = {"": 1.0, "m": 0.001, "Ki": 1 / 1024, "Mi": 1.0, "Gi": 1024.0}
WHAT = {
    "cpu": ("CPUs", "minikube_cpus"),
    "memory": ("MiB of memory", "minikube_memory"),
}
UNENFORCED = (
    "networkPolicy is enabled in {}, but the network of a cluster with one node (CNI plugin bridge) does not enforce NetworkPolicies: "
    "they are made, and hold nobody back. That of several (minikube_nodes) does."
)


@dataclass(frozen=True)
class Service:
    """Pods of one release at their most; ``requests`` of one pod are in cores and MiB."""

    name: str
    pods: int
    requests: Mapping[str, float]

    @classmethod
    def of(cls, name: str, values: Mapping[str, Any]) -> Service:
        """From a chart's values. Raises UserError where one is no number, or the most is less than the least."""

        def number(path: str) -> str:
            found: Any = values
            for key in path.split("."):
                found = found.get(key) if isinstance(found, Mapping) else None
            if not re.fullmatch(r"[0-9]+(\.[0-9]+)?(m|Ki|Mi|Gi)?", str(found)):
                raise UserError(f"app_release_{name}_values: {path} is {found!r}, which is no quantity.", "Give it like 2, 200m or 256Mi.")
            return str(found)

        def quantity(path: str) -> float:
            digits, unit = re.findall(r"([0-9.]+)(\D*)", number(path))[0]
            return float(digits) * UNITS[unit]

        pods = quantity("replicaCount")
        if values["autoscaling"]["enabled"]:
            most = quantity("autoscaling.maxReplicas")
            if most < pods:
                raise UserError(
                    f"app_release_{name}_values: replicaCount is {pods:g}, and autoscaling.maxReplicas, the most, is {most:g}.",
                    "Raise autoscaling.maxReplicas, or turn it off with autoscaling.enabled=false.",
                )
            pods = most
        return cls(name, round(pods), {what: quantity(f"resources.requests.{what}") for what in WHAT})


def merged(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """Values over values, as Helm lays them."""
    return {
        **below,
        **{key: merged(below[key], value) if isinstance(value, Mapping) and isinstance(below.get(key), Mapping) else value for key, value in above.items()},
    }


def problems(node: Mapping[str, float], services: Iterable[Service], nodes: int = 1) -> list[UserError]:
    """Where the pods would not all find a place. ``node`` is what each one has, in cores and MiB. Releases are rolled out one after the other."""
    found = []
    every = list(services)
    where = f" on each of {nodes} nodes" if nodes > 1 else ""
    for what, (unit, variable) in WHAT.items():
        surge = max(service.requests[what] for service in every)
        asked = sum(service.pods * service.requests[what] for service in every) + surge
        system = SYSTEM[what] + (nodes * NETWORK[what] if nodes > 1 else 0)
        least = (asked + system) / nodes
        if least <= node[what] + 1e-9:
            continue
        parts = ", ".join(f"{service.pods} of {service.name} with {service.requests[what]:g} each" for service in every)
        found.append(
            UserError(
                f"{variable}={node[what]:g}{where} is too little for the pods of both services: they ask for up to {asked:g} {unit} ({parts}, and {surge:g} "
                f"while one is replaced), and the cluster for {system:g}.",
                f"Run it with -e {variable}={-(-least // 1):.0f} or more, or ask for less with resources.requests.{what} or autoscaling.maxReplicas "
                "in app_release_backend_values and app_release_frontend_values.",
            )
        )
    return found
