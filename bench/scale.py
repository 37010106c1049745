#!/usr/bin/env python3
"""Holds a small model of how the backend scales against what pods of it answer that may use 200m of a processor, and asks it for more users.

    python3 bootstrap -- python bench/scale.py

On the deployment that `make up` has made on this machine, for about ten minutes. Meanwhile there are 1, 2 and then 3 pods of the backend,
and each may use 200m, so that this limit binds and not the machine. Who uses the application waits longer for that. How many pods there were,
the numbers between which an autoscaler chooses, and the limit are put back at the end, also after a failure or Ctrl-C, and said before and
after. Use it on no deployment that others rely on.

The load is 12 users with accounts of their own, which are deleted at the end. Each thinks for a while, of random length, asks, and has the
answer before the next thought: three of four ask for a list of 50 todos, the fourth changes a todo. They come by `kubectl port-forward` on
127.0.0.1, and each request goes to a pod chosen at random. What an answer costs a pod is measured first, by users who do not think; what the pod
uses of the processors meanwhile, as the kubelet has it, shows whether the limit binds.

The exit status says whether all was answered as it should be; how the figures compare is for people to judge.
"""

from __future__ import annotations

import argparse
import heapq
import json
import math
import signal
import sys
import time
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime
from http.client import HTTPConnection
from pathlib import Path
from random import Random
from statistics import mean
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / ".ansible/collections")]

from ansible_collections.todochat.platform.plugins.module_utils.base.errors import UserError  # noqa: E402
from ansible_collections.todochat.platform.plugins.module_utils.cluster.kubectl import Cluster  # noqa: E402
from bench import service  # noqa: E402
from bench.deployment import PROGRAMS, machine, terminated  # noqa: E402
from bench.roles import STATE  # noqa: E402
from bench.service import AnswerError, Client, Measured  # noqa: E402

RELEASE = "backend"
# Of each pod, in processors and as Kubernetes spells it; of that Linux gives a tenth in each tenth of a second.
LIMIT, CPU, PERIOD_SECONDS = 0.2, "200m", 0.1
PODS = (1, 2, 3)
USERS = 12
BINDS = 0.9  # of the limit, which a busy pod uses where nothing else holds it up
# How often an answer's time of a pod goes into a thought: one pod is busy all the time then, and three are not.
THOUGHTS = 4
CHANGES = 0.25
WARM_SECONDS, SECONDS, MOST = 5.0, 60.0, 10_000  # before it counts; while it does; requests of one user
SIMULATED_SECONDS = 600.0
SEED = 1
ROLLOUT_SECONDS = 300
# Who are asked about: so many at work at once, with a request each so many seconds, whose answers take so long on average at most.
SIZES, EVERY_SECONDS, BELOW_SECONDS = (10, 1_000, 100_000), 30.0, 0.2


class Predicted(NamedTuple):
    """Answers a second of all pods, and the mean seconds of one."""

    rate: float
    response: float


def predicted(users: int, think: float, demand: float, pods: int) -> Predicted:
    """A closed network of queues: ``users`` think for so many seconds, then wait for one of the pods, each as likely as the others.

    A pod is a server that is shared by who is there, and an answer takes ``demand`` seconds of it. One queue for all pods would be better
    than what there is: nobody hands a request on from a busy pod to an idle one.
    By exact mean value analysis: who comes to a pod finds there what it would hold on average without them (Reiser and Lavenberg, 1980). The
    lengths of thoughts and answers count by their means alone.
    """
    rate, response, present = 0.0, demand, 0.0
    for number in range(1, users + 1):
        response = demand * (1 + present / pods)
        rate = number / (think + response)
        present = rate * response
    return Predicted(rate, response)


def pods_for(users: int, think: float, demand: float, below: float) -> int:
    """The least number of pods that answer in so many seconds on average. Raises UserError where no number does."""
    if demand >= below:
        raise UserError(f"One answer alone takes {demand:.3f} s of a pod, so no number of pods answers in {below} s.", "Give each pod more, or allow for more.")

    def are_enough(pods: int) -> bool:
        return predicted(users, think, demand, pods).response <= below

    most = 1
    while not are_enough(most):
        most *= 2
    return bisect_left(range(most + 1), True, lo=1, key=are_enough)


