"""What is wrong is named by its own name, with what shows it; what only starts, and what is sound, is not.

The pods, ReplicaSets and the Deployment of the frontend are recorded (fixtures/frontend.json); all else is by the documented forms of Kubernetes'
and Docker's API.
"""

from __future__ import annotations

import base64
import copy
import json
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from ansible.module_utils.testing import patch_module_args
from loopback import Reply, Server

from ansible_collections.todochat.platform.plugins.module_utils.cluster.moved import ANNOTATION, Mark
from ansible_collections.todochat.platform.plugins.module_utils.cluster.profile import Minikube
from ansible_collections.todochat.platform.plugins.module_utils.diagnosis.faults import FAULTS, UNDO, Finding
from ansible_collections.todochat.platform.plugins.module_utils.diagnosis.look import Looker, node_said, process_at, validity
from ansible_collections.todochat.platform.plugins.module_utils.diagnosis.rules import Diagnosis, NodeSaid, Seen, diagnose, harmless, seconds
from ansible_collections.todochat.platform.plugins.modules import deployment_diagnosis

ROOT = Path(__file__).resolve().parents[2]
RECORDED = json.loads((ROOT / "tests/unit/fixtures/frontend.json").read_text())["items"]
NOW = datetime(2026, 11, 24, 6, 0, tzinfo=UTC)
KUBECTL = "/opt/todochat/bin/kubectl --kubeconfig /home/me/kubeconfig"

Item = dict[str, Any]
Change = Callable[[Seen], Seen]


def at(ago: float) -> str:
    """A time so many seconds before the observation, as Kubernetes writes it."""
    return (NOW - timedelta(seconds=ago)).strftime("%Y-%m-%dT%H:%M:%SZ")


def of(kind: str, name: str, **content: Any) -> Item:
    metadata = {"name": name, "uid": f"{kind}-{name}", "creationTimestamp": at(3600), **content.pop("metadata", {})}
    return {"kind": kind, "metadata": metadata, **content}


def release(name: str) -> list[Item]:
    """A service's objects, after the recorded ones of the frontend."""
    items = json.loads(json.dumps([item for item in RECORDED if item["metadata"]["name"].startswith("frontend")]).replace("frontend", name))
    for item in items:
        item["metadata"]["uid"] = f"{name} {item['metadata']['uid']}"
        item["metadata"]["creationTimestamp"] = at(3600)
        for reference in item["metadata"].get("ownerReferences", []):
            reference["uid"] = f"{name} {reference['uid']}"
        if item["kind"] == "Pod":
            item["spec"] = {"containers": [{"name": name, "readinessProbe": {"periodSeconds": 2}}]}
        if item["kind"] == "ReplicaSet":
            item["spec"] = {"template": copy.deepcopy(template(name))}
            item.setdefault("status", {})
        if item["kind"] == "Deployment":
            item["spec"]["template"] = copy.deepcopy(template(name))
    port = {"name": "http", "port": 3000, **({"nodePort": 30000} if name == "frontend" else {})}
    slice_of = {"labels": {"kubernetes.io/service-name": name}}
    return [
        *items,
        of("Service", name, spec={"type": "NodePort" if name == "frontend" else "ClusterIP", "ports": [port]}),
        of("EndpointSlice", f"{name}-x", metadata=slice_of, endpoints=[{"addresses": ["10.244.0.7"], "conditions": {"ready": True}}]),
        of("ConfigMap", name, data={"TODO_MODEL_URL": "https://api.groq.com/openai/v1", "TODO_MODEL": "m"}),
        of(
            "HorizontalPodAutoscaler",
            name,
            status={"conditions": [{"type": "ScalingActive", "status": "True", "reason": "ValidMetricFound", "lastTransitionTime": at(3000)}]},
        ),
    ]


def template(name: str) -> Item:
    container = {"name": name, "image": f"127.0.0.1:5000/todo/{name}", "envFrom": [{"configMapRef": {"name": name}}]}
    volumes = [{"name": "secrets", "secret": {"secretName": "backend-secrets"}}] if name == "backend" else []
    labels = {"app.kubernetes.io/name": name, "app.kubernetes.io/instance": name}
    return {"metadata": {"labels": labels}, "spec": {"containers": [container], "volumes": volumes}}


def container(name: str, state: Mapping[str, Any] | None = None, **content: Any) -> Item:
    running = {"Status": "running", "Running": True, "Paused": False, "ExitCode": 0, "Error": "", "StartedAt": at(3600), "FinishedAt": "0001-01-01T00:00:00Z"}
    return {"Name": f"/{name}", "State": running | dict(state or {}), **content}


def deployment(name: str, replicas: int = 1, ready: int = 1) -> Item:
    conditions = [{"type": "Available", "status": "True" if ready else "False", "lastTransitionTime": at(60)}]
    return of("Deployment", name, metadata={"namespace": "kube-system"}, spec={"replicas": replicas}, status={"readyReplicas": ready, "conditions": conditions})


def node(ready: str = "True", name: str = "todo", **spec: Any) -> Item:
    conditions = [{"type": "DiskPressure", "status": "False", "lastTransitionTime": at(3600)}, {"type": "Ready", "status": ready, "lastTransitionTime": at(60)}]
    return of("Node", name, spec=spec, status={"conditions": conditions})


def helm(name: str, status: str = "deployed", ago: float = 3000) -> Item:
    return {"name": name, "status": status, "revision": "1", "updated": (NOW - timedelta(seconds=ago)).strftime("%Y-%m-%d %H:%M:%S.123456789 +0000 UTC")}


