"""What is wrong is named within seconds, by name and with the command that mends it; nothing is where nothing is wrong. The order matters."""

from __future__ import annotations

import json
import re
import time
from dataclasses import dataclass
from itertools import pairwise
from shlex import quote

import pytest
from conftest import OUTPUT, SYSTEM
from deployed import CHECKOUT, Deployment, until

pytest_plugins = ["deployed"]
# From the command's start, once Kubernetes or Docker shows the fault.
SECONDS = 15
SHOWN_SECONDS = 120
# After a start of the node, whose pods all begin anew.
SOUND_SECONDS = 300
SOUND_RUNS = 20
SOUND = "Nothing is wrong."
MEND = "Mend it: "
MAKE = f"make -C {CHECKOUT}"
KUBECTL = "kubectl --namespace todo"
REASONS = f"{KUBECTL} get pods --output=jsonpath='{{..waiting.reason}}' | grep"
NO_IMAGE = f"127.0.0.1:5000/todo/backend@sha256:{'0' * 64}"
PATH = '[{"op": "replace", "path": "/spec/template/spec/containers/0/readinessProbe/httpGet/path", "value": "/health/nothing"}]'
PORT = '[{"op": "replace", "path": "/spec/ports/0/nodePort", "value": 30111}]'
DENY = '{"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": {"name": "nobody-in"}, "spec": {"podSelector": {}}}'
WRONG = '{"stringData": {"database_url": "postgresql://todo_app:wrong@192.168.85.251:5432/todo"}}'
KEY = '{"stringData": {"model_api_key": "a-key-of-this-test-alone"}}'
NO_KEY = '[{"op": "remove", "path": "/data/model_api_key"}]'
CERTIFICATE = "/var/lib/minikube/certs/expired.crt"
ASKED = "/run/asked"
MODEL_KEY = "gsk-a-key-of-this-test-alone"
# A value that the backend does not start with, and that its last line quotes.
CANARY = "password=canary-Of-This-Test-4711"
ADVICE = "Advice of the model openai/gpt-oss-120b at 127.0.0.1."
FAILED = f"{KUBECTL} get pods --field-selector=status.phase=Failed --output=name"
LATER = ("true", "a page that names several is run as a whole: the one after this prints the same command again")


def undo(name: str) -> str:
    return f"kubectl --namespace todo rollout undo deployment/{name}"


def model(url: str) -> str:
    return f"""{KUBECTL} patch configmap backend --type=merge --patch='{{"data": {{"TODO_MODEL_URL": "{url}"}}}}'"""


@dataclass(frozen=True)
class Fault:
    """How something is made wrong, what is said of it, and what shows that it is wrong; then the commands that are printed mend it."""

    names: tuple[str, ...]
    inject: str
    says: tuple[str, ...]
    shown: str = "true"
    by_hand: str = "true"
    """What the page has its reader do before in words."""
    instead: tuple[str, str] = ("", "")
    """A command in the place of those that are printed, and why."""


