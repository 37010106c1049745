#!/usr/bin/env python3
"""Loads the application that `make up` has deployed on this machine, and shows what its pods answer, take and need.

    python3 bootstrap -- python bench/service.py [--minutes N] [--provider ADDRESS:PORT]

Each pod by itself is sent one kind of request after the other, for 5 s each, by 8 connections, each of which sends the
next request when it has its answer. Beside a figure is its quotient by that of GET /health/live, which does nothing but
answer, on the same pod. With --minutes all pods are then used together, at an even rate, for the slope of their memory.
With --provider this script is the language model at that address, which the deployment has to be set to
(app_release_model_url: http://ADDRESS:PORT/v1, app_release_model_name: slow, and a made-up key in the vault), and measures
what the backend adds to its answers, and 20 streams at once.

The way to a pod is `kubectl port-forward` on 127.0.0.1; it and this script take part of the same processors. The accounts
are this script's own and are deleted, also after a failure or Ctrl-C. Memory is the working set of the pod's cgroup.

The exit status says whether all was answered as it should be; how the figures compare is for people to judge.
"""

from __future__ import annotations

import argparse
import json
import math
import re
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from http.client import HTTPConnection, HTTPException
from itertools import count
from pathlib import Path
from statistics import linear_regression, mean
from threading import Event, Thread
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / ".ansible/collections"), str(ROOT / "molecule/shared")]

import slow_provider  # noqa: E402

from ansible_collections.todochat.platform.plugins.module_utils.acceptance import ACCOUNT  # noqa: E402
from ansible_collections.todochat.platform.plugins.module_utils.base.commands import start  # noqa: E402
from ansible_collections.todochat.platform.plugins.module_utils.base.errors import UserError  # noqa: E402
from ansible_collections.todochat.platform.plugins.module_utils.cluster.kubectl import Cluster  # noqa: E402
from ansible_collections.todochat.platform.plugins.module_utils.machine.docker_engine import docker  # noqa: E402
from ansible_collections.todochat.platform.plugins.module_utils.release.running_images import startup_seconds  # noqa: E402
from bench import streams  # noqa: E402
from bench.deployment import PROGRAMS, machine, terminated  # noqa: E402
from bench.roles import STATE  # noqa: E402

NAME = "todo"
# Where each release's API begins.
API = {"backend": "/api/v1", "frontend": "/api"}
CONNECTIONS = 8
TODOS = 50
SECONDS_OF_EACH = 5.0
MOST_OF_EACH = 2000  # requests of one connection
MOST_MINUTES = 120
ANSWER_SECONDS = 30
# With a language model: answers in turn; streams at once, of one that pauses before each word; and how long an absent one rests.
FIRSTS, STREAMS, PAUSE, SECONDS_OF_STREAMS, REST_SECONDS = 100, 20, 0.4, 30.0, 60
SAMPLE_SECONDS = 10.0  # as often as the kubelet reads it
# Neighbouring samples say nearly the same, so the slope is that of so many means; its interval is by Student's t of two fewer.
MEANS, STUDENT_T = 15, 2.160

Sample = tuple[float, dict[str, float]]


class AnswerError(Exception):
    """A request that was not answered as it should be."""