PUBLISHED = {"Ports": {"30000/tcp": [{"HostIp": "127.0.0.1", "HostPort": "30000"}], "8443/tcp": [{"HostIp": "127.0.0.1", "HostPort": "32771"}]}}
SYSTEM_POD = of(
    "Pod",
    "etcd-todo",
    metadata={"namespace": "kube-system"},
    spec={"nodeName": "todo"},
    status={"conditions": [{"type": "Ready", "status": "True", "lastTransitionTime": at(3500)}]},
)
LONG = NOW.timestamp() + 300 * 24 * 3600
SOUND = Seen(
    NOW.timestamp(),
    docker_now=NOW.timestamp(),
    containers={
        "todo": container("todo", NetworkSettings=PUBLISHED),
        "todo-registry": container("todo-registry"),
        "todo-database": container("todo-database", {"Health": {"Status": "healthy", "Log": []}}),
    },
    node=NodeSaid(40 << 20, {"containerd": "active", "kubelet": "active"}, {"The cluster's certificate apiserver.crt": (0, LONG)}),
    items=[*release("backend"), *release("frontend"), node(), of("ConfigMap", "kube-root-ca.crt")],
    system=[deployment("coredns"), deployment("metrics-server"), SYSTEM_POD],
    secrets={"backend-secrets": ["database_url", "jwt_keys"], "sh.helm.release.v1.backend.v1": ["release"]},
    helm=[helm("backend"), helm("frontend")],
    free={"/var/lib/docker": 40 << 30},
)


def told(seen: Seen) -> Diagnosis:
    return diagnose(seen, KUBECTL)


# How something is made wrong


def state(name: str, **changes: Any) -> Change:
    """A container of Docker's is in another state."""

    def change(seen: Seen) -> Seen:
        one = seen.containers[name]
        return replace(seen, containers={**seen.containers, name: {**one, "State": {**one["State"], **changes}}})

    return change


def stopped(name: str) -> Change:
    return state(name, Status="exited", Running=False, ExitCode=137, FinishedAt=at(30))


def without(kind: str, name: str) -> Change:
    return lambda seen: replace(seen, items=[item for item in seen.items if (item["kind"], item["metadata"]["name"]) != (kind, name)])


def beside(*items: Item) -> Change:
    return lambda seen: replace(seen, items=[*seen.items, *items])


def moved(state: str) -> Item:
    """A Deployment that stands still while its people are elsewhere."""
    marked = Mark(state, "2026-01-02T03:04:05Z", "https://there", "inventory/local.yml", "inventory/work.yml", "todo", 2)
    return {"metadata": {"name": "backend", "annotations": {ANNOTATION: marked.text()}}, "spec": {"replicas": 0}}


def edited(kind: str, name: str, edit: Callable[[Item], object], system: bool = False) -> Change:
    """Objects of a kind whose names begin so are other ones."""

    def change(seen: Seen) -> Seen:
        items = copy.deepcopy(list(seen.system if system else seen.items))
        chosen = [item for item in items if item["kind"] == kind and item["metadata"]["name"].startswith(name)]
        assert chosen
        for item in chosen:
            edit(item)
        return replace(seen, **{"system" if system else "items": items})

    return change


def pod(name: str, service: Item, *, since: float = 30, lines: tuple[str, ...] = (), events: tuple[Item, ...] = (), **status: Any) -> Change:
    """The pods of a release are new, and not ready; no other ones serve."""

    def change(seen: Seen) -> Seen:
        def edit(item: Item) -> None:
            conditions = status.get("conditions", [{"type": "Ready", "status": "False", "lastTransitionTime": at(since)}])
            item["metadata"]["creationTimestamp"] = at(since)
            item["status"] = {"conditions": conditions}
            if service:
                item["status"]["containerStatuses"] = [{"name": name, "ready": False, "started": False, "restartCount": 0, **service}]

        seen = edited("Pod", name, edit)(seen)
        seen = edited("Deployment", name, lambda item: item["status"].update(availableReplicas=0, readyReplicas=0))(seen)
        seen = edited("EndpointSlice", name, lambda item: item.update(endpoints=None))(seen)
        pods = [item for item in seen.items if item["kind"] == "Pod" and item["metadata"]["name"].startswith(name)]
        said = {f"{item['metadata']['name']}/{name}": lines for item in pods}
        about = [{**event, "involvedObject": {**event["involvedObject"], "uid": item["metadata"]["uid"]}} for event in events for item in pods]
        return replace(seen, items=[*seen.items, *about], lines={**seen.lines, **said}, silent="it answers 503")

    return change


def event(reason: str, message: str, ago: float = 30, field: str = "") -> Item:
    involved = {"kind": "Pod", "fieldPath": field}
    times = {"firstTimestamp": at(ago), "lastTimestamp": at(ago)}
    return of("Event", f"{reason}-{ago}", involvedObject=involved, reason=reason, message=message, **times)


def waiting(reason: str, message: str = "", **more: Any) -> Item:
    return {"state": {"waiting": {"reason": reason, "message": message}}, **more}


def crashed(code: int = 1, reason: str = "Error", restarts: int = 3) -> Item:
    ended = {"terminated": {"exitCode": code, "reason": reason, "finishedAt": at(20)}}
    return waiting("CrashLoopBackOff", "back-off 40s restarting failed container", restartCount=restarts, lastState=ended)


