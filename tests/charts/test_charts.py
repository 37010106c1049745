"""What the charts refuse, and what they make of each value."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Any

import pytest
import yaml
from chart import DIGEST, NAMESPACE, ROOT, Chart, Object

LABELS = {f"app.kubernetes.io/{name}" for name in ("name", "instance", "version", "managed-by", "part-of")}
SHARED = ("global", "common", "image", "replicaCount", "autoscaling", "service", "serviceAccount", "ingress", "resources")
INGRESS = {"enabled": True, "className": "nginx", "host": "todo.example.com", "tlsSecret": "todo-tls"}
# In the schema, but not among the chart's values.
OPTIONAL = {("service", "nodePort"): 30000, ("global",): {}, ("common",): {}, ("common", "global"): {}, ("common", "requestSeconds"): 25}
Keys = tuple[str, ...]


def inner(values: Any, path: Keys = ()) -> Iterator[tuple[Keys, Any]]:
    """All values with their paths: mappings, what is in them, and the whole."""
    yield path, values
    if isinstance(values, dict):
        for name, value in values.items():
            yield from inner(value, (*path, name))


def at(path: Keys, value: Any) -> dict[str, Any]:
    """Values with one value at a path."""
    for name in reversed(path):
        value = {name: value}
    made: dict[str, Any] = value
    return made


def pods(objects: dict[str, Object]) -> list[Object]:
    """The Deployment's pod and that of `helm test`, each with metadata and spec."""
    return [objects["Deployment"]["spec"]["template"], objects["Test"]]


def chosen(selector: dict[str, str], pod: Object) -> bool:
    labels: dict[str, str] = pod["metadata"]["labels"]
    return selector.items() <= labels.items()


# What is refused


def test_what_the_schema_knows_is_what_the_values_have(chart: Chart) -> None:
    """So that the tests below reach each level and each value."""

    def known(schema: dict[str, Any], path: Keys = ()) -> Iterator[Keys]:
        if "$ref" in schema:
            schema = chart.schema["definitions"][schema["$ref"].rpartition("/")[2]]
        yield path
        for name, part in schema.get("properties", {}).items():
            yield from known(part, (*path, name))

    assert set(known(chart.schema)) == {path for path, _ in inner(chart.defaults)} | OPTIONAL.keys()


def test_an_unknown_key_is_refused_at_each_level(chart: Chart) -> None:
    levels = [path for path, value in [*inner(chart.defaults), *OPTIONAL.items()] if isinstance(value, dict)]
    assert len(levels) >= 10
    taken = [path for path in levels if "unasked" not in chart.refusal(at((*path, "unasked"), 1)) and path[-1:] != ("global",)]
    assert taken == []
    assert [path for path in levels if path[-1:] == ("global",) and not chart.refusal(at((*path, "unasked"), 1))] == []


def test_a_value_of_another_type_is_refused(chart: Chart) -> None:
    for path, value in [*inner(chart.defaults), *OPTIONAL.items()]:
        if path:
            other = 7 if isinstance(value, str) else "text"
            assert path[-1] in chart.refusal(at(path, other)), f"{path} may be {other!r}"


@pytest.mark.parametrize(
    "values",
    [
        {"image": {"digest": ""}},
        {"image": {"digest": "sha256:abc"}},
        {"image": {"repository": ""}},
        {"image": {"repository": "registry.example/it:latest@sha256"}},
        {"replicaCount": -1},
        {"replicaCount": 0, "autoscaling": {"enabled": True}},
        {"replicaCount": 4, "autoscaling": {"enabled": True}},
        {"autoscaling": {"quietSeconds": 3601}},
        {"autoscaling": {"cpuPercent": 0}},
        {"service": {"type": "ExternalName"}},
        {"service": {"nodePort": 80}},
        {"service": {"port": 65536}},
        {"ingress": {"enabled": True}},
        {"ingress": {"enabled": True, "host": "https://todo.example.com"}},
        {"common": {"requestSeconds": 0}},
        {"resources": {"limits": {"memory": "1"}}},
        {"resources": {"requests": {"cpu": "100k"}}},
    ],
    ids=json.dumps,
)
def test_a_value_that_cannot_work_is_refused(chart: Chart, values: dict[str, Any]) -> None:
    said = chart.refusal(values)
    assert all(path[-1] in said for path, value in inner(values) if not isinstance(value, dict | bool)), said
    assert said