class Client:
    """Somebody with an account of their own, who uses one pod by one connection."""

    def __init__(self, release: str, port: int) -> None:
        self.connection = HTTPConnection("127.0.0.1", port, timeout=ANSWER_SECONDS)
        self._release = release
        self.headers = {"Content-Type": "application/json", "Origin": f"http://127.0.0.1:{port}"}
        self._account = {"email": ACCOUNT.format(secrets.token_hex(8)), "password": secrets.token_urlsafe(16)}
        self._numbers = count(1)
        self._todo = ""
        self._added: list[str] = []
        self._conversation: str | None = None

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        """The JSON of the answer; who is signed in by it is from then on. Raises AnswerError."""
        try:
            self.connection.request(method, path, None if body is None else json.dumps(body).encode(), self.headers)
            response = self.connection.getresponse()
            content = response.read()
        except (OSError, HTTPException) as error:
            self.connection.close()
            raise AnswerError(f"{method} {path} of {self._release} gets no answer: {error!r}") from error
        if not 200 <= response.status < 300:
            raise AnswerError(f"{method} {path} of {self._release} answers {response.status}: {content[:300].decode(errors='replace')}")
        answer = json.loads(content) if content else None
        if cookies := response.headers.get_all("Set-Cookie"):
            self.headers["Cookie"] = "; ".join(cookie.partition(";")[0] for cookie in cookies)
        if isinstance(answer, dict) and "access_token" in answer:
            self.headers["Authorization"] = f"Bearer {answer['access_token']}"
        return answer

    def api(self, method: str, path: str, body: Any = None) -> Any:
        return self.ask(method, API[self._release] + path, body)

    def begin(self) -> None:
        self.api("POST", "/auth/signup", self._account)
        for _ in range(TODOS):
            self.add()
        self._todo = self._added[0]
        self._added.clear()

    def end(self) -> None:
        if self.headers.keys() & {"Authorization", "Cookie"}:
            method, path = ("POST", "/auth/me/delete") if self._release == "backend" else ("DELETE", "/account")
            self.api(method, path, {"password": self._account["password"]})

    def live(self) -> None:
        self.ask("GET", "/health/live")

    def list_todos(self) -> None:
        if len(listed := self.api("GET", "/todos")) != TODOS:
            raise AnswerError(f"GET /todos lists {len(listed)} todos and not {TODOS}")

    def add(self) -> None:
        self._added.append(self.api("POST", "/todos", {"title": f"errand {next(self._numbers)}"})["id"])

    def change(self) -> None:
        self.api("PATCH", f"/todos/{self._todo}", {"title": f"errand {next(self._numbers)}"})

    def chat(self) -> None:
        answer = self.api("POST", "/chat", {"message": f"add errand {next(self._numbers)}", "conversation_id": self._conversation})
        if not answer["actions"]:
            raise AnswerError(f"POST /chat adds nothing: {answer['reply']}")
        self._conversation = answer["conversation_id"]
        self._added.append(answer["actions"][0]["todo"]["id"])

    def log_in(self) -> None:
        self.api("POST", "/auth/login", self._account)

    def tidy(self) -> None:
        """The list is as long as at the beginning."""
        while self._added:
            self.api("DELETE", f"/todos/{self._added.pop()}")


Act = Callable[[Client], None]
LIVE = "GET /health/live"
ACTS: dict[str, Act] = {
    LIVE: Client.live,
    f"list {TODOS} todos": Client.list_todos,
    "add a todo": Client.add,
    "change a todo": Client.change,
    "chat message": Client.chat,
    "log in": Client.log_in,
}


@dataclass
class Measured:
    """Seconds of each right answer, what was wrong with the others, and seconds of all together."""

    took: list[float] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    seconds: float = 0.0

    def figures(self) -> list[float]:
        """Requests/s, and milliseconds at the median and the 95th percentile."""
        return [len(self.took) / self.seconds, *(percentile(self.took, share) * 1000 for share in (0.5, 0.95))]


@dataclass(frozen=True)
class Pod:
    """What there is to know of a pod before it is used."""

    name: str
    release: str
    node: str
    image: str
    port: int
    limit: str
    startup: int


def main() -> None:
    parser = argparse.ArgumentParser(description="Load the application that is deployed on this machine, and measure its pods.")
    parser.add_argument("--minutes", type=int, default=0, help="for how long all pods are used together, for the slope of their memory")
    parser.add_argument("--provider", default="", help="the address and port at which the deployment expects its language model")
    given = parser.parse_args()
    minutes, provider = given.minutes, given.provider
    if not 0 <= minutes <= MOST_MINUTES:
        parser.error(f"--minutes is from 0 to {MOST_MINUTES}, not {minutes}")
    if provider and not re.fullmatch(r"[^:]+:[0-9]+", provider):
        parser.error(f"--provider is ADDRESS:PORT, such as 192.168.85.1:8080, not {provider}")
    signal.signal(signal.SIGTERM, terminated)
    print(machine(), flush=True)
    place = STATE / "todochat" / NAME / "kubeconfig"
    cluster = Cluster(str(PROGRAMS / "helm"), str(PROGRAMS / "kubectl"), str(place), NAME)
    end_with("bench/service.py", lambda: run(cluster, minutes, provider))


