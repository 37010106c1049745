"""Assistants for operations: each thing that their account may not do is really tried, and HolmesGPT really asks and looks. The order matters."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest
from conftest import SYSTEM
from deployed import CHECKOUT, Deployment, until
from testinfra.host import Host

pytest_plugins = ["deployed"]
STATE = "/home/tester/.local/state/todochat/todo"
AGENTS = f"{STATE}/agents"
MINE = f"KUBECONFIG={AGENTS}/kubeconfig; kubectl"
ADDRESS, PORT = "192.168.85.1", 8080
MODEL = f"""---
app_release_model_url: http://{ADDRESS}:{PORT}/v1
app_release_model_name: smollm2
app_release_model_fallback: ""
app_release_model_cidrs: [{ADDRESS}/32]
"""
KEY = "a-key-of-this-test-alone"
LOG = "/root/asked"
HOLMES = "make assist ARGS='-e ai_devops_holmes=true'"
ABSENT = "make assist ARGS='-e ai_devops_state=absent'"
# It stands for kagent's chart, which cannot be had where there are package registries alone: it keeps what values it was given.
CHART = {
    "Chart.yaml": "apiVersion: v2\nname: kagent\nversion: 0.0.1\n",
    "templates/given.yaml": """apiVersion: v1
kind: ConfigMap
metadata: {name: given}
data:
  values: {{ .Values | toJson | quote }}