def simulated(users: int, think: float, work: float, pods: int, limit: float, seconds: float, chance: Random) -> Predicted:
    """The same users and pods, with the limit as Linux holds it: event by event, for so many seconds.

    ``work`` is what an answer takes of a processor. A pod has a whole one, until it has used its limit's share of this tenth of a second; then it
    stands still until the next. So a pod with little to do answers faster than one that is as slow all the time.
    """
    now, refill, none, took = 0.0, 0.0, work * 1e-9, []
    thinking = [think * chance.expovariate(1) for _ in range(users)]
    heapq.heapify(thinking)
    at_work: list[list[list[float]]] = [[] for _ in range(pods)]  # of each pod, who waits there: the work that is left, and since when
    allowed = [0.0] * pods
    while now < seconds:
        running = [pod for pod in range(pods) if at_work[pod] and allowed[pod] > 0]
        ends = [min(allowed[pod], len(at_work[pod]) * min(at_work[pod])[0]) for pod in running]
        step = min(refill - now, thinking[0] - now if thinking else math.inf, *ends)
        for pod in running:
            allowed[pod] -= step
            for waits in at_work[pod]:
                waits[0] -= step / len(at_work[pod])
        now += step
        for pod in running:
            for left, since in at_work[pod]:
                if left <= none:
                    took.append(now - since)
                    heapq.heappush(thinking, now + think * chance.expovariate(1))
            at_work[pod] = [waits for waits in at_work[pod] if waits[0] > none]
        if now >= refill:
            allowed, refill = [limit * PERIOD_SECONDS] * pods, refill + PERIOD_SECONDS
        while thinking and thinking[0] <= now:
            heapq.heappop(thinking)
            at_work[chance.randrange(pods)].append([work, now])
    return Predicted(len(took) / now, mean(took))


class User(Client):
    """Somebody each of whose requests goes to any of several pods."""

    def __init__(self, ports: Sequence[int], chance: Random) -> None:
        super().__init__(RELEASE, ports[0])
        self._chance = chance
        self._ways = [HTTPConnection("127.0.0.1", port, timeout=service.ANSWER_SECONDS) for port in ports]

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        self.connection = self._chance.choice(self._ways)
        return super().ask(method, path, body)


@dataclass(frozen=True)
class Size:
    """What is changed of the backend for a while: its pods, the least and the most of them of an autoscaler, and the processors that each may use."""

    replicas: int
    autoscaler: str
    least: int
    most: int
    cpu: str | None

    @classmethod
    def of(cls, cluster: Cluster) -> Size:
        """As it is. Raises UserError."""
        spec = cluster.json("deployment", RELEASE)["spec"]
        [cpu] = [one["resources"].get("limits", {}).get("cpu") for one in spec["template"]["spec"]["containers"] if one["name"] == RELEASE]
        for found in cluster.json("horizontalpodautoscalers")["items"]:
            if found["spec"]["scaleTargetRef"]["name"] == RELEASE:
                return cls(spec["replicas"], found["metadata"]["name"], found["spec"].get("minReplicas", 1), found["spec"]["maxReplicas"], cpu)
        return cls(spec["replicas"], "", 0, 0, cpu)

    def fixed(self, pods: int) -> Size:
        """So many pods, each of which may use 200m."""
        return Size(pods, self.autoscaler, pods, pods, CPU)

    def take_place(self, cluster: Cluster) -> None:
        """It is so, and what was there before is gone. Raises UserError."""
        if self.autoscaler:
            self._patch(cluster, f"horizontalpodautoscaler/{self.autoscaler}", {"minReplicas": self.least, "maxReplicas": self.most}, "merge")
        container = {"name": RELEASE, "resources": {"limits": {"cpu": self.cpu}}}
        self._patch(cluster, f"deployment/{RELEASE}", {"replicas": self.replicas, "template": {"spec": {"containers": [container]}}}, "strategic")
        cluster.run("kubectl", "rollout", "status", f"deployment/{RELEASE}", f"--timeout={ROLLOUT_SECONDS}s")

    @staticmethod
    def _patch(cluster: Cluster, what: str, spec: dict[str, Any], kind: str) -> None:
        cluster.run("kubectl", "patch", what, f"--type={kind}", f"--patch={json.dumps({'spec': spec})}")

    def __str__(self) -> str:
        pods = f"{self.replicas} pods" + (f", of which an autoscaler makes {self.least} to {self.most}" if self.autoscaler else "")
        return f"{pods}, with limits.cpu {self.cpu}"