FAULTS = {
    "an image that is not there": Fault(
        ("image",),
        f"{KUBECTL} set image deployment/backend '*={NO_IMAGE}'",
        ("sha256:0000", "rollout undo deployment/backend"),
        f"{REASONS} -E 'ErrImagePull|ImagePullBackOff'",
    ),
    "a crash on start": Fault(
        ("crash",),
        f"{KUBECTL} set env deployment/backend TODO_LOG_LEVEL=nonsense",
        ("exit code", "rollout undo deployment/backend"),
        f"{REASONS} CrashLoopBackOff",
    ),
    "more memory than there is": Fault(
        ("scheduling",),
        f"{KUBECTL} set resources deployment/frontend --requests=memory=900Gi --limits=memory=900Gi",
        ("Insufficient memory", "rollout undo deployment/frontend"),
        f"{KUBECTL} get pods --output=jsonpath='{{..conditions[*].reason}}' | grep Unschedulable",
    ),
    "a probe of what is not there": Fault(
        ("probe",),
        f"{KUBECTL} patch deployment backend --type=json --patch='{PATH}'",
        ("statuscode: 404", "rollout undo deployment/backend"),
        f"{KUBECTL} get events --field-selector=reason=Unhealthy | grep 'statuscode: 404'",
    ),
    "no Secret": Fault(
        ("secret",),
        f"{KUBECTL} delete secret backend-secrets",
        ("no Secret backend-secrets", f"{MAKE} up ARGS='--tags app_secrets,app_release'"),
    ),
    "a wrong password": Fault(
        ("secret",),
        f"{KUBECTL} patch secret backend-secrets --type=merge --patch='{WRONG}' && {KUBECTL} rollout restart deployment/backend",
        ("password authentication failed", f"{MAKE} up ARGS='--tags app_secrets' then: ", f"{KUBECTL} rollout restart deployment/backend"),
        f"{KUBECTL} logs --selector=app.kubernetes.io/instance=backend --container=migrations --tail=20 | grep 'password authentication failed'",
    ),
    "no database": Fault(("database",), "docker stop todo-database", ("todo-database is exited", f"{MAKE} start")),
    "a database that is paused": Fault(("database",), "docker pause todo-database", ("is paused", f"{MEND}docker unpause todo-database")),
    "no DNS": Fault(
        ("dns",),
        "kubectl --namespace kube-system scale deployment/coredns --replicas=0",
        ("scaled to 0", "kubectl --namespace kube-system scale deployment/coredns --replicas=1"),
    ),
    "a DNS that crashes": Fault(
        ("dns",),
        # after each of these it is waited longer with the next start
        "for number in 1 2 3 4; do until sudo pkill -KILL --exact coredns; do sleep 0.5; done; done",
        ("No pod of coredns in kube-system is ready (CrashLoopBackOff)", "kubectl --namespace kube-system rollout restart deployment/coredns"),
        "kubectl --namespace kube-system get pods --selector=k8s-app=kube-dns --output=jsonpath='{..waiting.reason}' | grep CrashLoopBackOff",
    ),
    "no registry": Fault(("registry",), "docker stop todo-registry", ("todo-registry is exited", f"{MAKE} start")),
    "a cordoned node": Fault(("scheduling",), "kubectl cordon todo", ("cordoned", f"{KUBECTL} uncordon todo")),
    "a quota of nothing": Fault(
        ("quota",),
        f"{KUBECTL} create quota none --hard=pods=0",
        ("it allows pods=0", f"{KUBECTL} delete resourcequota/none"),
        f"{KUBECTL} get resourcequota none --output=jsonpath='{{.status.hard}}' | grep pods",
    ),
    "somebody else's policy": Fault(
        ("network policy",),
        f"echo '{DENY}' | {KUBECTL} create --filename=-",
        ("nobody-in", f"{KUBECTL} delete networkpolicy/nobody-in"),
    ),
    "a provider out of reach": Fault(
        ("provider",),
        f"{KUBECTL} patch secret backend-secrets --type=merge --patch='{KEY}' && {model('http://192.168.85.1:9/v1')}",
        ("192.168.85.1:9 cannot be reached", "app_release_model_url=URL"),
        instead=(
            f"{KUBECTL} patch secret backend-secrets --type=json --patch='{NO_KEY}' && {model('https://api.groq.com/openai/v1')}",
            "which address is to be given in the place of URL is its reader's choice",
        ),
    ),
    "no metrics": Fault(
        ("metrics",),
        "kubectl --namespace kube-system scale deployment/metrics-server --replicas=0",
        ("metrics-server in kube-system is scaled to 0", f"{MAKE} up ARGS='--tags metrics_server'"),
    ),
    "a service scaled to 0": Fault(
        ("scale",),
        f"{KUBECTL} scale deployment/frontend --replicas=0",
        ("frontend is scaled to 0", f"{MAKE} up ARGS='--tags app_release'"),
    ),
    "a certificate that has run out": Fault(
        ("certificate",),
        f"docker exec --interactive todo tee {CERTIFICATE} < molecule/diagnose/expired.crt",
        ("expired.crt has run out on 2020-01-02", f"{MAKE} stop then: {MAKE} start"),
        instead=(f"docker exec todo rm {CERTIFICATE}", "no start takes away a file that is this test's"),
    ),
    "a pod that fills its disk": Fault(
        ("disk",),
        f"{KUBECTL} exec deployment/frontend -- dd if=/dev/zero of=/tmp/filled bs=1M count=80",
        ("exceeds the limit", f"{KUBECTL} delete pod/frontend-"),
        f"{FAILED} | grep frontend",
    ),
    "no kubelet": Fault(("node",), "docker exec todo systemctl stop kubelet", ("kubelet is inactive", f"{MAKE} start")),
    "no ConfigMap": Fault(
        ("configuration",),
        f"{KUBECTL} delete configmap frontend",
        ("no ConfigMap frontend", f"{MAKE} up ARGS='--tags app_release'"),
        instead=LATER,
    ),
    "no Service": Fault(
        ("configuration", "service"),
        f"{KUBECTL} delete service/backend",
        ("no Service backend", f"{MAKE} up ARGS='--tags app_release'"),
        instead=LATER,
    ),
    "another port": Fault(
        ("configuration", "port", "service"),
        f"{KUBECTL} patch service frontend --type=json --patch='{PORT}'",
        ("node port 30111", f"{KUBECTL} delete service/frontend then: {MAKE} up ARGS='--tags app_release'"),
    ),
    "a stopped node": Fault(("node",), "docker stop todo", ("The container todo is exited", f"{MAKE} start"), instead=LATER),
    "a port that another program has": Fault(
        ("port",),
        "! docker start todo",
        ("port 30000 is held by the process python3", f"{MAKE} start"),
        by_hand="sudo systemctl stop other",
    ),
}


