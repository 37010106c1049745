"""A cluster that others run: what it lets this deployment do, said all at once before anything is touched.

Everything is told from what the API server answers; what it does not let one ask is not known, which is no problem by itself.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.todochat.platform.plugins.module_utils.base.errors import UserError
from ansible_collections.todochat.platform.plugins.module_utils.cluster.kubectl import Cluster
from ansible_collections.todochat.platform.plugins.module_utils.cluster.quantities import number
from ansible_collections.todochat.platform.plugins.module_utils.preflight.capacity import Service

OLDEST = (1, 30)
"""Of Kubernetes, as the charts say."""
# What a run, a rollback, a diagnosis and leaving do, in the namespace alone: RESOURCE.GROUP/SUBRESOURCE, as kubectl has them.
RIGHTS: Mapping[str, tuple[str, ...]] = {
    "deployments.apps": ("get", "list", "create", "patch", "delete"),
    "deployments.apps/scale": ("patch",),
    "replicasets.apps": ("list",),
    "pods": ("list", "create", "delete"),
    "pods/log": ("get",),
    "pods/exec": ("create",),
    "services/proxy": ("get",),
    "events": ("list",),
    "resourcequotas": ("list",),
    "endpointslices.discovery.k8s.io": ("list",),
    "services": ("get", "list", "create", "patch", "delete"),
    "configmaps": ("get", "list", "create", "patch", "delete"),
    "secrets": ("get", "list", "create", "update", "patch", "delete"),
    "serviceaccounts": ("get", "list", "create", "patch", "delete"),
    "poddisruptionbudgets.policy": ("get", "list", "create", "patch", "delete"),
    "horizontalpodautoscalers.autoscaling": ("get", "list", "create", "patch", "delete"),
    "ingresses.networking.k8s.io": ("get", "list", "create", "patch", "delete"),
    "networkpolicies.networking.k8s.io": ("get", "list", "create", "patch", "delete"),
}
ENFORCERS = ("calico-node", "canal", "cilium", "kube-router", "antrea-agent", "ovnkube-node", "kube-network-policies", "azure-npm", "anetd")
"""DaemonSets that are known to hold NetworkPolicies."""


@dataclass(frozen=True)
class Found:
    """What the API server answers. None is what it does not let one ask."""

    version: tuple[int, int]
    denied: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """Of each resource, the verbs that are not allowed."""
    namespace: Mapping[str, Any] | None = None
    """Empty where there is none."""
    may_make_namespace: bool = True
    quotas: Sequence[Mapping[str, Any]] = ()
    nodes: Sequence[Mapping[str, Any]] | None = None
    ingress_classes: Sequence[Mapping[str, Any]] | None = None
    daemonsets: Sequence[Mapping[str, Any]] | None = None
    has_metrics: bool = False


@dataclass(frozen=True)
class Asked:
    """What the deployment needs there."""

    namespace: str
    architecture: str
    services: Sequence[Service]
    ingresses: Sequence[Mapping[str, Any]]
    """The values ``ingress`` of both charts."""
    policies: bool
    autoscaling: bool


def reviews(namespace: str, asked: Asked) -> list[dict[str, Any]]:
    """A SelfSubjectAccessReview for each right that what is asked needs."""
    without = {
        "networkpolicies.networking.k8s.io": not asked.policies,
        "horizontalpodautoscalers.autoscaling": not asked.autoscaling,
        "ingresses.networking.k8s.io": not any(ingress.get("enabled") for ingress in asked.ingresses),
    }
    found = []
    for resource, verbs in RIGHTS.items():
        if without.get(resource):
            continue
        whole, _unused, inner = resource.partition("/")
        name, _unused, group = whole.partition(".")
        for verb in verbs:
            attributes = {"namespace": namespace, "verb": verb, "group": group, "resource": name, "subresource": inner}
            found.append(review(attributes))
    return found


def review(attributes: Mapping[str, str]) -> dict[str, Any]:
    return {"apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectAccessReview", "spec": {"resourceAttributes": dict(attributes)}}


def denied(answers: Iterable[Mapping[str, Any]]) -> dict[str, list[str]]:
    """What of the rights is not given, by resource."""
    found: dict[str, list[str]] = {}
    for answer in answers:
        if not answer["status"].get("allowed"):
            asked = answer["spec"]["resourceAttributes"]
            whole = ".".join(filter(None, (asked["resource"], asked.get("group"))))
            found.setdefault("/".join(filter(None, (whole, asked.get("subresource")))), []).append(asked["verb"])
    return found


def look(cluster: Cluster, asked: Asked) -> Found:
    """Asks the API server. Raises UserError where it cannot be asked at all."""
    version = re.match(r"v?(\d+)\.(\d+)", cluster.version)
    documents = [*reviews(cluster.namespace, asked), review({"verb": "create", "resource": "namespaces"})]
    answered = cluster.run("kubectl", "create", "--filename=-", "--output=json", stdin=json.dumps({"apiVersion": "v1", "kind": "List", "items": documents}))
    answers = list(objects(answered.stdout))
    namespaces = [answer for answer in answers if answer["spec"]["resourceAttributes"]["resource"] == "namespaces"]
    return Found(
        version=(int(version[1]), int(version[2])) if version else (0, 0),
        denied=denied(answer for answer in answers if answer not in namespaces),
        namespace=one(cluster, "namespace", cluster.namespace),
        may_make_namespace=any(answer["status"].get("allowed") for answer in namespaces),
        quotas=listed(cluster, "resourcequotas") or (),
        nodes=listed(cluster, "nodes"),
        ingress_classes=listed(cluster, "ingressclasses"),
        daemonsets=listed(cluster, "daemonsets", "--all-namespaces"),
        has_metrics=cluster.run("kubectl", "get", "--raw=/apis/metrics.k8s.io/v1beta1", check=False).returncode == 0,
    )


def objects(printed: str) -> Iterable[dict[str, Any]]:
    """The objects that kubectl prints one after the other, or as a list."""
    decoder, rest = json.JSONDecoder(), printed.strip()
    while rest:
        found, end = decoder.raw_decode(rest)
        yield from found["items"] if found.get("kind") == "List" else [found]
        rest = rest[end:].strip()


def one(cluster: Cluster, kind: str, name: str) -> Mapping[str, Any] | None:
    asked = cluster.run("kubectl", "get", kind, name, "--ignore-not-found", "--output=json", check=False)
    found: Mapping[str, Any] | None = json.loads(asked.stdout or "{}") if asked.returncode == 0 else None
    return found


def listed(cluster: Cluster, *what: str) -> Sequence[Mapping[str, Any]] | None:
    asked = cluster.run("kubectl", "get", *what, "--output=json", check=False)
    found: Sequence[Mapping[str, Any]] | None = json.loads(asked.stdout)["items"] if asked.returncode == 0 else None
    return found


def problems(found: Found, asked: Asked) -> list[UserError]:
    """What stands in the way, all of it."""
    wrong = []
    if found.version < OLDEST:
        wrong.append(
            UserError(
                f"The cluster is Kubernetes {'.'.join(map(str, found.version))}, and {'.'.join(map(str, OLDEST))} is the oldest that the charts take.",
                "Have it upgraded, or name another cluster in existing_cluster_source_kubeconfig and existing_cluster_source_context.",
            )
        )
    if found.namespace == {} and not found.may_make_namespace:
        wrong.append(
            UserError(
                f"There is no namespace {asked.namespace}, and this kubeconfig may not make one.",
                "Have it made by whoever runs the cluster, or name yours with -e deployment_name=NAME.",
            )
        )
    if found.denied:
        rights = "; ".join(f"{resource}: {', '.join(verbs)}" for resource, verbs in found.denied.items())
        wrong.append(
            UserError(
                f"This kubeconfig may not do all that is needed in namespace {asked.namespace}: {rights}.",
                "Have these verbs given to it there, by a Role and a RoleBinding; the role `admin` has all of them.",
            )
        )
    wrong += quota_problems(found.quotas, asked.services)
    wrong += [error for error in [other_machines(found.nodes or [], asked)] if error]
    wrong += ingress_problems(found.ingress_classes, asked.ingresses)
    if asked.autoscaling and not found.has_metrics:
        wrong.append(
            UserError(
                "autoscaling is asked for, and the cluster has no metrics (metrics.k8s.io).",
                "Have metrics-server installed there, or leave out app_release_autoscaling.",
            )
        )
    return wrong


def quota_problems(quotas: Iterable[Mapping[str, Any]], services: Sequence[Service]) -> list[UserError]:
    """Quotas that leave less than the pods at their most ask for, one more while they are replaced."""
    wrong = []
    for quota in quotas:
        status = quota.get("status", {})
        for what in ("cpu", "memory"):
            hard = status.get("hard", {}).get(f"requests.{what}", status.get("hard", {}).get(what))
            if hard is None:
                continue
            needed = sum(service.pods * service.requests[what] for service in services) + max(service.requests[what] for service in services)
            if amount(hard, what) < needed:
                wrong.append(
                    UserError(
                        f"The quota {quota['metadata']['name']} allows requests of {hard} {what} in all, and the pods ask for {needed:g}"
                        f"{'' if what == 'cpu' else ' MiB'}.",
                        "Have it raised, or ask for less with app_release_backend_values and app_release_frontend_values (replicaCount, resources).",
                    )
                )
    return wrong


def amount(quantity: object, what: str) -> float:
    """A quantity of CPU in cores, or of memory in MiB."""
    return number(quantity) / (1 if what == "cpu" else 1 << 20)


def other_machines(nodes: Sequence[Mapping[str, Any]], asked: Asked) -> UserError | None:
    """Nodes none of which runs the images."""
    found = kinds(nodes)
    if not found or f"linux/{asked.architecture}" in found:
        return None
    return UserError(
        f"The images are built for {asked.architecture}, and the cluster's nodes are {', '.join(found)}.",
        "Build on a machine of that architecture, or have such a node added.",
    )


def kinds(nodes: Sequence[Mapping[str, Any]]) -> list[str]:
    """What the nodes are that take pods, like linux/amd64."""
    infos = [node["status"]["nodeInfo"] for node in nodes if not node["spec"].get("unschedulable") and not tainted(node)]
    return sorted({f"{info.get('operatingSystem', 'linux')}/{info['architecture']}" for info in infos})


def node_doubts(nodes: Sequence[Mapping[str, Any]], asked: Asked) -> list[str]:
    """What the nodes that there are now lack. Others may come when pods wait for them, so that is no hindrance."""
    open_ones = [node for node in nodes if not node["spec"].get("unschedulable") and not tainted(node)]
    ours = f"linux/{asked.architecture}"
    others = [kind for kind in kinds(nodes) if kind != ours]
    said = [f"The images are built for {ours}, and the cluster also has nodes of {', '.join(others)}: keep the namespace's pods to {ours}."] if others else []
    for what, unit in (("cpu", "cores"), ("memory", "MiB of memory")):
        there = sum(amount(node["status"]["allocatable"][what], what) for node in open_ones)
        needed = sum(service.pods * service.requests[what] for service in asked.services)
        if there < needed:
            said.append(f"The cluster's nodes have {there:g} {unit} now, and the pods ask for {needed:g}: they wait for another node.")
    return said


def tainted(node: Mapping[str, Any]) -> bool:
    """Whether pods without a toleration are kept away."""
    return any(taint["effect"] in ("NoSchedule", "NoExecute") for taint in node["spec"].get("taints", []))


def ingress_problems(classes: Sequence[Mapping[str, Any]] | None, ingresses: Iterable[Mapping[str, Any]]) -> list[UserError]:
    """Ingresses whose class is not there, as far as one may ask."""
    if classes is None:
        return []
    names = [one["metadata"]["name"] for one in classes]
    default = any(one["metadata"].get("annotations", {}).get("ingressclass.kubernetes.io/is-default-class") == "true" for one in classes)
    wrong = []
    for ingress in ingresses:
        wanted = ingress.get("className", "")
        if ingress.get("enabled") and (wanted not in names if wanted else not default):
            what = f"no class {wanted}" if wanted else "no default class"
            wrong.append(
                UserError(
                    f"An Ingress is asked for, and the cluster has {what}; it has {', '.join(names) or 'none at all'}.",
                    "Name one of them in ingress.className, have a controller installed, or let the Service be a LoadBalancer.",
                )
            )
    return wrong


def warnings(found: Found, asked: Asked) -> list[str]:
    """What is no problem by itself, and good to know."""
    said = node_doubts(found.nodes, asked) if found.nodes is not None else []
    names = {one["metadata"]["name"] for one in found.daemonsets or ()}
    if asked.policies and not any(name.startswith(enforcer) for name in names for enforcer in ENFORCERS):
        unseen = "this kubeconfig may not see whether anything holds"
        known = unseen if found.daemonsets is None else "no network engine of this cluster is known to hold"
        said.append(f"networkPolicy is enabled, and {known} NetworkPolicies: they may be made and hold nobody back.")
    level = (found.namespace or {}).get("metadata", {}).get("labels", {}).get("pod-security.kubernetes.io/enforce")
    if found.namespace and level != "restricted":
        said.append(f"The namespace {asked.namespace} admits pods at the level {level or 'of the cluster'}, where the application's are restricted.")
    return said