def end_with(program: str, measured: Callable[[], list[str]]) -> None:
    """Ends the program with what is wrong: what ``measured`` returns, or what broke it off."""
    try:
        wrong = measured()
    except (UserError, AnswerError) as error:
        sys.exit(f"{program}: {error}")
    except KeyboardInterrupt:
        sys.exit(128 + signal.SIGINT)
    if wrong:
        sys.exit(f"{program}: {len(wrong)} requests were not answered as they should be, such as: {wrong[0]}")


def run(cluster: Cluster, minutes: int, provider: str) -> list[str]:
    """Measures and prints everything; returns what was wrong."""
    pods = pods_of(cluster.json("pods")["items"])
    sizes = [[image.partition("@")[0], image_size(image), "< 300"] for image in sorted({pod.image for pod in pods})]
    at_rest = memory(cluster, pods)
    wrong = []
    with ExitStack() as stack:
        ways = [(pod.release, stack.enter_context(forwarded(cluster, pod))) for pod in pods]
        samples = stack.enter_context(sampled(lambda: memory(cluster, pods)))
        for pod, way in zip(pods, ways, strict=True):
            with accounts([way] * CONNECTIONS) as clients:
                found = {title: measure(clients, act) for title, act in ACTS.items()}
            print(f"\n{table(load_rows(pod.name, found))}", flush=True)
            wrong += [said for measured in found.values() for said in measured.wrong]
        if provider:
            wrong += with_a_model(provider, [(pod, way) for pod, way in zip(pods, ways, strict=True) if pod.release == "backend"], cluster)
        before = len(samples)
        if minutes:
            with accounts([ways[number % len(ways)] for number in range(CONNECTIONS)]) as clients:
                even = use(clients, [*ACTS.values(), Client.tidy], minutes * 60, times=minutes * 60, every=1)
            print(f"\nAll together, {minutes} minutes: {len(even.took) / even.seconds:.1f} of these a second, {len(even.wrong)} wrong", flush=True)
            wrong += even.wrong
    print(f"\n{table(memory_rows(pods, at_rest, samples, before))}\n\n{table([['image', 'MB', 'goal'], *sizes])}")
    return wrong


def with_a_model(address: str, backends: Sequence[tuple[Pod, tuple[str, int]]], cluster: Cluster) -> list[str]:
    """Measures and prints the answers of a language model, which this script is; returns what was wrong. Raises UserError, AnswerError."""
    host, _, port = address.partition(":")
    wrong = []
    rows = [["", "first words, p50, ms", "p95", "added, p95", "goal", "answers/s", f"MiB before {STREAMS} streams", "with them"]]
    with ExitStack() as stack:
        try:
            model = stack.enter_context(slow_provider.provider(host, int(port), 0))
        except OSError as error:
            raise UserError(f"Nothing can be served at {address}: {error}", "Name an address of this machine, and a port that is free there.") from None
        own = streams.of_the_provider(address, FIRSTS)
        rows.append(["the provider itself", *(f"{percentile(own.first, share) * 1000:.1f}" for share in (0.5, 0.95)), "", "", "", "", ""])
        for pod, way in backends:
            with accounts([way]) as [client]:
                until_it_serves(client, host)
                alone = streams.of_the_backend([client], FIRSTS, math.inf)
            with accounts([way] * CONNECTIONS) as clients:
                many = streams.of_the_backend(clients, MOST_OF_EACH, SECONDS_OF_EACH)
            with accounts([way] * STREAMS) as clients:
                before = memory(cluster, [pod])[pod.name]
                model.pause = PAUSE
                with sampled(partial(memory, cluster, [pod])) as samples:
                    open_ones = streams.of_the_backend(clients, MOST_OF_EACH, SECONDS_OF_STREAMS)
                model.pause = 0
            most = max((read[pod.name] for _, read in samples), default=math.nan)
            first = [percentile(alone.first, share) * 1000 for share in (0.5, 0.95)]
            added = first[1] - percentile(own.first, 0.95) * 1000
            figures = [*(f"{one:.1f}" for one in first), f"{added:.1f}", "<= 30", f"{len(many.whole) / many.seconds:.1f}"]
            rows.append([pod.name, *figures, f"{before:.1f}", f"{most:.1f} of {pod.limit}"])
            wrong += [*alone.wrong, *many.wrong, *open_ones.wrong]
    print(f"\n{table(rows)}", flush=True)
    return [*own.wrong, *wrong]