@contextmanager
def put_back(cluster: Cluster) -> Iterator[Size]:
    """What of the backend is changed meanwhile is as before at the end. Raises UserError."""
    before = Size.of(cluster)
    print(f"The backend has {before}. That is changed now, and put back at the end.", flush=True)
    try:
        yield before
    finally:
        print(f"\nPutting back: {before}.", flush=True)
        before.take_place(cluster)
        print("It is as it was; an autoscaler chooses again.", flush=True)


@contextmanager
def asking(cluster: Cluster, pods: int, chance: Random) -> Iterator[list[Client]]:
    """Those who ask the pods, of which there are so many. Raises UserError, AnswerError."""
    found = [pod for pod in service.pods_of(cluster.json("pods")["items"]) if pod.release == RELEASE]
    if len(found) != pods:
        raise UserError(f"The backend has {len(found)} pods that serve, and not {pods}.", "Let nobody else scale it meanwhile, and run this again.")
    with ExitStack() as stack:
        ports = [stack.enter_context(service.forwarded(cluster, pod)) for pod in found]
        yield stack.enter_context(service.accounts([(ports, chance)] * USERS, User))


def load(clients: Sequence[Client], think: float, chance: Random, warm: float = WARM_SECONDS, seconds: float = SECONDS) -> Measured:
    """What is answered in so many ``seconds``, after ``warm`` ones, while each thinks before each request for ``think`` on average. Raises AnswerError."""
    answers: list[tuple[float, float]] = []

    def ask(client: Client) -> None:
        sent = time.monotonic()
        (Client.change if chance.random() < CHANGES else Client.list_todos)(client)
        answers.append((time.monotonic(), time.monotonic() - sent))

    begins = time.monotonic() + warm
    found = service.use(clients, [ask], warm + seconds, MOST, think=lambda: think * chance.expovariate(1))
    ends = min(begins + seconds, max((at for at, _ in answers), default=0))
    if not (took := [took for at, took in answers if begins <= at <= ends]):
        raise AnswerError(next(iter(found.wrong), f"Nothing was answered within {seconds:.0f} s"))
    return Measured(took, found.wrong, ends - begins)


def main() -> None:
    argparse.ArgumentParser(description="Hold a model of how the backend scales against what 1, 2 and 3 small pods of it answer.").parse_args()
    signal.signal(signal.SIGTERM, terminated)
    print(machine(), flush=True)
    place = STATE / "todochat" / service.NAME / "kubeconfig"
    cluster = Cluster(str(PROGRAMS / "helm"), str(PROGRAMS / "kubectl"), str(place), service.NAME)
    service.end_with("bench/scale.py", lambda: run(cluster))


def run(cluster: Cluster) -> list[str]:
    """Measures and prints everything; returns what was wrong. Raises UserError, AnswerError."""
    chance, found, wrong, demand = Random(SEED), {}, [], 0.0
    with put_back(cluster) as before:
        for pods in PODS:
            before.fixed(pods).take_place(cluster)
            with asking(cluster, pods, chance) as clients:
                if not demand:
                    with service.sampled(lambda: used(cluster)) as samples:
                        busy = load(clients, 0, chance)
                    demand = demand_of(busy)
                    wrong += busy.wrong
                    print(f"\n{said(demand, processors(samples))}", flush=True)
                found[pods] = load(clients, THOUGHTS * demand, chance)
                wrong += found[pods].wrong
            print(f"{pods} of {PODS[-1]} pods: {found[pods].figures()[0]:.1f} answers/s", flush=True)
        print(f"\n{service.table(compared(demand, found))}\n\n{service.table(asked(demand))}", flush=True)
    return wrong