@pytest.mark.parametrize(
    "values",
    [
        {"config": {"logLevel": "loud"}},
        {"config": {"corsOrigins": ["*"]}},
        {"config": {"accessTokenMinutes": 0}},
        {"config": {"databaseProbeSeconds": 0}},
        {"model": {"url": "ftp://models.example/v1"}},
        {"model": {"url": "https://user:password@models.example/v1"}},
        {"model": {"name": ""}},
        {"model": {"tokens": -1}},
        {"model": {"tokensPerUser": 0.5}},
        {"networkPolicy": {"database": {"cidr": "192.168.85.251"}}},
        {"networkPolicy": {"metricsNamespace": "Not a name"}},
        {"networkPolicy": {"model": {"cidrs": ["192.168.85.7"]}}},
        {"secret": {"name": "Not a name"}},
    ],
    ids=json.dumps,
)
def test_a_value_that_the_backend_cannot_work_with_is_refused(backend: Chart, values: dict[str, Any]) -> None:
    assert next(path for path, value in inner(values) if not isinstance(value, dict))[-1] in backend.refusal(values)


def test_a_backend_that_is_no_address_is_refused(frontend: Chart) -> None:
    assert "BACKEND_URL" in frontend.refusal({"config": {"BACKEND_URL": "backend:8001"}})


def test_both_charts_mean_the_same_by_what_they_share(backend: Chart, frontend: Chart) -> None:
    for name in SHARED:
        assert backend.schema["properties"][name] == frontend.schema["properties"][name]
    assert backend.schema["definitions"] == frontend.schema["definitions"]


def test_an_older_kubernetes_is_refused(chart: Chart) -> None:
    assert "kubeVersion" in chart.template({}, "--kube-version=v1.29.14").stderr
    assert chart.template({}, "--kube-version=v1.30.0").returncode == 0


def test_helm_finds_nothing_to_say(chart: Chart) -> None:
    done = chart.helm("lint", "--strict", str(chart.folder), values={"autoscaling": {"enabled": True}, "ingress": INGRESS, "networkPolicy": {"enabled": True}})
    assert done.returncode == 0, done.stdout
    assert "[WARNING]" not in done.stdout


# What every object is


def test_what_there_is(chart: Chart) -> None:
    always = {"ConfigMap", "Deployment", "PodDisruptionBudget", "Service", "ServiceAccount", "Test"}
    assert set(chart.objects()) == always | ({"Pods"} if chart.name == "frontend" else set())
    everything = {"autoscaling": {"enabled": True}, "ingress": INGRESS, "networkPolicy": {"enabled": True}}
    assert set(chart.objects(everything)) - set(chart.objects()) == {"HorizontalPodAutoscaler", "Ingress", "NetworkPolicy"}


def test_every_object_has_the_labels_the_name_and_the_namespace(chart: Chart) -> None:
    objects = chart.objects({"autoscaling": {"enabled": True}, "ingress": INGRESS, "networkPolicy": {"enabled": True}})
    for kind, item in objects.items():
        assert item["metadata"]["labels"].keys() == LABELS
        assert item["metadata"]["namespace"] == NAMESPACE
        assert item["metadata"]["name"] == chart.name + {"Test": "-test", "Pods": "-pods"}.get(kind, "")
    template = objects["Deployment"]["spec"]["template"]["metadata"]["labels"]
    assert template == objects["Deployment"]["metadata"]["labels"]