def diagnosed(deployment: Deployment) -> tuple[list[str], str, float]:
    """The names of what is wrong, the page as it is for somebody in another folder, and how many seconds it took."""
    began = time.monotonic()
    page = deployment.passes(f"cd / && {MAKE} diagnose")
    took = time.monotonic() - began
    lines = page.splitlines()
    names = [line[:15].strip() for line, after in pairwise(lines) if after.strip().startswith(MEND)]
    return names, page, took


def is_sound(page: str) -> bool:
    return SOUND in map(str.strip, page.splitlines())


def mend(deployment: Deployment, fault: Fault, page: str) -> None:
    """By the page's commands, one after the other as they are printed, in that folder and a shell that knows nothing of the deployment."""
    instead, _why = fault.instead
    deployment.passes(instead or fault.by_hand)
    for command in [] if instead else re.findall(rf"^ +(?:{MEND}|then:    )(.+)$", page, re.MULTILINE):
        began = time.monotonic()
        done = deployment.host.run("su --login tester --command %s", f"cd / && {command} 2>&1 < /dev/null")
        with (OUTPUT / f"{SYSTEM}-mended.log").open("a", encoding="utf-8") as log:
            log.write(f"{time.monotonic() - began:.1f} s: {command}\n")
        assert done.rc == 0, f"{command}\n{done.stdout}"


def test_on_a_sound_system_nothing_is_named(deployment: Deployment) -> None:
    until(lambda: is_sound(diagnosed(deployment)[1]), SOUND_SECONDS)
    pages = [diagnosed(deployment)[1] for _ in range(SOUND_RUNS)]
    assert [page for page in pages if not is_sound(page)] == []


def test_nothing_stands_in_the_way_of_what_is_there_and_what_does_is_said_at_once(deployment: Deployment) -> None:
    assert "Nothing stands in the way" in deployment.passes("make doctor")
    passed, output = deployment.run("make doctor ARGS='-e minikube_cpus=1 -e deployment_frontend_port=80'")
    assert not passed
    end = " ".join(output.split())
    assert "minikube_cpus=1 is too little" in end
    assert "deployment_frontend_port=80 is not a port" in end


def test_a_model_explains_it_and_hears_nothing_that_is_secret(deployment: Deployment) -> None:
    """Without a key there is a sentence; what would be sent is shown, then sent to the server that was deployed, and kept."""
    explain = "make diagnose ARGS='-e explain=true'"
    show = "make diagnose ARGS='-e explain=show'"
    deployment.host.check_output(f"systemd-run --quiet --collect --unit=provider python3 {CHECKOUT}/molecule/diagnose/provider.py 8090 {ASKED}")
    until(lambda: deployment.host.run("timeout 2 bash -c '</dev/tcp/127.0.0.1/8090'").rc == 0, SHOWN_SECONDS)
    deployment.passes("make up ARGS='--tags app_release -e app_release_model_url=http://127.0.0.1:8090/v1'")
    deployment.passes(f"{KUBECTL} set env deployment/backend TODO_LOG_LEVEL={CANARY}")
    try:
        until(lambda: deployment.run(f"{REASONS} CrashLoopBackOff")[0], SHOWN_SECONDS)
        without = deployment.passes(explain)
        deployment.passes(f"printf %s {MODEL_KEY} | make vault DO=edit ARGS='-e secret=model_api_key'")
        shown = deployment.passes(show)
        assert not deployment.host.file(ASKED).exists
        page = deployment.passes(explain)
        deployment.host.check_output("systemctl stop provider")
        away = deployment.passes(explain)
    finally:
        deployment.passes(f"{undo('backend')} && echo | make vault DO=edit ARGS='-e secret=model_api_key' && make up ARGS='--tags app_release'")
    assert all("crash " in one and MEND in one for one in (without, page, away))
    assert "the vault has no key for one" in without
    assert "The provider at 127.0.0.1 cannot be asked" in away
    assert ADVICE in page
    assert "  | Undo the rollout. Then look again." in page
    head, _, body = deployment.host.file(ASKED).content_string.partition("\n\n")
    assert f"Bearer {MODEL_KEY}" in head
    assert "exit code" in body  # whether the pod waits for its next start just then or not
    assert body in shown
    kept = "/home/tester/.local/state/todochat/todo/sent-to-model.json"
    assert kept in page
    assert deployment.host.file(kept).mode == 0o600
    hidden = ("canary-Of-This-Test-4711", MODEL_KEY, "tester", deployment.host.check_output("hostname"))
    assert [one for one in hidden if one in body] == []
    deployment.settle()