RUNS = {"state": {"running": {"startedAt": at(30)}}, "started": True}
STARTS = {"state": {"running": {"startedAt": at(30)}}, "started": False}
UNREADY = "Readiness probe failed: HTTP probe failed with statuscode: "
NOT_FOUND = 'failed to resolve reference "127.0.0.1:5000/todo/backend@sha256:0000": not found'
NO_ROOM = [
    {
        "type": "PodScheduled",
        "status": "False",
        "reason": "Unschedulable",
        "message": "0/1 nodes are available: 1 Insufficient memory.",
        "lastTransitionTime": at(20),
    }
]
DATABASE_LOG = (
    '{"level": "warning", "message": "waiting for the database", "reason": "connection failed: connection to server at \\"192.168.85.251\\", port 5432 failed: '
)
WRONG_PASSWORD = DATABASE_LOG + 'FATAL:  password authentication failed for user \\"todo_app\\""}'
REFUSED = {"type": "ReplicaFailure", "status": "True", "reason": "FailedCreate", "lastTransitionTime": at(20)}
QUOTA = of("ResourceQuota", "none", spec={"hard": {"pods": "0"}}, status={"hard": {"pods": "0"}, "used": {"pods": "4"}})
DENY = of("NetworkPolicy", "nobody-in", spec={"podSelector": {}, "policyTypes": ["Ingress"]})
LOST = {"exitCode": 137, "reason": "ContainerStatusUnknown", "message": "The container could not be located when the pod was terminated"}
EVICTED = {
    "phase": "Failed",
    "reason": "Evicted",
    "message": 'Usage of EmptyDir volume "tmp" exceeds the limit "16Mi". ',
    "startTime": at(3600),
    "containerStatuses": [{"name": "frontend", "restartCount": 1, "ready": False, "started": False, "state": {"terminated": LOST}}],
}


def refused(message: str) -> Change:
    def edit(item: Item) -> None:
        item["status"]["conditions"] = [{**REFUSED, "message": message}]

    return lambda seen: edited("Deployment", "backend", lambda item: item["status"].update(availableReplicas=1))(edited("ReplicaSet", "backend", edit)(seen))


def put_out(ago: float) -> Change:
    """A pod has been replaced, and is still listed."""

    def change(seen: Seen) -> Seen:
        one = next(item for item in seen.items if item["kind"] == "Pod" and item["metadata"]["name"].startswith("frontend"))
        metadata = {**one["metadata"], "name": "frontend-out", "uid": "out"}
        conditions = [{"type": "DisruptionTarget", "status": "True", "reason": "TerminationByKubelet", "lastTransitionTime": at(ago)}]
        return beside({**one, "metadata": metadata, "status": {**EVICTED, "conditions": conditions}})(seen)

    return change


def key(seen: Seen) -> Seen:
    return replace(seen, secrets={**seen.secrets, "backend-secrets": ["database_url", "jwt_keys", "model_api_key"]})