def test_every_selector_finds_the_services_pods_and_not_that_of_the_test(chart: Chart) -> None:
    objects = chart.objects({"networkPolicy": {"enabled": True}})
    server, test = pods(objects)
    spread = server["spec"]["topologySpreadConstraints"][0]
    selectors = [
        objects["Deployment"]["spec"]["selector"]["matchLabels"],
        objects["Service"]["spec"]["selector"],
        objects["PodDisruptionBudget"]["spec"]["selector"]["matchLabels"],
        objects["NetworkPolicy"]["spec"]["podSelector"]["matchLabels"],
        spread["labelSelector"]["matchLabels"],
    ]
    for selector in selectors:
        assert chosen(selector, server)
        assert not chosen(selector, test)
    # the gate and `make logs` go by this one alone
    assert test["metadata"]["labels"]["app.kubernetes.io/instance"] != server["metadata"]["labels"]["app.kubernetes.io/instance"]


def test_every_pod_is_restricted(chart: Chart) -> None:
    """What Pod Security's `restricted` asks for, no root file system to write to, and no token."""
    for pod in pods(chart.objects()):
        spec = pod["spec"]
        assert spec["automountServiceAccountToken"] is False
        assert spec["serviceAccountName"] == chart.name
        assert spec["securityContext"]["runAsNonRoot"] is True
        assert spec["securityContext"]["runAsUser"] > 0
        assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        assert not {"hostNetwork", "hostPID", "hostIPC"} & spec.keys()
        assert {kind for volume in spec.get("volumes", []) for kind in volume if kind != "name"} <= {"emptyDir", "secret"}
        for container in [*spec.get("initContainers", []), *spec["containers"]]:
            assert container["securityContext"] == {
                "allowPrivilegeEscalation": False,
                "capabilities": {"drop": ["ALL"]},
                "readOnlyRootFilesystem": True,
            }
            assert container["image"] == f"registry.example/{chart.name}@{DIGEST}"
            for amounts in ("requests", "limits"):
                assert container["resources"][amounts].keys() == {"cpu", "memory", "ephemeral-storage"}
    assert chart.objects()["ServiceAccount"]["automountServiceAccountToken"] is False


# What each value makes


