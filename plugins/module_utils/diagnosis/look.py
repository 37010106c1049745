"""Looks at a deployment, in whatever state it is, within a few seconds: everything is asked at once, and nothing is changed."""

from __future__ import annotations

import base64
import binascii
import json
import os
import re
import shutil
import time
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml

from ansible_collections.todochat.platform.plugins.module_utils.base.commands import run
from ansible_collections.todochat.platform.plugins.module_utils.base.errors import UserError
from ansible_collections.todochat.platform.plugins.module_utils.base.web import ask, of
from ansible_collections.todochat.platform.plugins.module_utils.cluster.profile import Minikube
from ansible_collections.todochat.platform.plugins.module_utils.cluster.system_pods import SYSTEM
from ansible_collections.todochat.platform.plugins.module_utils.diagnosis.rules import MODEL_KEY, NodeSaid, Seen, running, seconds
from ansible_collections.todochat.platform.plugins.module_utils.machine import docker_engine
from ansible_collections.todochat.platform.plugins.module_utils.release.watch import Rollout, not_there_yet

ANSWER_SECONDS = 8
"""What does not answer by then does not answer."""
WEB_SECONDS = 4
LOG_LINES = 15
MOST_LOGS = 6
KINDS = (
    *("deployments", "replicasets", "pods", "events", "services", "endpointslices", "configmaps", "networkpolicies", "resourcequotas"),
    *("horizontalpodautoscalers", "nodes"),
)
# No value of a Secret is read.
SECRETS = '{{range .items}}{{.metadata.name}}{{range $key, $value := .data}} {{$key}}{{end}}{{"\\n"}}{{end}}'
SERVICES = ("containerd", "kubelet")
# Certificates without their keys; what kubelet makes and renews for itself is not here.
NODE = f"""df -k --output=avail /var | tail -n 1
systemctl is-active {" ".join(SERVICES)}
cd /var/lib/minikube/certs && for file in *.crt etcd/*.crt; do echo "certificate $file"; cat "$file"; done
"""
REACH = 'exec 3<>"/dev/tcp/$0/$1"'
LISTENS = "0A"  # the state of a socket in /proc/net/tcp