FAULTY: dict[str, tuple[list[Change], str, tuple[str, ...]]] = {
    "Docker does not answer": ([lambda s: replace(s, docker="Cannot connect to the Docker daemon", containers={})], "docker", ("Cannot connect", "make start")),
    "no Docker": (
        [lambda s: replace(s, docker="There is no docker on this machine.", is_ours=False, containers={})],
        "docker",
        ("There is no docker on this machine.", "make doctor then: make up"),
    ),
    "no cluster": ([lambda s: replace(s, is_ours=False, is_finished=False, containers={})], "cluster", ("no cluster", "make up")),
    "somebody else's container": ([lambda s: replace(s, is_ours=False)], "cluster", ("not made by this deployment", "deployment_name=NAME")),
    "a cluster that was broken off": ([lambda s: replace(s, is_finished=False)], "cluster", ("not made to its end",)),
    "the node is stopped": ([stopped("todo")], "node", ("The container todo is exited (exit code 137, since ", "make start")),
    "the node is paused": ([state("todo", Paused=True, Status="paused")], "node", ("docker unpause todo",)),
    "kubelet is stopped": (
        [lambda s: replace(s, node=replace(s.node, services={"containerd": "active", "kubelet": "inactive"}))],
        "node",
        ("kubelet is inactive",),
    ),
    "Kubernetes is silent": (
        [lambda s: replace(s, cluster_problem="The connection to the server 192.168.85.2:8443 was refused")],
        "node",
        ("does not answer", "192.168.85.2:8443 was refused"),
    ),
    "the node is not ready": ([without("Node", "todo"), beside(node("Unknown"))], "node", ("The node todo is not ready",)),
    "the port is somebody else's": (
        [stopped("todo"), lambda s: replace(s, listener="the process python3 (4711)")],
        "port",
        ("port 30000 is held by the process python3 (4711)",),
    ),
    "the port is published by another container": (
        [stopped("todo"), state("todo", Error="driver failed programming external connectivity: Bind for 127.0.0.1:30000 failed: port is already allocated")],
        "port",
        ("another program", "already allocated"),
    ),
    "the port is not published": (
        [lambda s: replace(s, containers={**s.containers, "todo": container("todo", NetworkSettings={"Ports": {"30000/tcp": None}})})],
        "port",
        ("no port, and not 30000", "make down then: make up"),
    ),
    "the Service has another port": (
        [edited("Service", "frontend", lambda item: item["spec"]["ports"][0].update(nodePort=30111))],
        "port",
        ("node port 30111", "delete service/frontend then: make up ARGS='--tags app_release'"),
    ),
    "the Service is for the inside": (
        [edited("Service", "frontend", lambda item: (item["spec"].update(type="ClusterIP"), item["spec"]["ports"][0].pop("nodePort")))],
        "port",
        ("no node port",),
    ),
    "nothing answers": ([lambda s: replace(s, silent="[Errno 104] Connection reset by peer")], "port", ("All pods are ready", "reset by peer")),
    "no Service": ([without("Service", "backend")], "service", ("no Service backend",)),
    "a Service that leads nowhere": (
        [edited("EndpointSlice", "frontend", lambda item: item.update(endpoints=[]))],
        "service",
        ("frontend leads to no pod, although 2 of frontend are ready",),
    ),
    "the registry is stopped": ([stopped("todo-registry")], "registry", ("todo-registry is exited",)),
    "the registry is silent": ([lambda s: replace(s, registry_problem="Connection refused")], "registry", ("does not answer: Connection refused",)),
    "the database is stopped": ([stopped("todo-database")], "database", ("todo-database is exited", "make start")),
    "the database is paused": ([state("todo-database", Paused=True)], "database", ("docker unpause todo-database",)),
    "the database is gone": (
        [lambda s: replace(s, containers={k: v for k, v in s.containers.items() if k != "todo-database"})],
        "database",
        ("no container todo-database", "--tags database"),
    ),
    "the database is not healthy": (
        [state("todo-database", Health={"Status": "unhealthy", "Log": [{"Output": "no response"}]})],
        "database",
        ("not healthy: no response",),
    ),
    "the database is not healthy, and does not say why": (
        [state("todo-database", Health={"Status": "unhealthy", "Log": [{"Output": ""}]})],
        "database",
        ("not healthy.",),
    ),
    "the database is away, and the backend with it": (
        [
            stopped("todo-database"),
            pod("backend", RUNS, events=(event("Unhealthy", UNREADY + "503", field="spec.containers{backend}"),), lines=(DATABASE_LOG,)),
        ],
        "database",
        ("todo-database is exited",),
    ),
    "the database cannot be reached": ([pod("backend", STARTS, lines=(DATABASE_LOG + 'Connection refused"}',))], "database", ("Connection refused",)),
    "a wrong password": ([pod("backend", STARTS, lines=(WRONG_PASSWORD,))], "secret", ("password authentication failed", "rollout restart deployment/backend")),
    "a wrong password, once it has ended": ([pod("backend", crashed(3), lines=(WRONG_PASSWORD,))], "secret", ("exit code 3", "password authentication failed")),
    "a Secret is missing": ([lambda s: replace(s, secrets={})], "secret", ("no Secret backend-secrets", "--tags app_secrets,app_release")),
    "a key is missing": ([lambda s: replace(s, secrets={"backend-secrets": ["jwt_keys"]})], "secret", ("lacks database_url",)),
    "a ConfigMap is missing": ([without("ConfigMap", "backend")], "configuration", ("no ConfigMap backend",)),
    "CoreDNS is scaled to 0": (
        [lambda s: replace(s, system=[deployment("coredns", 0, 0), *s.system[1:]])],
        "dns",
        ("scaled to 0", f"{KUBECTL} --namespace kube-system scale deployment/coredns --replicas=1"),
    ),
    "CoreDNS is not ready": ([lambda s: replace(s, system=[deployment("coredns", 1, 0), *s.system[1:]])], "dns", ("No pod of coredns",)),
    "a pod of the cluster's own": (
        [edited("Pod", "etcd", lambda item: item["status"]["conditions"][0].update(status="False"), system=True)],
        "cluster",
        ("etcd-todo in kube-system is not ready",),
    ),
    "a quota of nothing": ([beside(QUOTA)], "quota", ("it allows pods=0", "delete resourcequota/none")),
    "a quota that a pod meets": (
        [refused('pods "backend-x" is forbidden: exceeded quota: small, used: pods=4, limited: pods=4')],
        "quota",
        ("exceeded quota",),
    ),
    "a pod that is refused": ([refused('violates PodSecurity "restricted:latest"')], "admission", ("violates PodSecurity",)),
    "somebody else's policy": ([beside(DENY)], "network policy", ("nobody-in", "what is asked of them", "delete networkpolicy/nobody-in")),
    "a cordoned node": ([without("Node", "todo"), beside(node(unschedulable=True))], "scheduling", ("cordoned", "uncordon todo")),
    "no room": ([pod("backend", {}, conditions=NO_ROOM)], "scheduling", ("1 Insufficient memory",)),
    "an image that is not there": ([pod("backend", waiting("ErrImagePull", NOT_FOUND))], "image", ("sha256:0000", "app_images,app_release")),
    "an image's name that is none": ([pod("backend", waiting("InvalidImageName", "couldn't parse image name"))], "image", ("couldn't parse",)),
    "an image that cannot be pulled": (
        [pod("backend", waiting("ErrImagePull", "dial tcp 192.168.85.250:5000: i/o timeout"), events=(event("Failed", "timeout", 60),))],
        "image",
        ("i/o timeout",),
    ),
    "a crash": ([pod("backend", crashed(), lines=("Traceback", "ValueError: broken on purpose"))], "crash", ("exit code 1", "broken on purpose")),
    "a crash of the frontend": ([pod("frontend", crashed())], "crash", ("/frontend: CrashLoopBackOff",)),
    "a schema that is too new": (
        [pod("backend", crashed(4), lines=("the schema is another's, and this version does not work with it",))],
        "schema",
        ("rollback",),
    ),
    "too little memory": ([pod("frontend", crashed(137, "OOMKilled"))], "memory", ("OOMKilled",)),
    "a probe that fails": (
        [pod("frontend", RUNS, events=(event("Unhealthy", UNREADY + "404", field="spec.containers{frontend}"),))],
        "probe",
        ("statuscode: 404",),
    ),
    "a probe that answers 503 for long": (
        [pod("frontend", RUNS, since=90, events=(event("Unhealthy", UNREADY + "503", 60, field="spec.containers{frontend}"),))],
        "probe",
        ("statuscode: 503",),
    ),
    "a pod that was put out": ([put_out(60)], "disk", ("exceeds the limit", "delete pod/frontend-out")),
    "no release": ([lambda s: replace(s, helm=s.helm[:1])], "release", ("frontend is not installed",)),
    "a release that failed": ([lambda s: replace(s, helm=[helm("backend", "failed"), *s.helm[1:]])], "release", ("revision 1 of backend is failed",)),
    "a release that was broken off": ([lambda s: replace(s, helm=[helm("backend", "pending-upgrade"), *s.helm[1:]])], "release", ("pending-upgrade",)),
    "no Deployment": ([without("Deployment", "frontend")], "release", ("Deployment frontend is not there",)),
    "no replicas": ([edited("Deployment", "frontend", lambda item: item["spec"].update(replicas=0))], "scale", ("frontend is scaled to 0",)),
    "people who have moved away": (
        [edited("Deployment", "backend", lambda item: item.update(moved("moved"))), lambda s: replace(s, silent="it answers 503")],
        "moved",
        ("People have moved from here to https://there", "Mend it: make move TO=inventory/local.yml ARGS='-i inventory/work.yml -e replace=todo'"),
    ),
    "people who were on their way": (
        [edited("Deployment", "backend", lambda item: item.update(moved("moving"))), lambda s: replace(s, of_others=True)],
        "moved",
        ("has not ended", "Mend it: make up ARGS='-e deployment_moved=serve'"),
    ),
    "no metrics": (
        [lambda s: replace(s, system=[s.system[0], deployment("metrics-server", 0, 0)])],
        "metrics",
        ("metrics-server in kube-system is scaled to 0",),
    ),
    "an autoscaler that sees nothing": (
        [
            edited(
                "HorizontalPodAutoscaler",
                "backend",
                lambda item: item["status"]["conditions"][0].update(status="False", reason="FailedGetResourceMetric", message="no metrics returned"),
            )
        ],
        "metrics",
        ("backend: no metrics returned",),
    ),
    "a provider out of reach": (
        [key, lambda s: replace(s, provider_problem="The provider at 192.168.85.1:9 cannot be reached: Connection refused")],
        "provider",
        (),
    ),
    "a key that is refused": (
        [key, lambda s: replace(s, notice="The language model's provider refuses the key, so ...")],
        "provider",
        ("secret=model_api_key",),
    ),
    "a model that is too slow": ([key, lambda s: replace(s, notice="The language model did not answer in time, so ...")], "provider", ("in time",)),
    "a container that cannot be started": ([pod("backend", waiting("CreateContainerError", "no such device"))], "start", ("no such device",)),
    "a full disk": ([lambda s: replace(s, free={"/var/lib/docker": 1 << 20})], "disk", ("/var/lib/docker has 1 MB left",)),
    "a node that is short of disk": ([lambda s: replace(s, node=replace(s.node, free=1000))], "disk", ("The node's file system",)),
    "a clock that differs": ([lambda s: replace(s, docker_now=s.now - 7200)], "clock", ("-7200 s",)),
    "a clock that was set back": ([edited("Pod", "backend", lambda item: item["metadata"].update(creationTimestamp=at(-3600)))], "clock", ("set back",)),
    "a certificate that has run out": (
        [lambda s: replace(s, certificates={"The certificate in kubeconfig": (0, s.now - 3600)})],
        "certificate",
        ("has run out on 2026-11-24 05:00 UTC", "make stop then: make start"),
    ),
    "a certificate that is about to": (
        [lambda s: replace(s, node=replace(s.node, certificates={"etcd/server.crt": (0, s.now + 24 * 3600)}))],
        "certificate",
        ("etcd/server.crt runs out on 2026-11-25",),
    ),
    "another's cluster that does not answer": (
        [lambda s: replace(s, of_others=True, cluster_problem="Unauthorized")],
        "cluster",
        ("The cluster does not answer: Unauthorized.", "Mend it: make up ARGS='--tags existing_cluster'"),
    ),
    "another's cluster without room": (
        [lambda s: replace(s, of_others=True), pod("backend", {}, conditions=NO_ROOM)],
        "scheduling",
        ("Mend it: tell whoever runs the cluster",),
    ),
    "a release that is not on another's cluster": (
        [lambda s: replace(s, of_others=True, helm=s.helm[:1])],
        "release",
        ("The release frontend is not installed.", "Mend it: make up"),
    ),
    "a certificate of the future": ([lambda s: replace(s, certificates={"It": (s.now + 3600, s.now + 36000)})], "certificate", ("holds from",)),
}