def test_replicas_are_left_to_the_autoscaler(chart: Chart) -> None:
    assert chart.objects({"replicaCount": 3})["Deployment"]["spec"]["replicas"] == 3
    autoscaling = {"enabled": True, "maxReplicas": 7, "cpuPercent": 55, "quietSeconds": 90}
    objects = chart.objects({"replicaCount": 3, "autoscaling": autoscaling})
    assert "replicas" not in objects["Deployment"]["spec"]
    spec = objects["HorizontalPodAutoscaler"]["spec"]
    assert spec["scaleTargetRef"] == {"apiVersion": "apps/v1", "kind": "Deployment", "name": chart.name}
    assert (spec["minReplicas"], spec["maxReplicas"]) == (3, 7)
    assert spec["metrics"] == [{"type": "Resource", "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 55}}}]
    assert spec["behavior"] == {"scaleDown": {"stabilizationWindowSeconds": 90}}


def test_a_rollout_takes_no_pod_before_its_successor_is_ready_and_a_drain_one_at_a_time(chart: Chart) -> None:
    objects = chart.objects()
    assert objects["Deployment"]["spec"]["strategy"] == {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 0, "maxSurge": 1}}
    assert objects["PodDisruptionBudget"]["spec"]["maxUnavailable"] == 1
    assert "minAvailable" not in objects["PodDisruptionBudget"]["spec"]


def test_pods_are_spread_over_nodes_where_there_are_several(chart: Chart) -> None:
    (spread,) = chart.objects()["Deployment"]["spec"]["template"]["spec"]["topologySpreadConstraints"]
    del spread["labelSelector"]
    # of one rollout's pods alone: the old ones are about to go
    expected = {"maxSkew": 1, "topologyKey": "kubernetes.io/hostname", "whenUnsatisfiable": "ScheduleAnyway", "matchLabelKeys": ["pod-template-hash"]}
    assert spread == expected


def numbers(path: str, pattern: str) -> dict[str, int]:
    """The numbers that a source sets, by name."""
    found = {name: int(number) for name, number in re.findall(pattern, (ROOT / path).read_text(encoding="utf-8"))}
    assert found, path
    return found


@pytest.mark.parametrize("seconds", [1, 25, 60, 600])
def test_whoever_waits_for_a_request_waits_longer_than_what_is_behind_it(backend: Chart, frontend: Chart, seconds: int) -> None:
    """A request may come until 5 s after the pod is told to stop, which is 5 s after it begins to leave."""
    values = {"common": {"requestSeconds": seconds}}
    behind, front = backend.objects(values), frontend.objects(values)
    assert behind["ConfigMap"]["data"]["TODO_REQUEST_SECONDS"] == front["ConfigMap"]["data"]["REQUEST_SECONDS"] == str(seconds)

    of_frontend = numbers("apps/frontend/lib/limits.ts", r"export const (\w+)_MS = \(REQUEST_SECONDS \+ (\d+)\) \* 1000;")
    assert 0 < of_frontend["BACKEND"] < of_frontend["LAST_REQUESTS"]
    assert of_frontend["BACKEND"] < of_frontend["BROWSER"]
    shutdown = {
        "backend": seconds + numbers("apps/backend/src/todo_backend/__main__.py", r"(AFTER_THE_LAST_REQUEST)_SECONDS = (\d+)")["AFTER_THE_LAST_REQUEST"],
        "frontend": seconds + of_frontend["LAST_REQUESTS"],
    }
    for name, objects in (("backend", behind), ("frontend", front)):
        spec = objects["Deployment"]["spec"]["template"]["spec"]
        (container,) = spec["containers"]
        assert container["lifecycle"] == {"preStop": {"sleep": {"seconds": 5}}}
        assert seconds < shutdown[name] < spec["terminationGracePeriodSeconds"] - 5 - 5


def test_without_a_chart_both_services_take_the_same_limit_as_with_it(backend: Chart) -> None:
    of_settings = numbers("apps/backend/src/todo_backend/settings.py", r"(request_seconds): float = Field\(default=(\d+)")
    of_frontend = numbers("apps/frontend/lib/limits.ts", r"(REQUEST_SECONDS) = Number\(process.env.REQUEST_SECONDS \?\? (\d+)\)")
    assert backend.objects()["ConfigMap"]["data"]["TODO_REQUEST_SECONDS"] == str(of_settings["request_seconds"]) == str(of_frontend["REQUEST_SECONDS"])


def test_each_probe_has_its_own_path(chart: Chart) -> None:
    (container,) = chart.objects()["Deployment"]["spec"]["template"]["spec"]["containers"]
    asked = {probe: container[f"{probe}Probe"]["httpGet"]["path"] for probe in ("startup", "readiness", "liveness")}
    assert asked == {"startup": "/health/startup", "readiness": "/health/ready", "liveness": "/health/live"}


@pytest.mark.parametrize(
    ("service", "node_port"),
    [
        ({"type": "ClusterIP", "nodePort": 31000}, None),
        ({"type": "LoadBalancer", "nodePort": 31000}, None),
        ({"type": "NodePort", "nodePort": 31000}, 31000),
        ({"type": "NodePort", "nodePort": None}, None),
    ],
)
def test_the_service_is_as_asked(chart: Chart, service: dict[str, Any], node_port: int | None) -> None:
    spec = chart.objects({"service": service | {"port": 80}})["Service"]["spec"]
    assert spec["type"] == service["type"]
    (port,) = spec["ports"]
    assert port == {"name": "http", "port": 80, "targetPort": "http", "protocol": "TCP"} | ({"nodePort": node_port} if node_port else {})


def test_an_ingress_leads_a_host_to_the_service_with_its_certificate(chart: Chart) -> None:
    spec = chart.objects({"ingress": INGRESS})["Ingress"]["spec"]
    assert spec["ingressClassName"] == "nginx"
    assert spec["tls"] == [{"hosts": ["todo.example.com"], "secretName": "todo-tls"}]
    path = {"path": "/", "pathType": "Prefix", "backend": {"service": {"name": chart.name, "port": {"name": "http"}}}}
    assert spec["rules"] == [{"host": "todo.example.com", "http": {"paths": [path]}}]


def test_annotations_are_there_where_they_are_asked_for(chart: Chart) -> None:
    said = {"example.com/a": "1"}
    objects = chart.objects({name: {"annotations": said} for name in ("service", "serviceAccount")} | {"ingress": {**INGRESS, "annotations": said}})
    for kind in ("Service", "ServiceAccount", "Ingress"):
        assert said.items() <= objects[kind]["metadata"]["annotations"].items(), kind
    assert not said.items() <= objects["Deployment"]["metadata"]["annotations"].items()


def test_nodes_log_in_to_the_registry_by_the_secrets_that_are_named(chart: Chart) -> None:
    assert all("imagePullSecrets" not in pod["spec"] for pod in pods(chart.objects()))
    named = chart.objects({"image": {"pullSecrets": ["registry-login"]}})
    assert all(pod["spec"]["imagePullSecrets"] == [{"name": "registry-login"}] for pod in pods(named))


def test_an_ingress_without_class_and_certificate_is_the_clusters_default_and_http(chart: Chart) -> None:
    assert chart.objects({"ingress": {"enabled": True, "host": "todo.example.com"}})["Ingress"]["spec"].keys() == {"rules"}


def test_policies_let_a_frontend_reach_a_backend_and_nothing_else(backend: Chart, frontend: Chart) -> None:
    database = {"cidr": "192.168.85.251/32", "port": 6432}
    of_backend = backend.objects({"networkPolicy": {"enabled": True, "database": database}})
    of_frontend = frontend.objects({"networkPolicy": {"enabled": True}})
    behind, front = of_backend["NetworkPolicy"]["spec"], of_frontend["NetworkPolicy"]["spec"]
    assert behind["policyTypes"] == front["policyTypes"] == ["Ingress", "Egress"]

    (inwards,) = behind["ingress"]
    assert [port["port"] for port in inwards["ports"]] == [of_backend["Deployment"]["spec"]["template"]["spec"]["containers"][0]["ports"][0]["containerPort"]]
    callers = [*pods(of_frontend), *pods(of_backend)]
    let_in = [any(chosen(source["podSelector"]["matchLabels"], pod) for source in inwards["from"]) for pod in callers]
    assert let_in == [True, False, False, True]  # the frontend, its test, the backend, its test
    dns, to_database = behind["egress"]
    assert to_database == {"to": [{"ipBlock": {"cidr": "192.168.85.251/32"}}], "ports": [{"port": 6432, "protocol": "TCP"}]}

    (inwards,) = front["ingress"]
    assert inwards == {"ports": [{"port": 3000, "protocol": "TCP"}]}
    dns_too, to_backend, to_itself = front["egress"]
    assert dns == dns_too
    assert {(port["port"], port["protocol"]) for port in dns["ports"]} == {(53, "UDP"), (53, "TCP")}
    assert to_backend["ports"] == [{"port": 8001, "protocol": "TCP"}]
    ((called,),) = [[peer["podSelector"]["matchLabels"] for peer in to_backend["to"]]]
    assert [chosen(called, pod) for pod in callers] == [False, False, True, False]
    assert to_itself["ports"] == [{"port": 3000, "protocol": "TCP"}]
    ((called,),) = [[peer["podSelector"]["matchLabels"] for peer in to_itself["to"]]]
    assert [chosen(called, pod) for pod in callers] == [True, False, False, False]


def test_the_pods_of_a_frontend_find_each_other_also_while_they_start(frontend: Chart) -> None:
    objects = frontend.objects()
    found = objects["Pods"]["spec"]
    assert (found["clusterIP"], found["publishNotReadyAddresses"]) == ("None", True)
    assert [chosen(found["selector"], pod) for pod in pods(objects)] == [True, False]
    port = objects["Deployment"]["spec"]["template"]["spec"]["containers"][0]["ports"][0]["containerPort"]
    assert objects["ConfigMap"]["data"]["PEERS"] == f"http://{objects['Pods']['metadata']['name']}:{port}"


def to_model(chart: Chart, model: dict[str, Any], **policy: Any) -> list[Object]:
    """What is let out to a model, beside names and the database."""
    rules: list[Object] = chart.objects({"model": model, "networkPolicy": {"enabled": True, "model": policy}})["NetworkPolicy"]["spec"]["egress"]
    return rules[2:]


def lets_out(rule: Object, address: str) -> bool:
    blocks = [peer["ipBlock"] for peer in rule["to"]]
    inside = [[ip_address(address) in ip_network(cidr) for cidr in (block["cidr"], *block.get("except", []))] for block in blocks]
    return any(within and not any(excepted) for within, *excepted in inside)


def test_a_policy_lets_out_to_a_model_only_where_that_is_asked_for(backend: Chart) -> None:
    assert to_model(backend, {}) == []
    assert to_model(backend, {}, cidrs=["10.0.0.7/32"]) == []


def test_a_model_is_somewhere_in_the_internet(backend: Chart) -> None:
    (rule,) = to_model(backend, {}, enabled=True)
    for address in ("1.1.1.1", "104.18.0.1", "172.15.255.255", "172.32.0.1", "192.0.66.1", "2606:4700::1111"):
        assert lets_out(rule, address), address
    inner = ["10.96.0.1", "172.16.0.1", "172.31.255.255", "192.168.85.251", "127.0.0.1", "0.0.0.0", "::1"]
    metadata = ["169.254.169.254", "169.254.170.2", "100.100.100.200", "192.0.0.192", "fd00:ec2::254", "fe80::a9fe:a9fe"]
    several = ["224.0.0.1", "255.255.255.255", "ff02::1"]
    for address in [*inner, *metadata, *several, "100.64.0.1", "fc00::1"]:
        assert not lets_out(rule, address), address


def test_a_model_is_at_the_addresses_that_are_named_and_nowhere_else(backend: Chart) -> None:
    (rule,) = to_model(backend, {"url": "http://models.example:8080/v1"}, enabled=True, cidrs=["10.0.0.7/32", "fd00::7/128"])
    assert rule == {"to": [{"ipBlock": {"cidr": "10.0.0.7/32"}}, {"ipBlock": {"cidr": "fd00::7/128"}}], "ports": [{"port": 8080, "protocol": "TCP"}]}


@pytest.mark.parametrize(
    ("url", "port"),
    [
        ("https://models.example/v1", 443),
        ("http://models.example", 80),
        ("https://models.example:8443/v1", 8443),
        ("http://[fd00::7]:8080/v1", 8080),
        ("https://[fd00::443]/v1:1", 443),
    ],
)
def test_a_policy_lets_out_at_the_port_of_the_models_address(backend: Chart, url: str, port: int) -> None:
    (rule,) = to_model(backend, {"url": url}, enabled=True)
    assert rule["ports"] == [{"port": port, "protocol": "TCP"}]


def test_the_model_is_the_same_with_the_chart_without_it_and_by_the_role(backend: Chart) -> None:
    of_chart = {name: value for name, value in backend.objects()["ConfigMap"]["data"].items() if name.startswith("TODO_MODEL")}
    source = (ROOT / "apps/backend/src/todo_backend/settings.py").read_text(encoding="utf-8")
    of_backend = re.findall(r"^    (model\w*): (?:str|int) = (?:Field\(default=)?\"?([^\",]*)", source, re.MULTILINE)
    assert of_chart == {f"TODO_{name.upper()}": value.replace("_", "") for name, value in of_backend}
    role = yaml.safe_load((ROOT / "roles/app_release/defaults/main.yml").read_text(encoding="utf-8"))
    names = {"url": "url", "name": "name", "fallback": "fallback", "tokensPerUser": "tokens_per_user", "tokens": "tokens"}
    assert backend.defaults["model"] == {name: role[f"app_release_model_{option}"] for name, option in names.items()}
    assert backend.defaults["networkPolicy"]["model"] == {"enabled": role["app_release_model_allowed"], "cidrs": role["app_release_model_cidrs"]}


@pytest.mark.parametrize("values", [{"service": {"type": "NodePort"}}, {"service": {"type": "LoadBalancer"}}, {"ingress": INGRESS}], ids=json.dumps)
def test_a_backend_that_is_for_outside_lets_everybody_in(backend: Chart, values: dict[str, Any]) -> None:
    (inwards,) = backend.objects(values | {"networkPolicy": {"enabled": True}})["NetworkPolicy"]["spec"]["ingress"]
    assert inwards == {"ports": [{"port": 8001, "protocol": "TCP"}]}


def metrics_port(objects: dict[str, Object]) -> int:
    """The port of the container on which Prometheus is told."""
    (port,) = [port for port in objects["Deployment"]["spec"]["template"]["spec"]["containers"][0]["ports"] if port["name"] == "metrics"]
    number: int = port["containerPort"]
    return number


def test_prometheus_finds_the_metrics_of_each_pod_where_the_backend_serves_them(backend: Chart) -> None:
    objects = backend.objects()
    settings = (ROOT / "apps/backend/src/todo_backend/settings.py").read_text(encoding="utf-8")
    (served,) = re.findall(r"metrics_port: int = Field\(default=(\d+)", settings)
    assert metrics_port(objects) == int(served)
    annotations = objects["Deployment"]["spec"]["template"]["metadata"]["annotations"]
    assert (annotations["prometheus.io/scrape"], annotations["prometheus.io/port"]) == ("true", served)


@pytest.mark.parametrize("service", [{"type": "ClusterIP"}, {"type": "NodePort"}, {"type": "LoadBalancer"}], ids=json.dumps)
def test_nothing_that_is_for_outside_leads_to_the_metrics(backend: Chart, service: dict[str, Any]) -> None:
    objects = backend.objects({"service": service, "ingress": INGRESS, "networkPolicy": {"enabled": True}})
    assert [port["targetPort"] for port in objects["Service"]["spec"]["ports"]] == ["http"]
    assert str(metrics_port(objects)) not in json.dumps([objects["NetworkPolicy"], objects["Ingress"], objects["Service"]])


def test_a_policy_lets_prometheus_read_the_metrics_and_nothing_else(backend: Chart) -> None:
    objects = backend.objects({"networkPolicy": {"enabled": True, "metricsNamespace": "monitoring"}})
    _, inwards = objects["NetworkPolicy"]["spec"]["ingress"]
    assert inwards == {
        "ports": [{"port": metrics_port(objects), "protocol": "TCP"}],
        "from": [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "monitoring"}}}],
    }