def until_it_serves(client: Client, host: str) -> None:
    """Waits until this pod asks the provider, which it had found absent. Raises UserError."""
    ends = time.monotonic() + REST_SECONDS
    while (serving := client.api("GET", "/chat/assistant")).get("provider") != host:
        if time.monotonic() > ends:
            told = serving.get("notice") or f"{serving['assistant']} at {serving.get('provider') or 'no provider'}"
            raise UserError(f"The backend does not ask a model at {host}: {told}.", "Set app_release_model_url to it, and run `make up`.")
        time.sleep(1)


def pods_of(objects: Sequence[dict[str, Any]]) -> list[Pod]:
    """The pods that serve. Raises UserError where a release has none."""
    found = []
    for pod in objects:
        metadata, conditions = pod["metadata"], pod["status"].get("conditions", [])
        release = metadata.get("labels", {}).get("app.kubernetes.io/instance")
        ready = {one["type"]: one["status"] for one in conditions}.get("Ready") == "True"
        if release in API and ready and "deletionTimestamp" not in metadata:
            (one,) = pod["spec"]["containers"]
            (port,) = (port["containerPort"] for port in one["ports"] if port["name"] == "http")
            limit, started = one["resources"]["limits"]["memory"], startup_seconds([pod], [release])[release]
            found.append(Pod(metadata["name"], release, pod["spec"]["nodeName"], one["image"], port, limit, started))
    if missing := API.keys() - {pod.release for pod in found}:
        raise UserError(f"No pod of {' and '.join(sorted(missing))} serves.", "Run `make status`, which says what comes first.")
    return sorted(found, key=lambda pod: pod.name)


def image_size(image: str) -> str:
    """Megabytes, unpacked. Raises UserError."""
    found = docker("image", "inspect", "--format={{.Size}}", image)
    if found.returncode:
        raise UserError(f"Docker does not tell the size of {image}: {found.stderr}", "Run `make up`, as a user who may use Docker.")
    return f"{int(found.stdout) / 1e6:.0f}"


def memory(cluster: Cluster, pods: Sequence[Pod]) -> dict[str, float]:
    """MiB of each pod, as the kubelet has it from the pod's cgroup. Raises UserError."""
    nodes = {pod.node for pod in pods}
    told = [json.loads(cluster.run("kubectl", "get", "--raw", f"/api/v1/nodes/{node}/proxy/stats/summary").stdout) for node in nodes]
    ours = [pod for summary in told for pod in summary["pods"] if pod["podRef"]["namespace"] == cluster.namespace]
    return {pod["podRef"]["name"]: pod["memory"]["workingSetBytes"] / 2**20 for pod in ours if "workingSetBytes" in pod.get("memory", {})}


@contextmanager
def sampled(read: Callable[[], dict[str, float]]) -> Iterator[list[Sample]]:
    """What is read again and again meanwhile, with the time in hours. One that fails is said, and left out."""
    samples: list[Sample] = []
    over = Event()

    def sample() -> None:
        while not over.wait(SAMPLE_SECONDS):
            try:
                samples.append((time.monotonic() / 3600, read()))
            except UserError as error:
                print(f"Memory was not read: {error}", file=sys.stderr, flush=True)

    thread = Thread(target=sample)
    thread.start()
    try:
        yield samples
    finally:
        over.set()
        thread.join()


@contextmanager
def forwarded(cluster: Cluster, pod: Pod) -> Iterator[int]:
    """A port of 127.0.0.1 that leads to the pod."""
    command = [cluster.kubectl, f"--namespace={cluster.namespace}", "port-forward", "--address=127.0.0.1", f"pod/{pod.name}", f":{pod.port}"]
    # in a session of its own, as after Ctrl-C the accounts are still to be deleted
    with start(command, {"KUBECONFIG": cluster.kubeconfig, "KUBERC": "off"}, stdout=subprocess.PIPE) as process:
        try:
            assert process.stdout is not None
            said = process.stdout.readline().decode()
            if not said.startswith("Forwarding from 127.0.0.1:"):
                raise UserError(f"kubectl does not lead to {pod.name}: {said}", "Run `make status`, which says what comes first.")
            Thread(target=process.stdout.read, daemon=True).start()  # it tells each connection, and would wait for a reader
            yield int(said.split()[2].rpartition(":")[2])
        finally:
            process.terminate()