@pytest.mark.parametrize(("changes", "name", "words"), FAULTY.values(), ids=FAULTY)
def test_a_fault_is_named_with_what_shows_and_mends_it(changes: list[Change], name: str, words: tuple[str, ...]) -> None:
    seen = SOUND
    for change in changes:
        seen = change(seen)
    found = told(seen)
    assert found.names == [name]
    page = "\n".join(found.lines())
    said = " ".join(page.split())
    assert page.startswith("1 thing is wrong:\n")
    assert [word for word in words if word not in said] == []


def test_each_fault_has_a_test() -> None:
    found: list[Finding] = []
    for changes, _, _ in FAULTY.values():
        seen = SOUND
        for change in changes:
            seen = change(seen)
        found += told(seen).findings
    assert {fault.looks for fault in FAULTS} - {finding.fault.looks for finding in found} == {UNDO.looks}


# What is sound, or only starts


def test_on_a_sound_system_nothing_is_wrong() -> None:
    found = told(SOUND)
    assert found.lines() == ["Nothing is wrong."]


def more(*changes: Change) -> Seen:
    seen = SOUND
    for change in changes:
        seen = change(seen)
    return seen


def older(name: str) -> Change:
    """Pods of the ReplicaSet before the newest serve."""
    return edited("ReplicaSet", f"{name}-686b578ff", lambda item: item.update(status={"readyReplicas": 2}))