def is_there(deployment: Deployment) -> str:
    """What a program that changes something would change."""
    kinds = "deployments,services,configmaps,secrets,networkpolicies,resourcequotas"
    objects = f"{KUBECTL} get {kinds} --output=jsonpath='{{range .items[*]}}{{.kind}} {{.metadata.name}} {{.metadata.generation}} {{.data}}{{\"\\n\"}}{{end}}'"
    pods = f"{KUBECTL} get pods --output=jsonpath='{{.items[*].metadata.uid}}'"
    return deployment.passes(f"{objects}; {pods}; docker ps --all --no-trunc --format '{{{{.ID}}}} {{{{.State}}}}'; helm --namespace todo list --output json")


def test_other_programs_look_by_a_real_client_and_change_nothing(deployment: Deployment) -> None:
    deployment.passes("rm -rf .venv/mcp")  # systems of one Debian share the Python environment
    assert "changed=1" in deployment.passes("make mcp")
    again = deployment.passes("make mcp")
    assert "changed=0" in again
    configuration = next(line for line in again.splitlines() if line.startswith('{"mcpServers"'))
    services = ("backend", "frontend", "database", "registry", "cluster")
    calls = [["diagnosis", {}], ["status", {}], *(["logs", {"service": name, "lines": 20}] for name in services), ["logs", {"service": "-f"}], ["up", {}]]
    before = is_there(deployment)
    said = deployment.tester.sees(
        f"cd todochat && .venv/mcp/bin/python molecule/shared/operations_client.py {quote(configuration)} {quote(json.dumps(calls))} 2> /dev/null"
    )
    found = json.loads(said)
    assert [tool["name"] for tool in found["tools"]] == ["diagnosis", "status", "logs"]
    *looks, option, unknown = found["answers"]
    assert [look for look in looks if look["error"]] == []
    assert is_sound(looks[0]["text"])
    assert "Application" in looks[1]["text"]
    assert all(look["text"].strip() for look in looks)
    assert option["error"]
    assert unknown["error"]
    password = (
        deployment.passes(f"{KUBECTL} get secret backend-secrets --output=jsonpath='{{.data.database_url}}' | base64 --decode").split(":")[2].split("@")[0]
    )
    hidden = (password, "tester", deployment.host.check_output("hostname"), "192.168.85.251")
    assert [one for one in hidden if one in said] == []
    assert is_there(deployment) == before


@pytest.mark.parametrize("what", FAULTS)
def test_a_fault_is_named_in_time_with_what_mends_it(deployment: Deployment, what: str) -> None:
    fault = FAULTS[what]
    if fault.names == ("port",):
        deployment.host.check_output("systemd-run --quiet --collect --unit=other python3 -m http.server --bind 127.0.0.1 30000")
        until(lambda: deployment.host.run("timeout 2 bash -c '</dev/tcp/127.0.0.1/30000'").rc == 0, SHOWN_SECONDS)
    deployment.passes(fault.inject)
    page = ""
    try:
        until(lambda: deployment.run(fault.shown)[0], SHOWN_SECONDS)
        names, page, took = diagnosed(deployment)
    finally:
        mend(deployment, fault, page)
    with (OUTPUT / f"{SYSTEM}-named.log").open("a", encoding="utf-8") as log:
        log.write(f"{took:.1f} s: {what}: {', '.join(names)}\n")
    assert sorted(names) == sorted(fault.names), page
    said = re.sub(r"/opt/todochat/bin/kubectl --kubeconfig \S+", "kubectl", " ".join(page.split()))
    assert [words for words in fault.says if words not in said] == [], page
    assert took <= SECONDS, page
    if fault.instead != LATER:
        deployment.settle()
        until(lambda: is_sound(diagnosed(deployment)[1]), SOUND_SECONDS)


def test_all_is_sound_again(deployment: Deployment) -> None:
    until(lambda: is_sound(diagnosed(deployment)[1]), SOUND_SECONDS)
    assert "changed=0" in deployment.up("")
