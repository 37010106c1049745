"""The desired state of a minikube profile, compared with what is there."""

from __future__ import annotations

import json
import re
import subprocess
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from itertools import takewhile
from pathlib import Path
from typing import Any

from ansible_collections.todochat.platform.plugins.module_utils.base.commands import Account, MissingProgramError, follow, run
from ansible_collections.todochat.platform.plugins.module_utils.base.errors import UserError
from ansible_collections.todochat.platform.plugins.module_utils.base.progress import waiting_for
from ansible_collections.todochat.platform.plugins.module_utils.cluster.autostart import come_back, let_come_back, let_stay_down, present
from ansible_collections.todochat.platform.plugins.module_utils.cluster.system_pods import wait_for_pods
from ansible_collections.todochat.platform.plugins.module_utils.machine.docker_engine import VARIABLES, docker

LAST_LINES = 30
POLL_SECONDS = 1
# It gives an API server that does not answer 15 s, and a slow machine its time.
STATUS_SECONDS = 180
REMAKE = "Ask for what is there, or run with -e minikube_on_drift=recreate to make it anew (the database lies outside and is kept)."


class MinikubeError(UserError):
    """The cluster cannot be made as asked."""


@dataclass(frozen=True)
class Cluster:
    """What decides whether an existing cluster is the one asked for. ``memory`` is in MiB."""

    driver: str
    container_runtime: str
    kubernetes_version: str
    cpus: int
    memory: int
    nodes: int
    network: str
    ports: tuple[str, ...]

    @classmethod
    def from_profile(cls, profile: Mapping[str, Any]) -> Cluster:
        """Reads the config.json that minikube v1.38 keeps for a profile."""
        kubernetes = profile["KubernetesConfig"]
        return cls(
            driver=profile["Driver"],
            container_runtime=kubernetes["ContainerRuntime"],
            kubernetes_version=kubernetes["KubernetesVersion"],
            cpus=int(profile["CPUs"]),
            memory=int(profile["Memory"]),
            nodes=len(profile["Nodes"]),
            network=profile.get("Network") or "",
            ports=tuple(sorted(profile.get("ExposedPorts") or ())),
        )

    def drift(self, actual: Cluster) -> dict[str, tuple[Any, Any]]:
        """The parameters that differ, each with its actual and its wanted value."""
        wanted, found = asdict(self), asdict(actual)
        return {key: (found[key], wanted[key]) for key in wanted if found[key] != wanted[key]}


@dataclass(frozen=True)
class Status:
    """How a profile is: ``absent``, ``foreign`` (its container is somebody else's), ``unfinished`` (no whole cluster), ``stopped``, ``running``."""

    state: str
    actual: Cluster | None = None
    address: str = ""
    """The API server's."""
    up: bool = False
    """Whether a node is up, perhaps without Kubernetes."""
    comes_back: bool = False
    """Whether a running cluster starts by itself with Docker."""
    away: tuple[str, ...] = ()
    """The nodes that do not run, while the first one does."""
    version: str = ""
    """Its Kubernetes, where others run it."""


def control_plane(profile: Mapping[str, Any]) -> str:
    """The address of the node with the API server."""
    return str(next(node["IP"] for node in profile["Nodes"] if node["ControlPlane"]))


def not_locked(asked: str, locked: str) -> MinikubeError | None:
    """What stands in the way of making a cluster of this Kubernetes version, where the lock file's is another one."""
    if asked == locked:
        return None
    return MinikubeError(
        f"minikube_kubernetes_version={asked} cannot be made: the lock file holds the programs and images of Kubernetes {locked} alone.",
        f"Ask for {locked}, or put {asked} into artifacts.lock.yml.",
    )


def differs(name: str, wanted: Cluster, actual: Cluster, locked: str) -> MinikubeError | None:
    """What is said of a cluster that differs and may not be made anew unasked; ``locked`` is the lock file's Kubernetes version."""
    drift = wanted.drift(actual)
    if not drift:
        return None
    differences = "; ".join(f"{key} is {shown(found)}, asked {shown(asked)}" for key, (found, asked) in drift.items())
    cannot_be_made = not_locked(wanted.kubernetes_version, locked)
    remedy = f"Ask for what is there; {cannot_be_made.why}" if cannot_be_made else REMAKE
    return MinikubeError(f"The cluster {name!r} differs from what is asked: {differences}. Nothing was changed.", remedy)