AWAY = event("Unhealthy", UNREADY + "503", field="spec.containers{backend}")
BLIND = {"status": "False", "reason": "FailedGetResourceMetric", "message": "no metrics", "lastTransitionTime": at(30)}
QUIET: dict[str, tuple[list[Change], bool]] = {
    "a pod whose image is being pulled": ([pod("backend", waiting("ContainerCreating"))], True),
    "a pod that starts": ([pod("backend", STARTS, lines=("starting",))], True),
    "migrations that take their time": ([pod("backend", STARTS)], True),
    "a pod that has only just been made": ([pod("backend", {}, since=0, conditions=[{**NO_ROOM[0], "lastTransitionTime": at(0)}])], True),
    "a pod that answers 503 for a while": ([pod("backend", RUNS, since=20, events=(AWAY,))], True),
    "a pod that got its image late, and is asked for the first time": ([pod("backend", RUNS, since=100)], True),
    "a slow answer of a probe's": (
        [pod("frontend", RUNS, events=(event("Unhealthy", "Readiness probe failed: context deadline exceeded", 5, field="spec.containers{frontend}"),))],
        True,
    ),
    "one crash, of before": ([edited("Pod", "backend", lambda item: item["status"]["containerStatuses"][0].update(restartCount=1))], False),
    "an image that could not be pulled at once": ([pod("backend", waiting("ErrImagePull", "i/o timeout"), events=(event("Failed", "timeout", 20),))], True),
    "a node that was just started": ([state("todo", StartedAt=at(40)), pod("backend", crashed(255))], True),
    "a node whose Kubernetes is coming up": ([state("todo", StartedAt=at(40)), lambda s: replace(s, cluster_problem="was refused")], True),
    "a node that was just started, whose pods wait for the database": ([state("todo", StartedAt=at(40)), pod("backend", STARTS, lines=(DATABASE_LOG,))], True),
    "a database that was just started": ([state("todo-database", StartedAt=at(10)), pod("backend", RUNS, events=(AWAY,), lines=(DATABASE_LOG,))], True),
    "metrics that have yet to come": ([edited("HorizontalPodAutoscaler", "backend", lambda item: item["status"]["conditions"][0].update(BLIND))], False),
    "an upgrade that Helm is at": ([lambda s: replace(s, helm=[helm("backend", "pending-upgrade", 30), *s.helm[1:]])], False),
    "a pod that was put out long ago": ([put_out(3600)], False),
    "a quota with room": (
        [beside(of("ResourceQuota", "q", spec={}, status={"hard": {"pods": "9", "services.loadbalancers": "0"}, "used": {"pods": "4"}}))],
        False,
    ),
    "a policy of the chart's": ([beside({**DENY, "metadata": {"name": "backend", "labels": {"app.kubernetes.io/part-of": "todochat"}}})], False),
    "a policy that lets in": ([beside({**DENY, "spec": {**DENY["spec"], "ingress": [{}]}})], False),
    "a policy about others": ([beside({**DENY, "spec": {**DENY["spec"], "podSelector": {"matchLabels": {"app": "other"}}}})], False),
    "a model that nobody has a key for": ([lambda s: replace(s, notice="The language model cannot be reached just now.")], False),
    "a budget that is used up": ([key, lambda s: replace(s, notice="Today's budget for the language model is used up, so ...")], False),
    "an external database": ([lambda s: replace(s, database="", containers={k: v for k, v in s.containers.items() if k != "todo-database"})], False),
    "a pod of a job that has ended": ([beside(of("Pod", "backend-test", status={"phase": "Succeeded"}))], False),
}


@pytest.mark.parametrize(("changes", "starts"), QUIET.values(), ids=QUIET)
def test_what_is_sound_or_only_starts_is_no_fault(changes: list[Change], starts: bool) -> None:
    found = told(more(*changes))
    assert found.names == []
    assert bool(found.starting) is starts
    assert found.lines()[0] == ("Nothing is wrong, and not all has started yet." if starts else "Nothing is wrong.")


# What the page says


def test_what_others_follow_from_is_told_first_and_alone() -> None:
    down = more(stopped("todo-database"), pod("frontend", crashed()), pod("backend", RUNS, since=300, events=(AWAY,)))
    assert told(down).names == ["database", "crash"]
    no_names = more(lambda s: replace(s, system=[deployment("coredns", 0, 0), *s.system[1:]]), pod("frontend", RUNS, since=300))
    assert told(no_names).names == ["dns"]
    assert told(more(stopped("todo-registry"), pod("backend", waiting("ErrImagePull", "connection refused"), since=300))).names == ["registry"]
    assert told(more(lambda s: replace(s, docker="no"), stopped("todo"))).names == ["docker"]


@pytest.mark.parametrize("ready", ["True", "Unknown"], ids=["just now", "and Kubernetes has noticed"])
def test_a_further_node_that_is_down_is_told_once_with_its_name(ready: str) -> None:
    containers = {**SOUND.containers, "todo-m02": container("todo-m02")}
    two = replace(SOUND, other_nodes=("todo-m02",), containers=containers, items=[*SOUND.items, node(name="todo-m02")])
    assert told(two).findings == ()
    gone = copy.deepcopy(SYSTEM_POD)
    gone["metadata"]["name"], gone["spec"]["nodeName"] = "kube-proxy-x", "todo-m02"
    gone["status"]["conditions"][0]["status"] = "True" if ready == "True" else "False"
    items = [*SOUND.items, node(ready, name="todo-m02")]
    found = told(replace(stopped("todo-m02")(two), items=items, system=[*SOUND.system, gone]))
    assert found.names == ["node"]
    assert "The container todo-m02 is exited" in "\n".join(found.lines())
    assert "docker unpause todo-m02" in "\n".join(told(state("todo-m02", Paused=True)(two)).lines())