@dataclass(frozen=True)
class Looker:
    """Where the parts of a deployment are."""

    url: str
    minikube: Minikube
    helm: str
    kubectl: str
    kubeconfig: str
    namespace: str
    registry: str
    """Where it answers, host:port."""
    registry_container: str
    database_container: str
    """Empty where the database is an external one."""
    releases: tuple[str, ...]
    paths: tuple[str, ...]
    """Whose file systems need room."""
    of_others: bool = False
    """Whether others run the cluster: then it alone is asked, and of it what is in the namespace."""

    def look(self) -> Seen:
        now = time.time()
        seen = Seen(
            now,
            deployment=self.namespace,
            registry=self.registry_container,
            database=self.database_container,
            other_nodes=() if self.of_others else tuple(self.minikube.nodes()[1:]),
            releases=self.releases,
            url=self.url,
            of_others=self.of_others,
            is_ours=self.of_others or self.minikube.is_ours(),
            is_finished=self.of_others or self.minikube.is_finished(),
            certificates=self._own_certificates(),
        )
        with ThreadPoolExecutor(max_workers=12) as pool:
            silent = pool.submit(problem_of, f"{self.url}/health/ready")
            if self.of_others:
                return replace(self._of_cluster(seen, pool), silent=silent.result())
            registry = pool.submit(problem_of, f"http://{self.registry}/v2/")
            containers, problem = self._containers()
            seen = replace(seen, containers=containers, docker=problem)
            info = None if problem else pool.submit(docker_engine.ask, "/info")
            seen = self._of_cluster(seen, pool) if running(seen) else replace(seen, listener=process_at(seen.port))
            told = info.result() if info else None
            told = told if isinstance(told, dict) else {}
            shift = seconds(told.get("SystemTime")) - time.time() if told.get("SystemTime") else None
            return replace(
                seen,
                docker_now=None if shift is None else now + shift,
                silent=silent.result(),
                registry_problem=registry.result(),
                free=free((str(told.get("DockerRootDir") or "/"), *self.paths)),
            )

    def _of_cluster(self, seen: Seen, pool: ThreadPoolExecutor) -> Seen:
        """With what the node and Kubernetes say, and then what the containers say that are not well."""
        objects = pool.submit(self._get, ",".join(KINDS))
        system = None if self.of_others else pool.submit(self._get, "deployments,pods", f"--namespace={SYSTEM}")
        secrets = pool.submit(self._ask, self.kubectl, "get", "secrets", f"--output=go-template={SECRETS}", f"--request-timeout={ANSWER_SECONDS}s")
        helm = pool.submit(self._ask, self.helm, "list", "--all", "--output=json")
        node = None if self.of_others else pool.submit(self._node)
        try:
            items, of_system = objects.result(), system.result() if system else []
            keys = {words[0]: words[1:] for words in map(str.split, secrets.result().splitlines()) if words}
            installed = json.loads(helm.result() or "[]")
        except (UserError, ValueError) as error:
            return replace(seen, node=node.result() if node else NodeSaid(), cluster_problem=error.why if isinstance(error, UserError) else str(error))
        seen = replace(seen, items=items, system=of_system, secrets=keys, helm=installed, node=node.result() if node else NodeSaid())
        asked = MODEL_KEY in {key for every in keys.values() for key in every}
        notice = pool.submit(self._notice) if asked else None
        unreached = pool.submit(self._unreached, seen) if asked and not self.of_others else None
        return replace(
            seen,
            lines=self._lines(seen, pool),
            notice=notice.result() if notice else "",
            provider_problem=unreached.result() if unreached else "",
        )

    def _containers(self) -> tuple[dict[str, Any], str]:
        """Ours, as far as there are any, and why Docker does not answer."""
        names = [name for name in (self.namespace, *self.minikube.nodes()[1:], self.registry_container, self.database_container) if name]
        try:
            asked = docker_engine.docker("container", "inspect", *names, seconds=ANSWER_SECONDS)
        except UserError as error:
            return {}, error.why
        if asked.returncode and not re.search("No such container", asked.stderr, re.IGNORECASE):
            return {}, asked.stderr.strip().splitlines()[-1] if asked.stderr.strip() else "Docker does not answer"
        return {entry["Name"].lstrip("/"): entry for entry in json.loads(asked.stdout or "[]")}, ""

    def _ask(self, *command: str, partly: bool = False) -> str:
        """What helm or kubectl prints; ``partly`` where not all may be seen. Raises UserError where it does not answer in time, or fails."""
        variables = {"KUBECONFIG": self.kubeconfig, "KUBERC": "off"}
        done = run(command[0], f"--namespace={self.namespace}", *command[1:], seconds=ANSWER_SECONDS + 1, variables=variables)
        if done.returncode and not (partly and done.stdout.strip()):
            raise UserError((done.stderr.strip().splitlines() or ["it said nothing"])[-1], "Run `make status`.")
        return done.stdout

    def _get(self, kinds: str, *options: str) -> list[dict[str, Any]]:
        said = self._ask(self.kubectl, "get", kinds, *options, "--output=json", f"--request-timeout={ANSWER_SECONDS}s", partly=self.of_others)
        listed: list[dict[str, Any]] = json.loads(said)["items"]
        return listed

    def _node(self) -> NodeSaid:
        try:
            return node_said(docker_engine.docker("exec", self.namespace, "sh", "-c", NODE, seconds=ANSWER_SECONDS).stdout)
        except UserError:
            return NodeSaid()

    def _lines(self, seen: Seen, pool: ThreadPoolExecutor) -> dict[str, list[str]]:
        """The last lines of the containers that are not there yet, of the run before too."""
        pods = [pod for name in self.releases for pod in Rollout(name, seen.items).pods]
        wanted = [(pod["metadata"]["name"], container) for pod in pods if (container := not_there_yet(pod)) and ran(container)][:MOST_LOGS]
        asked = {f"{pod}/{container['name']}": pool.submit(self._log, pod, container) for pod, container in wanted}
        return {where: one.result() for where, one in asked.items()}

    def _log(self, pod: str, container: Mapping[str, Any]) -> list[str]:
        is_again = "running" in container.get("state", {}) and container.get("restartCount", 0) > 0
        lines: list[str] = []
        for which in (("--previous",), ()) if is_again else ((),):
            options = (f"--container={container['name']}", f"--tail={LOG_LINES}", f"--request-timeout={ANSWER_SECONDS}s")
            try:
                lines += self._ask(self.kubectl, "logs", pod, *options, *which).splitlines()
            except UserError:
                continue  # it has gone meanwhile, or has not said anything yet
        return lines

    def _notice(self) -> str:
        """Why the model does not answer, by one of the backend's pods; a version before this one does not know."""
        path = f"/api/v1/namespaces/{self.namespace}/services/backend:http/proxy/health/assistant"
        try:
            return str(json.loads(self._ask(self.kubectl, "get", f"--raw={path}", f"--request-timeout={WEB_SECONDS}s")).get("notice") or "")
        except (UserError, ValueError, AttributeError):
            return ""

    def _unreached(self, seen: Seen) -> str:
        """Why the provider's address cannot be reached from the node, whose network pods go out by."""
        address = urlsplit(seen.settings.get("TODO_MODEL_URL", ""))
        if not address.hostname:
            return ""
        port = str(address.port or (443 if address.scheme == "https" else 80))
        command = ("exec", self.namespace, "timeout", str(WEB_SECONDS), "bash", "-c", REACH, address.hostname, port)
        try:
            done = docker_engine.docker(*command, seconds=ANSWER_SECONDS)
        except UserError:
            return ""
        if done.returncode == 0:
            return ""
        why = done.stderr.strip().splitlines()[-1].rpartition(": ")[2] if done.stderr.strip() else f"no answer within {WEB_SECONDS} s"
        return f"The language model's provider at {address.hostname}:{port} cannot be reached from the node: {why}"

    def _own_certificates(self) -> dict[str, tuple[float, float]]:
        """That by which this machine asks the cluster."""
        try:
            users = yaml.safe_load(Path(self.kubeconfig).read_text(encoding="utf-8"))["users"]
            found = [base64.b64decode(user["user"]["client-certificate-data"]).decode() for user in users]
        except (OSError, yaml.YAMLError, KeyError, TypeError, ValueError):
            return {}
        return {f"The certificate in {self.kubeconfig}": dates for text in found if (dates := validity(text))}