def shown(value: int | str | tuple[str, ...]) -> str:
    """A parameter's value in a sentence."""
    return (", ".join(value) or "none") if isinstance(value, tuple) else str(value)


def message(line: str) -> str:
    """What a line of minikube's says: with --output=json each is a CloudEvent, or what came to the error stream."""
    try:
        data = json.loads(line)["data"]
        step = f"step {data['currentstep']} of {data['totalsteps']}, " if "totalsteps" in data else ""
        return step + " ".join(str(data[key]).strip() for key in ("message", "advice") if data.get(key))
    except (ValueError, KeyError, TypeError):
        return line


def verdict(lines: Iterable[str]) -> str:
    """Why minikube gave up, in its words: the message of the CloudEvent that carries its exit code."""
    return next((message(line) for line in lines if '"exitcode":' in line), "")


def nodes_of(answer: Any) -> list[dict[str, Any]]:
    """The nodes in an answer of minikube's, which is one node where there is one."""
    return answer if isinstance(answer, list) else [answer] if answer else []


def is_slow(answer: Any) -> bool:
    """Whether a node is up and its kubelet runs, but the API server has not answered minikube, which gives it 15 s: one that starts, or is busy."""
    started = {"Host": "Running", "Kubelet": "Running", "Kubeconfig": "Configured", "APIServer": "Stopped"}
    return any(started.items() <= node.items() for node in nodes_of(answer))


def is_well(node: Mapping[str, Any]) -> bool:
    """Whether all of a node runs, by minikube's answer."""
    return (
        node.get("Host") == node.get("Kubelet") == "Running"
        and node.get("APIServer") in ("Running", "Irrelevant")
        # a start that was broken off may not have come to it, and a stop takes it away
        and node.get("Kubeconfig") in ("Configured", "Irrelevant")
    )