def test_several_faults_are_counted() -> None:
    assert told(more(stopped("todo-registry"), beside(QUOTA))).lines()[0] == "2 things are wrong:"


def test_pods_with_the_same_fault_are_told_once() -> None:
    assert len([item for item in SOUND.items if item["kind"] == "Pod" and item["metadata"]["name"].startswith("backend")]) == 2
    assert told(more(pod("backend", crashed()))).names == ["crash"]


@pytest.mark.parametrize("service", [crashed(), waiting("ErrImagePull", NOT_FOUND)])
def test_new_pods_give_way_to_those_that_serve(service: Item) -> None:
    """The Deployment was changed by hand: what `make up` would find is as it was asked."""
    page = "\n".join(told(more(pod("backend", service), older("backend"))).lines())
    assert f"Mend it: {KUBECTL} --namespace todo rollout undo deployment/backend" in page
    assert "Pods of the version before still serve." in page


@pytest.mark.parametrize(
    ("words", "secret"),
    [
        ("connection to postgresql://todo_app:hunter2@192.168.85.251/todo failed", "hunter2"),
        ('{"password": "hunter2", "level": "info"}', "hunter2"),
        ("api_key=sk-hunter2 was refused", "hunter2"),
        ('password="hunter1 \\"hunter2" was refused', "hunter2"),
        ("authorization: Bearer hunter2", "hunter2"),
        ("Cookie: a=1; b=hunter2", "hunter2"),
    ],
)
def test_of_what_others_say_nothing_secret_is_told(words: str, secret: str) -> None:
    assert secret in words
    assert secret not in harmless(words)
    assert secret not in "\n".join(told(more(pod("backend", crashed(), lines=(words,)))).lines())


def test_what_others_say_does_nothing_to_a_terminal() -> None:
    assert harmless("\x1b[2Jred\x1b]0;title\x07 \x9b1m \u202egnp\u200b\x00\ta\r\nb\x1fc") == "red gnp a bc"


def test_a_long_line_is_cut() -> None:
    assert len(harmless("x" * 5000)) < 400


def test_times_are_read_as_both_write_them() -> None:
    assert seconds("2026-11-24T06:00:00Z") == seconds("2026-11-24T06:00:00.123456789Z") == seconds("2026-11-24T07:00:00.1+01:00") == NOW.timestamp()
    assert seconds("0001-01-01T00:00:00Z") == seconds(None) == seconds("soon") == 0.0