def demand_of(busy: Measured) -> float:
    """Seconds of one pod that an answer takes, where users who do not think always had a request there."""
    return busy.seconds / len(busy.took)


def used(cluster: Cluster) -> dict[str, float]:
    """The seconds of processors that the backend's only pod has used, and the time ``at`` which the kubelet saw that, once it has. Raises UserError."""
    pod = next(pod for pod in service.pods_of(cluster.json("pods")["items"]) if pod.release == RELEASE)
    told = json.loads(cluster.run("kubectl", "get", "--raw", f"/api/v1/nodes/{pod.node}/proxy/stats/summary").stdout)
    for one in told["pods"]:
        cpu = one.get("cpu", {})
        if (one["podRef"]["namespace"], one["podRef"]["name"]) == (cluster.namespace, pod.name) and "usageCoreNanoSeconds" in cpu:
            return {"at": datetime.fromisoformat(cpu["time"]).timestamp(), "used": cpu["usageCoreNanoSeconds"] / 1e9}
    return {}


def processors(samples: Sequence[service.Sample]) -> float:
    """How many were used on average, but for the first sample, which may be from before; NaN where that is not known."""
    seen = [sample for _, sample in samples[1:] if sample]
    return (seen[-1]["used"] - seen[0]["used"]) / (seen[-1]["at"] - seen[0]["at"]) if seen and seen[0]["at"] < seen[-1]["at"] else math.nan


def said(demand: float, busy: float) -> str:
    """What an answer costs, and whether that is the limit's doing: where it does not bind, ``busy`` is fewer processors than it allows for."""
    work = demand * LIMIT * 1000
    binds = "" if busy >= BINDS * LIMIT else " **The limit does not bind**, or that is not known: what follows may be about this machine and its other work."
    return (
        f"An answer takes {demand * 1000:.1f} ms of a pod, which are {work:.1f} ms of a processor. "
        f"Of {LIMIT} processors the pod used {busy:.3f} meanwhile.{binds}\n"
        f"{USERS} users think for {THOUGHTS * demand * 1000:.0f} ms on average; seed {SEED}."
    )


def compared(demand: float, found: dict[int, Measured]) -> list[list[str]]:
    """What was measured, beside what both models say: answers/s, with the quotients by them, and milliseconds."""
    rows = [["pods", "answers/s", "by queues", "quotient", "simulated", "quotient", "mean, ms", "by queues", "simulated", "p50, ms", "p95, ms"]]
    for pods, measured in found.items():
        rate, p50, p95 = measured.figures()
        queues = predicted(USERS, THOUGHTS * demand, demand, pods)
        simulation = simulated(USERS, THOUGHTS * demand, demand * LIMIT, pods, LIMIT, SIMULATED_SECONDS, Random(SEED))
        rates = [f"{rate:.1f}", *(cell for one in (queues, simulation) for cell in (f"{one.rate:.1f}", f"{rate / one.rate:.2f}"))]
        means = [f"{seconds * 1000:.0f}" for seconds in (mean(measured.took), queues.response, simulation.response)]
        rows.append([str(pods), *rates, *means, f"{p50:.0f}", f"{p95:.0f}"])
    return rows


def asked(demand: float) -> list[list[str]]:
    """How many pods of this size it takes for more users, by the queues."""
    rows = [["users", "requests/s", f"pods of {CPU}", "processors", "mean, ms"]]
    for size in SIZES:
        pods = pods_for(size, EVERY_SECONDS, demand, BELOW_SECONDS)
        rate, response = predicted(size, EVERY_SECONDS, demand, pods)
        rows.append([f"{size:,}", f"{rate:,.1f}", f"{pods:,}", f"{pods * LIMIT:,.1f}", f"{response * 1000:.0f}"])
    return rows


if __name__ == "__main__":
    main()