""",
}
KAGENT = """-e '{"ai_devops_kagent_charts": ["/home/tester/kagent"], "ai_devops_kagent_values": {"mine": 1}}'"""
NO_KAGENT = """-e '{"ai_devops_kagent_charts": ["oci://127.0.0.1:9/kagent-crds", "oci://127.0.0.1:9/kagent"]}'"""
WIDER = '[{"op": "add", "path": "/rules/-", "value": {"apiGroups": [""], "resources": ["secrets"], "verbs": ["get", "list"]}}]'
# What the account tries, as kubectl does it; in FRONTEND stands the name of a pod.
MAY_NOT = {
    "read a secret": "get secret backend-secrets --output=yaml",
    "list secrets": "get secrets --output=name",
    "read secrets elsewhere": "get secrets --all-namespaces",
    "read Helm's own": "get secrets --selector=owner=helm",
    "run something in a pod": "exec FRONTEND -- true",
    "attach to one": "attach FRONTEND",
    "forward a port": "port-forward FRONTEND :3000",
    "copy from one": "cp FRONTEND:/etc/hostname /tmp/hostname",
    "debug one": "debug FRONTEND --image=registry.k8s.io/pause:3.10.1",
    "go through a pod": "get --raw /api/v1/namespaces/todo/pods/FRONTEND:3000/proxy/",
    "go through a service": "get --raw /api/v1/namespaces/todo/services/backend:8001/proxy/health/live",
    "go through a node": "get --raw /api/v1/nodes/todo/proxy/configz",
    "delete a pod": "delete pod FRONTEND --wait=false",
    "evict one": "drain todo --ignore-daemonsets --force --disable-eviction=false",
    "create one": "run mine --image=registry.k8s.io/pause:3.10.1",
    "change a deployment": """patch deployment backend --patch '{"spec": {"replicas": 1}}'""",
    "scale one": "scale deployment/backend --replicas=0",
    "restart one": "rollout restart deployment/backend",
    "change a configuration": """patch configmap backend --patch '{"data": {"TODO_LOG_LEVEL": "debug"}}'""",
    "delete a service": "delete service backend --wait=false",
    "cordon a node": "cordon todo",
    "see pods of another namespace": "--namespace kube-system get pods",
    "see the pods of all": "get pods --all-namespaces",
    "read a log of another": "--namespace kube-system logs deployment/coredns",
    "be the administrator": "get secrets --as=kubernetes-admin --as-group=system:masters",
    "be another account": "get pods --as=system:serviceaccount:kube-system:deployment-controller",
    "have a token made for another": "--namespace kube-system create token generic-garbage-collector",
    "have one made for itself, which would be good for longer": "create token agents --duration=24h",
    "give itself a role": "create rolebinding more --clusterrole=admin --serviceaccount=todo:agents",
    "widen its own": f"patch role agents --type=json --patch '{WIDER}'",
    "read roles": "get roles,clusterroles",
    "ask for a certificate": "get certificatesigningrequests",
}
MAY = {
    "pods": "get pods --output=name",
    "their logs": "logs deployment/backend --container=backend --tail=1",
    "events": "get events --output=name",
    "what runs them": "get deployments,replicasets,statefulsets,jobs,horizontalpodautoscalers,poddisruptionbudgets",
    "what they reach": "get services,endpointslices,networkpolicies",
    "their configuration": "get configmap backend",
    "limits": "get resourcequotas,limitranges",
    "nodes": "get nodes",
    "what all of them use": "top pods",
}


def give(script: str, stdin: str = "") -> None:
    """A script of root's gets something that only it may see."""
    done = subprocess.run(["docker", "exec", "-i", SYSTEM, "bash", "-ec", script], input=stdin, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def assist(deployment: Deployment, arguments: str = "") -> str:
    """What `make assist` prints, which has to succeed."""
    passed, output = deployment.tester.make("assist", arguments)
    assert passed, output
    return output


def flat(output: str) -> str:
    return " ".join(output.split())


def refused(task: str, deployment: Deployment, *phrases: str) -> None:
    """`make assist` fails at that task, says all of this, and shows no secret."""
    passed, output = deployment.tester.make("assist", "-vvv --diff")
    assert not passed, output
    assert KEY not in output
    passed, output = deployment.tester.make("assist")
    assert not passed, output
    end = flat(output[output.rindex("Failed: ") :])
    assert f": {task} (after" in end or f"Failed: {task} (after" in end, end
    assert [phrase for phrase in phrases if phrase not in end] == [], end
    assert KEY not in output


def serve(host: Host, tool: str, arguments: dict[str, Any]) -> None:
    """A provider has whoever asks call that tool."""
    host.run("systemctl stop provider")
    given = " ".join(["192.168.85.1", str(PORT), "/root/model-key", tool, f"'{json.dumps(arguments)}'", LOG])
    host.check_output(f"rm -f {LOG}; systemd-run --quiet --collect --unit=provider python3 {CHECKOUT}/molecule/ai_devops/provider.py {given}")
    until(lambda: host.run(f"timeout 2 bash -c '</dev/tcp/{ADDRESS}/{PORT}'").rc == 0, 60)


def asked(host: Host) -> list[dict[str, Any]]:
    """What the provider was asked."""
    return [json.loads(line) for line in host.check_output(f"cat {LOG}").splitlines()]


@pytest.fixture(scope="module")
def frontend(deployment: Deployment) -> str:
    return next(iter(deployment.pods("frontend")))


@pytest.fixture(scope="module", autouse=True)
def _model(deployment: Deployment) -> Iterator[None]:
    """The application has an endpoint and a model of its own, and no key yet."""
    give("cat > /root/model-key; chmod 600 /root/model-key", KEY)
    deployment.give(f"{CHECKOUT}/group_vars/all/model.yml", MODEL)
    deployment.up("--tags app_secrets,app_release,app_check")
    yield
    deployment.host.run("systemctl stop provider")


def test_check_mode_says_so_and_makes_nothing(deployment: Deployment) -> None:
    before = deployment.tester.inventory()
    assert "changed=0" not in assist(deployment, "--check")
    assert deployment.tester.inventory() == before
    assert deployment.run("kubectl --namespace todo get serviceaccount agents")[0] is False


def test_what_cannot_be_had_is_named_with_what_stands_in_and_nothing_fails(deployment: Deployment) -> None:
    said = flat(assist(deployment, NO_KAGENT))
    assert "kubectl-ai cannot be had here: upstream does not answer, and no package registry has it" in said
    assert "kagent cannot be had here: " in said
    assert "Docker AI is not in this engine" in said
    assert "HolmesGPT is not asked for: `make assist ARGS='-e ai_devops_holmes=true'`" in said
    assert "Instead of kubectl-ai, Docker AI, kagent: `make diagnose`" in said
    assert "failed=0" in said
    assert f"Model smollm2 at http://{ADDRESS}:{PORT}/v1; without a key so far" in said
    assert not deployment.host.file(f"{AGENTS}/model-key").exists


def test_the_key_is_the_users_alone_and_shows_nowhere(deployment: Deployment) -> None:
    deployment.passes(f"printf %s {KEY} | make vault DO=edit ARGS='-e secret=model_api_key'")
    output = assist(deployment, "-vvv --diff")
    assert KEY not in output
    assert KEY not in deployment.tester.events()
    modes = deployment.host.check_output(f"stat --format '%a %U %n' {AGENTS} {AGENTS}/kubeconfig {AGENTS}/model-key").splitlines()
    assert modes == [f"700 tester {AGENTS}", f"600 tester {AGENTS}/kubeconfig", f"600 tester {AGENTS}/model-key"]


def test_a_second_run_changes_nothing(deployment: Deployment) -> None:
    assert "changed=0" in assist(deployment)


def test_the_token_is_good_for_an_hour_and_renewed_by_another_run(deployment: Deployment) -> None:
    script = f"import base64, json, time; t = json.load(open('{AGENTS}/kubeconfig'))['users'][0]['user']['token'].split('.')[1]"
    left = f"{script}; print(json.loads(base64.urlsafe_b64decode(t + '=='))['exp'] - time.time())"
    assert 1800 < float(deployment.tester.sees(f'python3 -c "{left}"')) <= 3600
    assist(deployment, "-e ai_devops_token_timeout=600")
    assert 300 < float(deployment.tester.sees(f'python3 -c "{left}"')) <= 600
    said = flat(deployment.tester.make("assist", "-e ai_devops_token_timeout=300")[1])
    assert "A token cannot be good for 300 seconds" in said
    assist(deployment)
    assert "system:serviceaccount:todo:agents" in deployment.passes(f"{MINE} auth whoami")


@pytest.mark.parametrize("what", MAY)
def test_agents_may_look_at(what: str, deployment: Deployment) -> None:
    deployment.passes(f"{MINE} {MAY[what]}")


@pytest.mark.parametrize("what", MAY_NOT)
def test_agents_may_not(what: str, deployment: Deployment, frontend: str) -> None:
    _, output = deployment.run(f"{MINE} {MAY_NOT[what].replace('FRONTEND', frontend)}")  # some of kubectl's commands only say it
    assert "forbidden" in output.lower(), output


def test_nothing_of_the_application_was_changed_by_that(deployment: Deployment, frontend: str) -> None:
    until(lambda: deployment.unsettled() == [], 120)  # the autoscaler may take a pod away meanwhile
    assert frontend in deployment.pods("frontend")
    assert deployment.run("kubectl --namespace todo get pod mine")[0] is False
    assert len(deployment.pods("backend")) >= 2
    assert "changed=0" in assist(deployment)


def test_somebody_who_widens_the_account_is_taken_back(deployment: Deployment) -> None:
    deployment.passes(f"kubectl --namespace todo patch role agents --type=json --patch '{WIDER}' && {MINE} get secrets")
    assert "changed=0" not in assist(deployment)
    assert not deployment.run(f"{MINE} get secrets")[0]


def test_holmesgpt_looks_in_the_agents_name_and_tells_what_it_saw(deployment: Deployment, frontend: str) -> None:
    serve(deployment.host, "fetch_pod_logs", {"pod_name": frontend, "namespace": "todo"})
    assert f"HolmesGPT {AGENTS}/holmes ask" in flat(deployment.passes(HOLMES))
    assert "changed=0" in deployment.passes(HOLMES)
    deployment.passes(f"sed -i s/smollm2/another/ {AGENTS}/holmes")
    again = flat(assist(deployment))
    assert "changed=1" in again
    assert f"HolmesGPT {AGENTS}/holmes ask" in again
    assert "smollm2" in deployment.passes(f"cat {AGENTS}/holmes")
    said = flat(deployment.passes(f"{AGENTS}/holmes ask --no-interactive 'what does the frontend log?'"))
    assert "I was told: " in said
    assert frontend in said
    requests = asked(deployment.host)
    assert {(one["path"], one["model"], one["knows"]) for one in requests} == {("/v1/chat/completions", "smollm2", True)}
    tools = {tool["function"]["name"] for one in requests for tool in one["tools"]}
    assert tools == {
        *("kubernetes_jq_query", "kubernetes_tabular_query", "kubernetes_count", "kubectl_top_pods", "kubectl_top_nodes"),
        *("fetch_pod_logs", "TodoWrite", "fetch_skill"),
    }


def test_what_it_may_not_see_it_is_told_so(deployment: Deployment) -> None:
    every = {"kind": "secrets", "namespace": "todo", "columns": "NAME:.metadata.name", "label_selector": None, "field_selector": None, "filter_pattern": None}
    serve(deployment.host, "kubernetes_tabular_query", every)
    said = flat(deployment.passes(f"{AGENTS}/holmes ask --no-interactive 'which secrets are there?'"))
    assert "forbidden" in said.lower()
    assert "backend-secrets" not in said


def test_the_programs_say_what_is_missing(deployment: Deployment) -> None:
    deployment.passes(f"echo '{{}}' > {AGENTS}/kubeconfig")
    passed, output = deployment.run(f"{AGENTS}/holmes ask --no-interactive 'anything'")
    assert not passed
    assert "Run: make assist" in output
    deployment.passes(HOLMES)


def test_kagent_gets_the_endpoint_the_model_and_the_values(deployment: Deployment) -> None:
    deployment.passes("mkdir -p ~/kagent/templates")
    for name, content in CHART.items():
        deployment.give(f"/home/tester/kagent/{name}", content)
    assert "kagent in namespace kagent" in flat(assist(deployment, KAGENT))
    given = json.loads(deployment.passes("kubectl --namespace kagent get configmap given --output=jsonpath='{.data.values}'"))
    assert given["mine"] == 1
    openai = given["providers"]["openAI"]
    assert (openai["model"], openai["config"]["baseUrl"]) == ("smollm2", f"http://{ADDRESS}:{PORT}/v1")
    kept = f"secret {openai['apiKeySecretRef']} --output=jsonpath='{{.data.{openai['apiKeySecretKey']}}}'"
    assert deployment.passes(f"kubectl --namespace kagent get {kept} | base64 --decode") == KEY
    assert KEY not in json.dumps(given)
    assert "changed=0" in assist(deployment, KAGENT)


def test_a_key_that_was_taken_back_is_not_left_with_kagent(deployment: Deployment) -> None:
    deployment.passes("echo | make vault DO=edit ARGS='-e secret=model_api_key'")
    assist(deployment)
    assert deployment.run("kubectl --namespace kagent get secret kagent-model")[0] is False
    assert "changed=0" in assist(deployment)
    deployment.passes(f"printf %s {KEY} | make vault DO=edit ARGS='-e secret=model_api_key'")
    assist(deployment, KAGENT)


def test_a_task_that_handles_the_key_fails_without_showing_it(deployment: Deployment) -> None:
    deployment.passes(f"chmod 500 {AGENTS} && kubectl --namespace todo delete serviceaccount agents")
    try:
        refused("Agents ask the cluster in their own name, and the model with its key", deployment, f"{AGENTS} cannot be written: Permission denied")
    finally:
        deployment.passes(f"chmod 700 {AGENTS}")
    assist(deployment)


def test_absent_takes_all_of_it_away(deployment: Deployment) -> None:
    before = f"{AGENTS}/kubeconfig"
    kept = deployment.tester.sees(f"cat {before}")
    absent = f"-e ai_devops_state=absent {KAGENT}"
    deployment.up("--tags app_secrets,app_release,app_check")  # it has the key by then, or none
    assert "changed=0" not in assist(deployment, f"{absent} --check")
    assert deployment.host.file(before).exists
    assert "Namespace kagent is left, with the model's key in its Secret kagent-model" in flat(deployment.passes(ABSENT))
    assist(deployment, absent)
    assert "changed=0" in assist(deployment, absent)
    assert not deployment.host.file(AGENTS).exists
    assert not deployment.host.file("/home/tester/.cache/todochat/holmesgpt-todo").exists
    for what in ("--namespace todo serviceaccount,role,rolebinding", "clusterrole,clusterrolebinding"):
        assert "agents" not in deployment.passes(f"kubectl get {what} --output=name")
    assert deployment.run("kubectl get namespace kagent")[0] is False
    deployment.give("/home/tester/kept", kept)
    assert "Unauthorized" in deployment.run("kubectl --kubeconfig /home/tester/kept get pods")[1]
    assert "changed=0" in deployment.up("--tags app_secrets,app_release,app_check")