@contextmanager
def accounts(ways: Sequence[tuple[Any, Any]], kind: Callable[[Any, Any], Client] = Client) -> Iterator[list[Client]]:
    """A client for each way, signed up. Their accounts are deleted at the end. Raises AnswerError."""

    def all_do(act: Act) -> None:
        if wrong := use(clients, [act], math.inf, times=1).wrong:
            raise AnswerError(wrong[0])

    clients = [kind(*way) for way in ways]
    try:
        all_do(Client.begin)
        yield clients
    finally:
        all_do(Client.end)


def measure(clients: Sequence[Client], act: Act) -> Measured:
    """One kind of request, as fast as it is answered."""
    found = use(clients, [act], SECONDS_OF_EACH, MOST_OF_EACH)
    found.wrong += use(clients, [Client.tidy], math.inf, times=1).wrong
    return found


def use(
    clients: Sequence[Client], acts: Sequence[Act], seconds: float, times: int, every: float = 0, think: Callable[[], float] = lambda: 0
) -> Measured:
    """All clients at once do all of that in turn, so many times at most, no more often than every so many seconds, each after ``think`` of them."""
    found, over, begin = Measured(), Event(), time.monotonic()

    def work(client: Client) -> None:
        client.connection.close()  # an idle one may be closed by the other side at any time
        for number in range(times):
            if over.wait(max(begin + number * every - time.monotonic(), think())) or time.monotonic() - begin >= seconds:
                return
            for act in acts:
                sent = time.monotonic()
                try:
                    act(client)
                    found.took.append(time.monotonic() - sent)
                except AnswerError as error:
                    found.wrong.append(str(error))

    with ThreadPoolExecutor(len(clients)) as pool:
        try:
            list(pool.map(work, clients))
        finally:
            over.set()
    found.seconds = time.monotonic() - begin
    return found


def percentile(values: Sequence[float], share: float) -> float:
    """The least of the values that so large a share of them does not exceed."""
    return sorted(values)[math.ceil(share * len(values)) - 1] if values else math.nan


def slope(points: Sequence[tuple[float, float]]) -> tuple[float, float] | None:
    """By how much the values grow in a unit of time, by least squares, and half of its 95 % interval; None for too few points."""
    if len(points) < MEANS:
        return None
    parts = [points[number * len(points) // MEANS : (number + 1) * len(points) // MEANS] for number in range(MEANS)]
    times, values = [mean(at for at, _ in part) for part in parts], [mean(value for _, value in part) for part in parts]
    grows, first = linear_regression(times, values)
    left = sum((value - first - grows * at) ** 2 for at, value in zip(times, values, strict=True))
    return grows, STUDENT_T * math.sqrt(left / (MEANS - 2) / sum((at - mean(times)) ** 2 for at in times))


def load_rows(name: str, found: dict[str, Measured]) -> list[list[str]]:
    """A pod's figures, each with its quotient by the baseline's."""
    rows = [[name, "requests/s", "", "p50, ms", "", "p95, ms", "", "wrong"]]
    for title, measured in found.items():
        both = zip(measured.figures(), found[LIVE].figures(), strict=True)
        pairs = [[f"{ours:.1f}", f"{ours / plain:.3g}" if plain else ""] for ours, plain in both]
        rows.append([title, *(cell for pair in pairs for cell in pair), str(len(measured.wrong))])
    return rows


def memory_rows(pods: Sequence[Pod], at_rest: dict[str, float], samples: Sequence[Sample], before: int) -> list[list[str]]:
    """What each pod takes, and how long it took from its start until it was ready. The slope is of the samples after so many ``before``."""
    rows = [["pod", "at rest, MiB", "most", "limit", "MiB/h", "start-up, s", "goal"]]
    for pod in pods:
        most = max((read[pod.name] for _, read in samples if pod.name in read), default=math.nan)
        grows = slope([(at, read[pod.name]) for at, read in samples[before:] if pod.name in read])
        shown = "" if grows is None else "{:+.1f} ± {:.1f}".format(*grows) + ("" if abs(grows[0]) > grows[1] else ", not significant")
        rows.append([pod.name, f"{at_rest.get(pod.name, math.nan):.1f}", f"{most:.1f}", pod.limit, shown, str(pod.startup), "< 30"])
    return rows


def table(rows: Sequence[Sequence[str]]) -> str:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join("  ".join((cell.rjust if at else cell.ljust)(widths[at]) for at, cell in enumerate(row)) for row in rows)


if __name__ == "__main__":
    main()
