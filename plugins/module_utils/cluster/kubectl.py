"""Helm and kubectl against one namespace of a cluster."""

from __future__ import annotations

import json
import shlex
import subprocess
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from ansible_collections.todochat.platform.plugins.module_utils.base.commands import ANSWER_SECONDS, MissingProgramError, run
from ansible_collections.todochat.platform.plugins.module_utils.base.errors import UserError
from ansible_collections.todochat.platform.plugins.module_utils.cluster.system_pods import SYSTEM, wait_for_pods


class ClusterError(UserError):
    """The cluster cannot be asked, or has refused."""


OF_OTHERS = {"name": "todochat", "extension": {"of_others": True}}
"""Stands among the extensions of a kubeconfig that role existing_cluster has kept."""
ASKS = {("kubectl", verb) for verb in ("get", "version", "logs")} | {("helm", verb) for verb in ("list", "history", "get", "template")}
CHANGE_SECONDS = 600
"""A namespace goes when all in it is gone."""


@dataclass(frozen=True)
class Cluster:
    """Runs helm and kubectl against one namespace."""

    helm: str
    kubectl: str
    kubeconfig: str
    namespace: str

    @cached_property
    def of_others(self) -> bool:
        """Whether others run the cluster: then proxies may lead there, and its own pods are theirs."""
        try:
            return OF_OTHERS in json.loads(Path(self.kubeconfig).read_text(encoding="utf-8")).get("extensions", [])
        except (OSError, ValueError, AttributeError):
            return False

    @property
    def remedy(self) -> str:
        """What to do where it does not answer."""
        if self.of_others:
            return "See that this machine reaches it and still may (`make up ARGS='--tags existing_cluster'` asks), then run the same command again."
        return "See that the cluster runs (`make up ARGS='--tags minikube'` starts it), then run the same command again."

    def run(self, *command: str, stdin: str = "", check: bool = True) -> subprocess.CompletedProcess[str]:
        """Runs ``helm`` or ``kubectl`` (the first word). Raises ClusterError with what it said."""
        executable = {"helm": self.helm, "kubectl": self.kubectl}[command[0]]
        try:
            done = run(
                *(executable, "--namespace", self.namespace, *command[1:]),
                stdin=stdin,
                seconds=ANSWER_SECONDS if command[:2] in ASKS else CHANGE_SECONDS,
                variables={"KUBECONFIG": self.kubeconfig, "KUBERC": "off"},
                outside=self.of_others,
            )
        except MissingProgramError:
            raise ClusterError(
                f"There is no {executable}.", "Run `make up ARGS='--tags kubernetes_tools'` first."
            ) from None
        if check and done.returncode:
            # Helm says of each chart that is a link where it leads.
            told = "\n".join(line for line in done.stderr.splitlines() if not line.startswith("walk.go:"))
            said = told.strip() or done.stdout.strip()
            raise ClusterError(
                f"`{' '.join(command[:3])}` failed: {(said.splitlines() or ['it said nothing'])[-1]}",
                self.remedy,
                said if "\n" in said else "",
            )
        return done

    def json(self, *arguments: str) -> Any:
        """What ``kubectl get`` knows, as JSON."""
        return json.loads(self.run("kubectl", "get", "--output=json", *arguments).stdout)

    def look(self, namespace: str) -> str:
        """The command by which people see why pods do not run, in backticks."""
        return f"`{shlex.quote(self.kubectl)} --kubeconfig {shlex.quote(self.kubeconfig)} --namespace {namespace} describe pods`"

    def answers(self) -> bool:
        """Whether there is a cluster to ask. On an untouched machine there is none."""
        if not Path(self.kubeconfig).is_file() or not Path(self.kubectl).is_file():
            return False
        return self.run("kubectl", "version", "--request-timeout=10s", check=False).returncode == 0

    def wait_for_its_own(self) -> None:
        """Waits for what every application needs, DNS above all: a cluster that was just made is still bringing it up.

        One that others run is theirs to bring up.
        """
        if not self.of_others:
            wait_for_pods(lambda: self.json("pods", f"--namespace={SYSTEM}")["items"], self.look(SYSTEM))

    @cached_property
    def version(self) -> str:
        """The cluster's Kubernetes version, such as v1.35.1, which charts may be rendered for."""
        answer = self.run("kubectl", "version", "--output=json", "--request-timeout=10s").stdout
        return str(json.loads(answer)["serverVersion"]["gitVersion"])