def ran(container: Mapping[str, Any]) -> bool:
    """Whether a container has lines to read."""
    return bool({"running", "terminated"} & set(container.get("state", {})) or container.get("lastState", {}).get("terminated"))


def problem_of(url: str) -> str:
    """Why an address of this machine's does not answer as it should."""
    try:
        status, _unused = ask(of(urlsplit(url).hostname or ""), url, WEB_SECONDS)
    except OSError as error:
        return str(getattr(error, "reason", error))
    return "" if status == 200 else f"it answers {status}"


def node_said(text: str) -> NodeSaid:
    """What NODE printed in the node."""
    head, *files = re.split(r"^certificate ", text, flags=re.MULTILINE)
    lines = head.splitlines()
    kilobytes = lines[0].strip() if lines else ""
    found = {name: dates for name, _unused, content in (file.partition("\n") for file in files) if (dates := validity(content))}
    return NodeSaid(
        free=int(kilobytes) if kilobytes.isdigit() else NodeSaid.free,
        services=dict(zip(SERVICES, (line.strip() for line in lines[1:]), strict=False)),
        certificates={f"The cluster's certificate {name}": dates for name, dates in found.items()},
    )


def validity(pem: str) -> tuple[float, float] | None:
    """From when until when a certificate holds: the first two times that stand in it, by X.509's order of fields."""
    block = re.search(r"-----BEGIN CERTIFICATE-----(.+?)-----END CERTIFICATE-----", pem, re.DOTALL)
    try:
        der = base64.b64decode(block[1]) if block else b""
    except (binascii.Error, ValueError):
        return None
    # UTCTime, whose years are those until 2049, or GeneralizedTime
    times = [short or whole for short, whole in re.findall(rb"\x17\x0d(\d{12})Z|\x18\x0f(\d{14})Z", der)][:2]
    if len(times) < 2:
        return None
    begin, end = (datetime.strptime((b"20" + at if len(at) == 12 else at).decode(), "%Y%m%d%H%M%S").replace(tzinfo=UTC).timestamp() for at in times)
    return begin, end


def free(paths: Iterable[str]) -> dict[str, int]:
    """Bytes free on the file systems of paths, each once, whether they exist or not."""
    found: dict[int, tuple[str, int]] = {}
    for path in paths:
        there = next(parent for parent in (Path(path), *Path(path).parents) if parent.exists())
        found.setdefault(there.stat().st_dev, (path, shutil.disk_usage(there).free))
    return dict(found.values())


def process_at(port: int) -> str:
    """The process that listens at a port of this machine, "" where none does."""
    inodes = set()
    for table in (Path("/proc/net/tcp"), Path("/proc/net/tcp6")):
        for line in table.read_text(encoding="utf-8").splitlines()[1:] if table.is_file() else []:
            fields = line.split()
            if fields[3] == LISTENS and int(fields[1].rpartition(":")[2], 16) == port:
                inodes.add(f"socket:[{fields[9]}]")
    for process in Path("/proc").glob("[0-9]*") if inodes else ():
        try:
            if any(os.readlink(file) in inodes for file in (process / "fd").iterdir()):
                return f"the process {(process / 'comm').read_text(encoding='utf-8').strip()} ({process.name})"
        except OSError:
            continue  # it has ended meanwhile
    return "a process that this machine does not show" if inodes else ""
