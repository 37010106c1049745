"""What the model of how the backend scales says where its answer is known, and what the program that measures beside it does to a deployment."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import partial
from math import factorial
from pathlib import Path
from random import Random
from typing import Any

import pytest
from loopback import Reply, Request, Server, served
from test_service import pod

from ansible_collections.todochat.platform.plugins.module_utils.base.errors import UserError
from ansible_collections.todochat.platform.plugins.module_utils.cluster.kubectl import Cluster
from bench import scale, service
from bench.scale import LIMIT, PODS, THOUGHTS, USERS, Size, User, pods_for, predicted, simulated

DEMAND = 0.03
THINK = THOUGHTS * DEMAND
# A cluster in files: its objects are told, and patched as Kubernetes does it; there are as many pods as the Deployment wants, each of which is one
# of the ports. Each call is noted. A patch with what is in the file `refuses` fails.
KUBECTL = """#!{python} -IS
import json, signal, sys
from pathlib import Path
folder = Path(__file__).parent
words = [word for word in sys.argv[1:] if word not in ("--namespace", "todo", "--namespace=todo")]
with (folder / "calls").open("a") as calls:
    calls.write(" ".join(words) + "\\n")
objects = json.loads((folder / "objects").read_text())
def merged(old, new):
    if isinstance(new, list):
        changed = {{one["name"]: one for one in new}}
        return [merged(one, changed.get(one["name"], {{}})) for one in old]
    if not isinstance(new, dict):
        return new
    found = {{**old, **{{key: merged(old.get(key, {{}}), value) for key, value in new.items()}}}}
    return {{key: value for key, value in found.items() if value is not None}}
if words[0] == "port-forward":
    ports = json.loads((folder / "ports").read_text())
    print(f"Forwarding from 127.0.0.1:{{ports[int(words[2].rpartition('-')[2]) % len(ports)]}} -> 8001", flush=True)
    signal.pause()
elif words[:2] == ["get", "--raw"]:
    cpu = {{"time": "2026-01-01T12:00:%02dZ" % (len((folder / "calls").read_text().splitlines()) % 60), "usageCoreNanoSeconds": 10**9}}
    ours, others = ({{"namespace": namespace, "name": "backend-0"}} for namespace in ("todo", "others"))
    print(json.dumps({{"pods": [{{"podRef": ours}}, {{"podRef": others, "cpu": {{**cpu, "usageCoreNanoSeconds": 1}}}}, {{"podRef": ours, "cpu": cpu}}]}}))
elif words[:3] == ["get", "--output=json", "pods"]:
    one, other = json.loads((folder / "pods").read_text())
    ours = [{{**one, "metadata": {{**one["metadata"], "name": f"backend-{{at}}"}}}} for at in range(objects["deployment/backend"]["spec"]["replicas"])]
    print(json.dumps({{"items": [*ours, other]}}))
elif words[0] == "get":
    print(json.dumps(objects["deployment/backend"] if words[2] == "deployment" else {{"items": [one for key, one in objects.items() if "scaler" in key]}}))
elif words[0] == "patch":
    patch = json.loads(words[3].removeprefix("--patch="))
    if (folder / "refuses").read_text() in words[3]:
        sys.exit("admission webhook denied the request")
    objects[words[1]] = merged(objects[words[1]], patch)
    (folder / "objects").write_text(json.dumps(objects))
else:
    assert words[:3] == ["rollout", "status", "deployment/backend"], words