CONFIGURED = {"backend": {"logLevel": "debug"}, "frontend": {"BACKEND_URL": "http://elsewhere:8001"}}


def test_a_changed_configuration_rolls_its_pods(chart: Chart) -> None:
    before, after = chart.objects(), chart.objects({"config": CONFIGURED[chart.name]})
    assert before["ConfigMap"] != after["ConfigMap"]
    assert before["Deployment"]["spec"]["template"] != after["Deployment"]["spec"]["template"]


def test_a_changed_secret_rolls_the_backend(backend: Chart) -> None:
    annotations = [pods(backend.objects({"secret": {"checksum": checksum}}))[0]["metadata"]["annotations"] for checksum in ("one", "other")]
    assert [found["checksum/secret"] for found in annotations] == ["one", "other"]


def test_what_pods_do_not_use_rolls_none(chart: Chart) -> None:
    values = {
        "replicaCount": 3,
        "autoscaling": {"enabled": True},
        "service": {"type": "LoadBalancer", "port": 80},
        "ingress": INGRESS,
        "networkPolicy": {"enabled": True},
    }
    assert chart.objects(values)["Deployment"]["spec"]["template"] == chart.objects()["Deployment"]["spec"]["template"]


def test_a_large_number_of_tokens_stays_a_whole_number(backend: Chart) -> None:
    data = backend.objects({"model": {"tokens": 5_000_000_000, "tokensPerUser": 0}})["ConfigMap"]["data"]
    assert (data["TODO_MODEL_TOKENS"], data["TODO_MODEL_TOKENS_PER_USER"]) == ("5000000000", "0")