class Minikube:
    """Runs minikube for one profile as an ordinary user.

    ``home`` is a MINIKUBE_HOME of our own: neither the user's other profiles nor their file-sync folder are touched.
    """

    def __init__(self, executable: Path, profile: str, home: Path, user: str) -> None:
        self.executable = executable
        self.profile = profile
        self.home = home
        self.user = user
        self.kubeconfig = home / "kubeconfig"
        self.network = home / "kube-router.yml"
        """The manifest of the pods' network, for several nodes; role minikube puts it there."""
        self._config = home / "profiles" / profile / "config.json"
        self._finished = self._config.with_name("finished")

    def is_ours(self) -> bool:
        """Whether this deployment has begun the profile. Otherwise a container of its name is somebody else's."""
        return self._config.is_file()

    def is_finished(self) -> bool:
        """Whether the cluster was made to its end."""
        return self.is_ours() and self._finished.exists()

    def nodes(self) -> list[str]:
        """The names of the nodes' containers, as the profile's record has them, the first one first; none where nothing was begun."""
        if not self.is_ours():
            return []
        try:
            others = [str(node["Name"]) for node in json.loads(self._config.read_text(encoding="utf-8"))["Nodes"][1:]]
        except (ValueError, KeyError, TypeError):  # as a start leaves it that was broken off
            others = []
        return [self.profile, *(f"{self.profile}-{name}" for name in others)]

    def taken(self, count: int) -> str:
        """A container that is not ours and has the name of one of so many nodes, which minikube would remove; empty where there is none."""
        names = [f"{self.profile}-m{number:02}" for number in range(2, count + 1)]
        return next((name for name in names if name not in self.nodes() and self._exists(name)), "")

    def recorded(self) -> tuple[Cluster, str]:
        """The finished cluster, and its API server's address, by the profile's own record. Raises MinikubeError where it cannot be read."""
        try:
            profile = json.loads(self._config.read_text(encoding="utf-8"))
            return Cluster.from_profile(profile), control_plane(profile)
        except (ValueError, KeyError, TypeError, StopIteration) as error:
            raise MinikubeError(
                f"The minikube profile record {self._config} cannot be read: {error!r}",
                "Remove the cluster with `make down`, then `make up` makes it anew; the database lies outside.",
            ) from error

    def status(self, patience: int = 0) -> Status:
        """How the cluster is. For so many seconds an API server that does not answer yet is asked again, where all but that runs.

        Raises MinikubeError where the profile's own record cannot be read.
        """
        if not self.is_ours():
            return Status("foreign" if self._exists(self.profile) else "absent")
        if not self.is_finished():
            return Status("unfinished")
        actual, address = self.recorded()
        end = time.monotonic() + patience
        while is_slow(answer := self._answer()) and time.monotonic() < end:
            waiting_for("waiting for the API server to answer")
            time.sleep(POLL_SECONDS)
        if not answer:  # it says null both where Docker does not answer and where a node was removed, with which all is made anew
            there = present(self.nodes())
            return Status("stopped", actual, address) if there is None or len(there) == actual.nodes else Status("unfinished")
        states = nodes_of(answer)
        if not all(map(is_well, states)):
            away = tuple(str(node.get("Name")) for node in states if not is_well(node)) if is_well(states[0]) else ()
            return Status("stopped", actual, address, up=any(node.get("Host") in ("Running", "Paused") for node in states), away=away)
        return Status("running", actual, address, up=True, comes_back=come_back(self.nodes(), address, self._registries()))

    def _answer(self) -> Any:
        """What minikube says of the nodes, None where that is nothing."""
        try:
            return json.loads(self._run("status", "--output=json", check=False).stdout)
        except ValueError:
            return None

    def version(self) -> str:
        """Minikube's own; empty where it is not installed, or never ran here."""
        there = self.executable.exists() and self.home.exists()
        return self._run("version", "--short", check=False).stdout.strip() if there else ""

    def start(self, wanted: Cluster, base_image: str) -> None:
        """Creates the cluster, or starts the existing one. What it needs is in minikube's cache already.

        The pods of a new one are not waited for: whoever needs them does (M(helm_releases), M(app_check)). An existing
        one's are, because a restarted API server first repeats what it knew: pods that are ready, at addresses that are gone.
        """
        existed = self.is_finished()
        self.home.mkdir(parents=True, exist_ok=True)
        self._do(
            "start",
            "--output=json",
            f"--driver={wanted.driver}",
            f"--container-runtime={wanted.container_runtime}",
            f"--kubernetes-version={wanted.kubernetes_version}",
            f"--cpus={wanted.cpus}",
            f"--memory={wanted.memory}",
            "--nodes=1",  # of a new one; the others are added
            f"--network={wanted.network}",
            f"--ports={','.join(wanted.ports)}",
            f"--base-image={base_image}",
            # the bridge would give each node the same addresses for its pods
            *(["--cni=bridge"] if wanted.nodes == 1 else [f"--cni={self.network}", "--wait=apiserver,system_pods,node_ready"]),
            # The API server asks metrics-server at its pod's address. A service's address leads out of the machine until kube-proxy
            # knows it, where anybody may answer, and the API server would keep that connection.
            "--extra-config=apiserver.enable-aggregator-routing=true",
            # nothing is downloaded: images and programs come from the cache
            "--preload=false",
            "--install-addons=false",
            "--embed-certs",
            "--interactive=false",
        )
        if not existed and wanted.nodes > 1:
            self._add_nodes(wanted)
        if existed:
            look = f"`docker exec {self.profile} journalctl --unit=kubelet`"
            wait_for_pods(self._pods, look, self._node_starts())
        self._finished.touch()
        self.let_come_back()

    def _add_nodes(self, wanted: Cluster) -> None:
        """Adds all nodes but the first, each of which is ready then.

        The first one alone publishes ports: minikube has every node publish those of the profile, which Docker takes once.
        """
        self._record_ports(())
        # what a start is told by its options
        variables = {"MINIKUBE_MEMORY": str(wanted.memory), "MINIKUBE_PRELOAD": "false"}
        for _ in range(1, wanted.nodes):
            self._do("node", "add", variables=variables)
        self._record_ports(wanted.ports)

    def _record_ports(self, ports: Sequence[str]) -> None:
        profile = json.loads(self._config.read_text(encoding="utf-8"))
        self._config.write_text(json.dumps({**profile, "ExposedPorts": [*ports]}, indent=4), encoding="utf-8")

    def let_come_back(self) -> None:
        """From now on the running cluster starts by itself with Docker."""
        let_come_back(self.nodes(), control_plane(json.loads(self._config.read_text(encoding="utf-8"))), self._registries())

    def _registries(self) -> list[str]:
        """The addresses that the nodes pull images from, by what role minikube has minikube copy into them."""
        files = sorted((self.home / "files/etc/containerd/certs.d").glob("*/hosts.toml"))
        found = (re.search(r'^server = "http://([\d.]+):\d+"', file.read_text(encoding="utf-8"), re.MULTILINE) for file in files)
        return [match[1] for match in found if match]

    def _pods(self) -> list[dict[str, Any]]:
        answer = self._run("kubectl", "--", "get", "pods", "--all-namespaces", "--output=json")
        pods: list[dict[str, Any]] = json.loads(answer.stdout)["items"]
        return pods

    def _node_starts(self) -> dict[str, datetime]:
        """When the container of each node was started."""
        lines = docker("inspect", "--format", "{{.Config.Hostname}} {{.State.StartedAt}}", *self.nodes()).stdout.splitlines()
        # whole seconds, as Kubernetes counts
        return {name: datetime.fromisoformat(at[:19] + "+00:00") for name, at in (line.split() for line in lines)}

    def stop(self) -> None:
        let_stay_down(self.nodes())
        self._do("stop")

    def delete(self) -> None:
        self._finished.unlink(missing_ok=True)  # first, so that a deletion that is broken off is taken up again
        let_stay_down(self.nodes())
        self._do("delete")

    def _exists(self, container: str) -> bool:
        try:
            return docker("container", "inspect", "--format", "{{.Id}}", container).returncode == 0
        except MissingProgramError:
            return False  # without Docker there is nothing of anybody's

    def _do(self, *arguments: str, variables: Mapping[str, str] | None = None) -> None:
        """Runs a minikube command that takes its time, and tells what it is doing."""

        def heard(line: str) -> None:
            if '"totalsteps"' in line:  # what it says in between would stand there until the next step, as if it were waited for
                waiting_for(f"minikube {command}: {message(line)}")

        command = " ".join(takewhile(lambda word: not word.startswith("-"), arguments))
        waiting_for(f"minikube {command}")
        status, lines = follow(self._command(*arguments), heard, **self._options(variables))
        if status:
            raise self._failed(command, status, [message(line) for line in lines], verdict(lines))

    def _run(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Runs a minikube command that answers a question."""
        done = run(*self._command(*arguments), seconds=STATUS_SECONDS, **self._options())
        if check and done.returncode:
            raise self._failed(arguments[0], done.returncode, (done.stdout + done.stderr).splitlines())
        return done

    def _failed(self, command: str, status: int, lines: list[str], why: str = "") -> MinikubeError:
        return MinikubeError(
            f"`minikube {command} --profile={self.profile}` failed with exit status {status}" + (f": {why}" if why else "."),
            "Mend what its last lines above name, then run the same command again, which takes up what is unfinished.",
            "\n".join(lines[-LAST_LINES:]),
        )

    def _command(self, *arguments: str) -> list[str]:
        if not self.executable.exists():
            raise MinikubeError(f"There is no {self.executable}.", "Run `make up ARGS='--tags kubernetes_tools'` first.")
        return [str(self.executable), arguments[0], f"--profile={self.profile}", *arguments[1:]]

    def _options(self, variables: Mapping[str, str] | None = None) -> dict[str, Any]:
        """How to run minikube as the user, in the groups that the user has now: docker may have been added a moment ago."""
        return {
            "account": Account.named(self.user),
            "folder": Path("/"),
            "variables": {
                "DOCKER_HOST": VARIABLES["DOCKER_HOST"],
                # The user's own may give every container proxies, a node too. None is there; root's folder is for root alone.
                "DOCKER_CONFIG": str(self.home / "docker"),
                "MINIKUBE_HOME": str(self.home),
                "KUBECONFIG": str(self.kubeconfig),
                "MINIKUBE_IN_STYLE": "false",
                "MINIKUBE_WANTUPDATENOTIFICATION": "false",
                "MINIKUBE_SUPPRESS_DOCKER_PERFORMANCE": "true",
                **(variables or {}),
            },
        }