"""


def test_one_user_waits_for_nobody() -> None:
    assert predicted(1, THINK, DEMAND, 3) == (pytest.approx(1 / (DEMAND + THINK)), DEMAND)


@pytest.mark.parametrize("pods", [1, 2, 3])
def test_many_users_get_what_the_pods_have(pods: int) -> None:
    assert predicted(1000, THINK, DEMAND, pods).rate == pytest.approx(pods / DEMAND, rel=0.01)
    # by the textbook for users who do not think: whichever pod is busy, each spread of the users over the pods is as likely as any other
    assert predicted(USERS, 0, DEMAND, pods).rate == pytest.approx(USERS / (USERS + pods - 1) * pods / DEMAND)


@pytest.mark.parametrize("users", [2, 5, USERS])
def test_one_pod_is_the_repairman_of_the_textbook(users: int) -> None:
    """A birth-death process: with n of the users at the pod, (users - n) / think more come a second, and 1 / demand are answered."""
    ways = [factorial(users) / factorial(users - present) * (DEMAND / THINK) ** present for present in range(users + 1)]
    assert predicted(users, THINK, DEMAND, 1).rate == pytest.approx((1 - ways[0] / sum(ways)) / DEMAND)


def test_more_pods_answer_more_and_more_users_wait_longer() -> None:
    by_pods = [predicted(USERS, THINK, DEMAND, pods) for pods in range(1, 20)]
    assert [one.rate for one in by_pods] == sorted(one.rate for one in by_pods)
    assert [one.response for one in by_pods] == sorted((one.response for one in by_pods), reverse=True)
    by_users = [predicted(users, THINK, DEMAND, 2).response for users in range(1, 50)]
    assert by_users == sorted(by_users)


def test_the_thoughts_are_such_that_one_pod_has_too_much_and_three_have_not() -> None:
    busy = {pods: predicted(USERS, THINK, DEMAND, pods).rate * DEMAND / pods for pods in PODS}
    assert busy[1] > 0.99
    assert busy[3] < 0.75
    assert predicted(USERS, THINK, DEMAND, 3).rate < 2.5 * predicted(USERS, THINK, DEMAND, 1).rate, "no plain multiple"


@pytest.mark.parametrize("pods", PODS)
def test_the_simulation_of_pods_without_a_limit_says_what_the_queues_say(pods: int) -> None:
    found = simulated(USERS, THINK, DEMAND, pods, 1, 600, Random(1))
    assert found == pytest.approx(predicted(USERS, THINK, DEMAND, pods), rel=0.03)


def test_the_simulated_limit_binds_who_has_much_to_do_and_nobody_else() -> None:
    work = DEMAND * LIMIT
    assert simulated(USERS, 0, work, 1, LIMIT, 600, Random(1)).rate == pytest.approx(LIMIT / work, rel=0.01)
    assert simulated(1, 10, work, 1, LIMIT, 6000, Random(1)).response == pytest.approx(work)
    # 50 ms of work, 20 in each 100: who comes in the first 80 waits 210 ms less what has passed, then 130 ms for 10, and 210 ms for 10
    assert simulated(1, 10, 0.05, 1, LIMIT, 6000, Random(1)).response == pytest.approx(0.8 * 0.17 + 0.1 * 0.13 + 0.1 * 0.21, rel=0.05)


@pytest.mark.parametrize("users", [1, 10, 1_000, 20_000])
def test_so_many_pods_are_enough_and_one_fewer_is_not(users: int) -> None:
    pods = pods_for(users, 30, DEMAND, 0.1)
    assert predicted(users, 30, DEMAND, pods).response <= 0.1
    assert pods == 1 or predicted(users, 30, DEMAND, pods - 1).response > 0.1


def test_what_no_number_of_pods_can_do_is_said() -> None:
    with pytest.raises(UserError, match=r"takes 0\.200 s of a pod, so no number of pods answers in 0\.2 s"):
        pods_for(10, 30, 0.2, 0.2)


def test_the_tables_hold_each_measured_figure_against_the_models() -> None:
    found = {1: service.Measured([0.1] * 100, [], 4), 3: service.Measured([0.01, 0.01, 0.04], [], 1)}
    head, one, three = scale.compared(DEMAND, found)
    queues = predicted(USERS, THINK, DEMAND, 1)
    assert one[:4] == ["1", "25.0", f"{queues.rate:.1f}", f"{25 / queues.rate:.2f}"]
    assert (head[6], three[6], three[9:]) == ("mean, ms", "20", ["10", "40"])
    assert [row[0] for row in scale.asked(DEMAND)] == ["users", "10", "1,000", "100,000"]
    assert scale.demand_of(found[1]) == 0.04


@pytest.mark.parametrize(("used", "binds"), [([3, 9, 15, 21], True), ([0, 9, 10, 11], False), ([9, 10], False), ([], False)])
def test_a_pod_that_something_else_holds_up_is_told_from_one_at_its_limit(used: list[float], binds: bool) -> None:
    samples = [(0.0, {"at": 30.0 * number, "used": seconds}) for number, seconds in enumerate(used)]
    assert ("does not bind" in scale.said(DEMAND, scale.processors(samples))) is not binds


@pytest.fixture
def pods() -> Iterator[list[Server]]:
    """Two, which say what the backend says to these users."""
    with served() as one, served() as other:
        one.answer = other.answer = answered
        yield [one, other]


def answered(request: Request) -> Reply:
    bodies: dict[str, Any] = {"signup": {"access_token": "a"}, "todos": {"id": 1}}
    if request.method == "GET":
        return Reply(200, json.dumps([{"id": 1}] * service.TODOS).encode())
    return Reply(200, json.dumps(bodies.get(request.path.rpartition("/")[2], {})).encode())


def test_each_users_requests_go_to_all_pods_after_a_thought_and_what_comes_before_does_not_count(pods: list[Server]) -> None:
    ways = [([pod.http.server_port for pod in pods], Random(number)) for number in range(4)]
    with service.accounts(ways, User) as clients:
        before = sum(len(pod.requests) for pod in pods)
        found = scale.load(clients, 0.02, Random(1), warm=0.5, seconds=1)
        asked = [[request for request in pod.requests if request.path.endswith("/todos") and request.method == "GET"] for pod in pods]
        sent = sum(len(pod.requests) for pod in pods) - before
    assert found.wrong == []
    assert found.seconds <= 1
    assert len(found.took) < sent, "the first half second does not count"
    assert sent <= 4 * 1.5 / 0.02 * 1.5, "each thinks"
    assert min(map(len, asked)) > 0.2 * sum(map(len, asked))
    assert [request.path for pod in pods for request in pod.requests].count("/api/v1/auth/me/delete") == 4


def test_a_load_without_an_answer_says_what_was_wrong(pods: list[Server]) -> None:
    with service.accounts([([pods[0].http.server_port], Random(1))], User) as clients:
        pods[0].answer = lambda _: Reply(500)
        with pytest.raises(service.AnswerError, match="answers 500"):
            scale.load(clients, 0, Random(1), warm=0, seconds=0.2)
        pods[0].answer = answered


def objects(cpu: str | None = "1000m") -> dict[str, Any]:
    limits = {"memory": "1Gi", **({"cpu": cpu} if cpu else {})}
    container = {"name": "backend", "image": "a@sha256:01", "resources": {"requests": {"cpu": "200m"}, "limits": limits}}
    return {
        "deployment/backend": {"spec": {"replicas": 2, "template": {"spec": {"containers": [container]}}}},
        "horizontalpodautoscaler/others": {
            "metadata": {"name": "others"},
            "spec": {"scaleTargetRef": {"name": "frontend"}, "minReplicas": 2, "maxReplicas": 5},
        },
        "horizontalpodautoscaler/backend": {
            "metadata": {"name": "backend"},
            "spec": {"scaleTargetRef": {"name": "backend"}, "minReplicas": 2, "maxReplicas": 3, "metrics": []},
        },
    }


Holds = Callable[[dict[str, Any]], Cluster]


@pytest.fixture
def holds(tmp_path: Path) -> Holds:
    """A cluster that holds these objects."""

    def made(content: dict[str, Any]) -> Cluster:
        kubectl = tmp_path / "kubectl"
        kubectl.write_text(KUBECTL.format(python=sys.executable))
        kubectl.chmod(0o755)
        (tmp_path / "objects").write_text(json.dumps(content))
        (tmp_path / "refuses").write_text("nothing")
        (tmp_path / "pods").write_text(json.dumps([pod("backend", "backend"), pod("frontend", "frontend")]))
        return Cluster("helm", str(kubectl), str(tmp_path / "kubeconfig"), "todo")

    return made


def now(folder: Path) -> dict[str, Any]:
    return dict(json.loads((folder / "objects").read_text()))


def test_the_pods_are_as_many_and_as_small_as_asked_for_and_only_of_the_backend(holds: Holds, tmp_path: Path) -> None:
    cluster, before = holds(objects()), objects()
    Size.of(cluster).fixed(3).take_place(cluster)
    found = now(tmp_path)
    assert Size.of(cluster) == Size(3, "backend", 3, 3, "200m")
    assert found["horizontalpodautoscaler/others"] == before["horizontalpodautoscaler/others"]
    [container] = found["deployment/backend"]["spec"]["template"]["spec"]["containers"]
    assert container["resources"] == {"requests": {"cpu": "200m"}, "limits": {"memory": "1Gi", "cpu": "200m"}}
    assert (tmp_path / "calls").read_text().splitlines()[-3].startswith("rollout status"), "it waits for the pods"


def test_what_the_pod_has_used_is_the_kubelets(holds: Holds) -> None:
    found = scale.used(holds(objects()))
    assert (found["used"], datetime.fromtimestamp(found["at"], UTC).isoformat()) == (1.0, "2026-01-01T12:00:02+00:00")


@pytest.mark.parametrize("broken_off_by", [KeyboardInterrupt, SystemExit, service.AnswerError, None])
@pytest.mark.parametrize(
    "content", [objects(), objects(cpu=None), {"deployment/backend": objects()["deployment/backend"]}], ids=["all", "no limit", "no autoscaler"]
)
def test_whatever_ends_it_all_is_as_before(
    content: dict[str, Any], broken_off_by: type[BaseException] | None, holds: Holds, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cluster = holds(content)

    def changed() -> None:
        with scale.put_back(cluster) as before:
            before.fixed(1).take_place(cluster)
            assert now(tmp_path) != content
            if broken_off_by:
                raise broken_off_by

    if broken_off_by:
        with pytest.raises(broken_off_by):
            changed()
    else:
        changed()
    assert now(tmp_path) == content
    first, *_, last_but_one, _ = capsys.readouterr().out.splitlines()
    assert "2 pods" in first
    assert "2 pods" in last_but_one, "said before and after"


def test_what_the_cluster_refuses_leaves_nothing_changed(holds: Holds, tmp_path: Path) -> None:
    cluster = holds(objects())
    (tmp_path / "refuses").write_text('"cpu": "200m"')
    with pytest.raises(UserError, match="admission webhook denied"), scale.put_back(cluster) as before:
        before.fixed(1).take_place(cluster)
    assert now(tmp_path) == objects()


def test_it_measures_one_two_and_three_pods_beside_the_models_and_puts_all_back(
    holds: Holds, tmp_path: Path, pods: list[Server], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    cluster = holds(objects())
    (tmp_path / "ports").write_text(json.dumps([pod.http.server_port for pod in pods]))
    monkeypatch.setattr(scale, "load", partial(scale.load, warm=0.1, seconds=2.0))
    monkeypatch.setattr(scale, "SIMULATED_SECONDS", 5)
    monkeypatch.setattr(service, "SAMPLE_SECONDS", 0.01)
    assert scale.run(cluster) == []
    said = capsys.readouterr().out
    assert "**The limit does not bind**" in said
    assert [line.split()[0] for line in said.splitlines() if line.startswith(("1 ", "2 ", "3 "))] == ["1", "2", "3"] * 2
    patches = [call.partition("--patch=")[2] for call in (tmp_path / "calls").read_text().splitlines() if call.startswith("patch deployment")]
    assert [json.loads(patch)["spec"]["replicas"] for patch in patches] == [1, 2, 3, 2]
    assert now(tmp_path) == objects()
    assert [request.path for pod in pods for request in pod.requests].count("/api/v1/auth/me/delete") == len(PODS) * USERS


def test_without_a_deployment_it_says_so_and_ends(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(scale, "PROGRAMS", tmp_path)
    monkeypatch.setattr(scale, "STATE", tmp_path)
    monkeypatch.setattr(sys, "argv", ["scale.py"])
    with pytest.raises(SystemExit, match=r"^bench/scale\.py: There is no .*/kubectl"):
        scale.main()