def test_helm_test_asks_the_service_and_ends(chart: Chart) -> None:
    test = chart.objects({"service": {"port": 8080}})["Test"]
    annotations = test["metadata"]["annotations"]
    assert (annotations["helm.sh/hook"], annotations["helm.sh/hook-delete-policy"]) == ("test", "before-hook-creation")
    assert test["spec"]["restartPolicy"] == "Never"
    assert test["spec"]["activeDeadlineSeconds"] <= 300  # helm test waits no longer
    (container,) = test["spec"]["containers"]
    program = {"backend": ["python3", "-m", "todo_backend.acceptance"], "frontend": ["node", "acceptance.mjs"]}[chart.name]
    assert container["command"] == [*program, f"http://{chart.name}:8080"]


# What a person is told


class Notes:
    """What Helm says after an installation. Only with a cluster does it say so, so a copy of the chart makes an object of it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def of(self, chart: Chart, values: dict[str, Any]) -> str:
        copy = Chart(chart.name, chart.executable, shutil.copytree(chart.folder, self.folder / "chart", dirs_exist_ok=True))
        text = (chart.folder / "templates/NOTES.txt").read_text(encoding="utf-8")
        (copy.folder / "templates/notes.yaml").write_text(
            f'{{{{ define "notes" }}}}{text}{{{{ end }}}}\nkind: Notes\nmetadata: {{}}\nnotes: {{{{ include "notes" . | toJson }}}}\n', encoding="utf-8"
        )
        said: str = copy.objects(values)["Notes"]["notes"]
        return said


@pytest.fixture
def notes(tmp_path: Path) -> Notes:
    return Notes(tmp_path)


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({"service": {"type": "NodePort", "nodePort": 31000}}, "http://127.0.0.1:31000"),
        ({"service": {"type": "NodePort", "nodePort": None}}, "http://NODE:PORT"),
        ({"service": {"type": "LoadBalancer", "port": 80}}, "http://ADDRESS:80"),
        ({"ingress": INGRESS}, "https://todo.example.com"),
        ({"ingress": INGRESS | {"tlsSecret": ""}}, "http://todo.example.com"),
        ({"service": {"type": "ClusterIP", "port": 8080}}, "port-forward service/{name} 8080"),
        ({}, "helm --namespace somewhere test {name}"),
    ],
)
def test_notes_say_where_it_answers(chart: Chart, notes: Notes, values: dict[str, Any], told: str) -> None:
    assert told.format(name=chart.name) in notes.of(chart, values)


def test_notes_say_that_a_policy_may_count_for_nothing(chart: Chart, notes: Notes) -> None:
    assert "NetworkPolicy" not in notes.of(chart, {})
    said = notes.of(chart, {"networkPolicy": {"enabled": True}})
    assert "enforces" in said
    assert f"kubectl --namespace somewhere exec deployment/{chart.name} -- " in said