def test_the_documentation_has_the_rules_table() -> None:
    checked = subprocess.run([sys.executable, ROOT / "scripts/troubleshooting", "--check"], capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stderr


# What is looked at

PEM = (ROOT / "molecule/diagnose/expired.crt").read_text(encoding="utf-8")


def test_a_certificates_dates_are_read() -> None:
    dates = validity(PEM)
    assert dates
    assert [datetime.fromtimestamp(one, UTC).strftime("%Y-%m-%d %H:%M") for one in dates] == ["2020-01-01 00:00", "2020-01-02 00:00"]
    assert validity("no certificate") is None


def test_the_nodes_words_are_read() -> None:
    said = node_said(f"  41943040\nactive\ninactive\ncertificate apiserver.crt\n{PEM}certificate etcd/none.crt\n")
    assert (said.free, said.services) == (41943040, {"containerd": "active", "kubelet": "inactive"})
    assert list(said.certificates) == ["The cluster's certificate apiserver.crt"]
    assert node_said("") == NodeSaid()


def test_who_listens_is_named(server: Server) -> None:
    assert process_at(int(server.endpoint.rpartition(":")[2])).startswith("the process py")


class World:
    """A machine with stand-ins for docker, kubectl and helm; what ``folder`` lacks is not installed."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch, url: str) -> None:
        self.folder = folder
        monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")
        monkeypatch.setattr(
            "ansible_collections.todochat.platform.plugins.module_utils.machine.docker_engine.ask", lambda _: {"SystemTime": datetime.now(UTC).isoformat()}
        )
        (folder / "home/profiles/todo").mkdir(parents=True)
        (folder / "home/profiles/todo/config.json").write_text("{}")
        (folder / "home/profiles/todo/finished").touch()
        users = [{"name": "todo", "user": {"client-certificate-data": base64.b64encode(PEM.encode()).decode()}}]
        (folder / "kubeconfig").write_text(json.dumps({"users": users}))
        self.looker = Looker(
            url=url,
            minikube=Minikube(folder / "minikube", "todo", folder / "home", "root"),
            helm=str(folder / "helm"),
            kubectl=str(folder / "kubectl"),
            kubeconfig=str(folder / "kubeconfig"),
            namespace="todo",
            registry=url.removeprefix("http://"),
            registry_container="todo-registry",
            database_container="todo-database",
            releases=("backend", "frontend"),
            paths=(str(folder),),
        )

    def has(self, name: str, script: str) -> None:
        (self.folder / name).write_text(f"#!/bin/sh\n{script}\n")
        (self.folder / name).chmod(0o755)

    def gives(self, name: str, content: object) -> str:
        (self.folder / name).write_text(content if isinstance(content, str) else json.dumps(content))
        return f"cat {self.folder / name}"


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, server: Server) -> World:
    server.answer = lambda request: Reply(200 if request.path in ("/health/ready", "/v2/") else 404)
    made = World(tmp_path, monkeypatch, server.url)
    inspected = [{**one, "State": {**one["State"], "StartedAt": at(0)}} for one in SOUND.containers.values()]
    made.has(
        "docker",
        f'case "$*" in\ncontainer*) {made.gives("inspected", inspected)} ;;\nexec*timeout*) echo "bash: connect: Connection refused" >&2; exit 1 ;;\n'
        f"exec*) {made.gives('said', chr(10).join(('41943040', 'active', 'active', '')))} ;;\nesac",
    )
    unready = more(pod("backend", RUNS), key)
    made.has(
        "kubectl",
        f'case "$*" in\n*secrets*) echo backend-secrets database_url model_api_key ;;\n*kube-system*) {made.gives("system", {"items": SOUND.system})} ;;\n'
        f'*logs*) echo "the last line" ;;\n*raw*) echo \'{{"notice": "It is slow."}}\' ;;\n*) {made.gives("items", {"items": list(unready.items)})} ;;\nesac',
    )
    made.has("helm", made.gives("helm.json", list(SOUND.helm)))
    return made


def test_all_is_looked_at(world: World) -> None:
    seen = world.looker.look()
    assert (seen.docker, seen.cluster_problem, seen.silent, seen.registry_problem, seen.listener) == ("", "", "", "", "")
    assert set(seen.containers) == {"todo", "todo-registry", "todo-database"}
    assert seen.docker_now is not None
    assert abs(seen.docker_now - seen.now) < 5
    assert len(seen.items) == 20
    assert seen.secrets == {"backend-secrets": ["database_url", "model_api_key"]}
    assert [entry["name"] for entry in seen.helm] == ["backend", "frontend"]
    assert seen.node.services == {"containerd": "active", "kubelet": "active"}
    assert set(map(tuple, seen.lines.values())) == {("the last line",)}
    assert seen.notice == "It is slow."
    assert seen.provider_problem == "The language model's provider at api.groq.com:443 cannot be reached from the node: Connection refused"
    assert len(seen.certificates) == 1
    assert all(value > 0 for value in seen.free.values())


def test_the_module_says_whom_the_deployed_backend_asks(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    looker = world.looker
    paths = {"minikube": str(world.folder / "minikube"), "home": str(world.folder / "home"), "store": str(world.folder)}
    names = ("url", "registry", "registry_container", "database_container", "helm", "kubectl", "kubeconfig")
    given = {**{name: getattr(looker, name) for name in names}, **paths, "profile": "todo", "user": "root", "releases": ["backend", "frontend"]}

    def said() -> dict[str, Any]:
        with patch_module_args({**given, "_ansible_check_mode": True}), pytest.raises(SystemExit):
            deployment_diagnosis.main()
        found: dict[str, Any] = json.loads(capsys.readouterr().out)
        return found

    assert said()["model"] == {"url": "https://api.groq.com/openai/v1", "name": "m"}
    world.has("kubectl", 'echo "The connection to the server was refused" >&2; exit 1')
    assert said()["model"] == {"url": "", "name": ""}


def test_a_kubernetes_that_does_not_answer_is_looked_at(world: World) -> None:
    world.has("kubectl", 'echo "E1124 memcache.go" >&2; echo "The connection to the server was refused" >&2; exit 1')
    seen = world.looker.look()
    assert seen.cluster_problem == "The connection to the server was refused."
    assert seen.node.services == {"containerd": "active", "kubelet": "active"}


def test_a_cluster_of_others_is_asked_for_what_is_in_the_namespace(world: World) -> None:
    """And nothing of this machine is; what the account may not list is not known, and nothing wrong."""
    script = (world.folder / "kubectl").read_text()
    nothing_else = 'case "$*" in *kube-system*) exit 1 ;; *secrets*|*logs*) ;; *) echo "Error from server (Forbidden): nodes" >&2; code=1 ;; esac\n'
    world.has("kubectl", nothing_else + script.removeprefix("#!/bin/sh\n") + "exit $code")
    world.has("docker", "exit 1")
    seen = replace(world.looker, of_others=True).look()
    assert (seen.cluster_problem, seen.docker, seen.containers, seen.system) == ("", "", {}, [])
    assert len(seen.items) == 20
    assert [fault for fault in told(seen).names if fault in ("docker", "registry", "node", "port", "metrics")] == []


def test_a_docker_that_does_not_answer_is_looked_at(world: World) -> None:
    world.has("docker", 'echo "Cannot connect to the Docker daemon" >&2; echo "[]"; exit 1')
    seen = world.looker.look()
    assert seen.docker == "Cannot connect to the Docker daemon"
    assert told(seen).names[:1] == ["docker"]


def test_containers_that_are_not_there_are_no_failure_of_dockers(world: World) -> None:
    world.has("docker", 'echo "[]"; echo "Error response from daemon: No such container: todo" >&2; exit 1')
    seen = world.looker.look()
    assert (seen.docker, seen.containers) == ("", {})
    assert {"cluster", "registry", "database"} <= set(told(seen).names)


def test_a_bare_machine_is_looked_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, nobody: str) -> None:
    bare = World(tmp_path, monkeypatch, f"http://{nobody}")
    (tmp_path / "kubeconfig").unlink()
    (tmp_path / "home/profiles/todo/config.json").unlink()
    monkeypatch.setenv("PATH", str(tmp_path))
    assert told(bare.looker.look()).names[0] == "docker"
