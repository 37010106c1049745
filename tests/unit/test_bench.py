"""The comparison of site.yml with plain.sh: what is read from both, how it is shown, and that both ask for the same."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from test_options import played

from ansible_collections.todochat.platform.plugins.module_utils.cluster.profile import Cluster, Minikube
from ansible_collections.todochat.platform.plugins.module_utils.store.lock import Lock
from ansible_collections.todochat.platform.plugins.module_utils.store.store import Store
from bench import deployment
from bench.deployment import Bench, Side, Timing

PLAIN = Path(deployment.__file__).parent / "plain.sh"
# Notes its name and arguments, and answers what plain.sh reads from it.
STUB = """#!/bin/sh
echo "${0##*/} $*" >>"$CALLS"
[ -t 0 ] || cat >>"$CALLS.stdin"
case "${0##*/} $1 $2" in
  "docker network inspect" | "docker container inspect") exit 1 ;;
  "docker push "*) echo "plain: digest: sha256:0123 size: 1" ;;
  "getent passwd "*) echo "somebody:x:1:1::$HOME_FOLDER:/bin/sh" ;;
  "runuser "*) shift 3 && exec "$@" ;;
esac
"""


def side(first: float, second: float, image: float, modules: int | None = None) -> Side:
    edit = Timing(image * 2, {"app_images": image, "app_release": image})
    started = Timing(first, {"minikube": first}, use=(0, first * 10, first))
    return {"first": started, "second": Timing(second, {"minikube": second}, modules), "edit": edit}


def test_a_part_of_the_script_ends_where_the_next_begins() -> None:
    lines = [(0.5, "== network"), (0.7, "0123"), (1.0, "== minikube"), (1.5, "done")]
    assert deployment.parts_of_script(lines, 61.0) == {"network": 0.5, "minikube": 60.0}
    assert deployment.parts_of_script([(0.2, "0123")], 1.0) == {}


def test_the_summary_says_how_many_module_tasks_ran() -> None:
    assert deployment.counted_modules(iter(["ok", "changed=0 modules=18 seconds=9"])) == 18
    assert deployment.counted_modules(iter(["localhost : ok=30 changed=0"])) is None


def cells(table: str) -> list[list[str]]:
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()]


def test_each_ratio_is_of_medians_and_stands_beside_its_goal() -> None:
    ours = [side(120, 12, 4, 17), side(90, 10, 4, 18), side(100, 11, 4, 17)]
    ours = [one | {"status": Timing(2)} for one in ours]
    shown = cells(deployment.table(deployment.rows(ours, [side(80, 10, 20)])))
    assert shown[0] == ["", "site.yml", "plain.sh", "ratio", "goal", "processor", "memory", "disk"]
    assert shown[2] == ["nothing to checked healthy", "100.0", "80.0", "1.25", "<= 0.75", "0 / 0", "1000 / 800", "100 / 80"]
    assert shown[4] == ["second run, module tasks", "18", "", "", "<= 5", "", "", ""], "the most that any run took"
    assert shown[6] == ["its image alone", "4.0", "20.0", "0.20", "<= 0.15", "", "", ""]
    assert shown[9] == ["`make status`", "2.0", "", "", "<= 1.5 s", "0", "0", "0"]


def test_parts_that_one_side_lacks_are_left_empty_and_short_ones_out() -> None:
    ours = {step: Timing(2, {deployment.REST: 1.7, "minikube": 0.3}) for step in ("first", "second", "status")}
    shown = cells(deployment.table(deployment.part_rows([ours], [side(0.4, 0.6, 1)])))
    assert shown[2:] == [
        ["first: the rest", "1.7", "", ""],
        ["second: the rest", "1.7", "", ""],
        ["second: minikube", "0.3", "0.6", "0.50"],
        ["status: the rest", "1.7", "", ""],
    ]


def test_what_the_machine_needs_is_measured_at_the_worst_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    """By samples of our own: what else the machine does would be measured too."""
    looks = [(100.0, -900.0, -500.0), (101.0, -600.0, -480.0), (103.0, -800.0, -450.0), (104.0, -850.0, -490.0)]
    given = iter(looks)
    seen = threading.Event()

    def look() -> tuple[float, float, float]:
        found = next(given, looks[-1])
        if found == looks[-1]:
            seen.set()
        return found

    monkeypatch.setattr(deployment.Use, "_now", staticmethod(look))
    with deployment.Use() as use:
        assert seen.wait(20)
    assert use.most == (4.0, 300.0, 50.0)


def test_the_machine_is_asked_for_what_it_has() -> None:
    processor, memory, disk = deployment.Use._now()
    assert processor > 0
    assert -(2**40) < memory < 0
    assert disk < 0


def test_processes_end_by_the_marker_in_their_environment_also_in_a_session_of_their_own() -> None:
    command = [sys.executable, "-c", "import time; time.sleep(60)"]
    ours = subprocess.Popen(command, env={**os.environ, "TODOCHAT_BENCH": "one"}, start_new_session=True)
    other = subprocess.Popen(command, env={**os.environ, "TODOCHAT_BENCH": "other"})
    try:
        while not deployment.marked("TODOCHAT_BENCH=one"):
            assert ours.poll() is None
        deployment.end_processes("TODOCHAT_BENCH=one")
        assert ours.wait(10) != 0
        assert other.poll() is None
    finally:
        for process in (ours, other):
            process.kill()
            process.wait()


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    """A comparison of this checkout, with the sources that it deploys."""
    made = Bench(tmp_path / "bench", Lock(deployment.ROOT / "artifacts.lock.yml"), Store(tmp_path / "store"))
    made.copy_sources()
    return made


def test_what_is_deployed_is_all_of_the_sources_with_links_that_lead_where_they_did(bench: Bench) -> None:
    def tree(folder: Path, names: list[str]) -> dict[str, object]:
        return {name: os.readlink(file) if (file := folder / name).is_symlink() else file.read_bytes() for name in names}

    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "apps"]
    listed = subprocess.run(command, cwd=deployment.ROOT, capture_output=True, text=True, check=True).stdout
    names = [name for name in listed.split("\0") if os.path.lexists(deployment.ROOT / name) and name]
    copied = [str(path.relative_to(bench.folder)) for path in bench.folder.rglob("*") if path.is_symlink() or not path.is_dir()]
    assert sorted(copied) == sorted(names)
    assert tree(bench.folder, names) == tree(deployment.ROOT, names)
    for service in ("backend", "frontend"):
        assert (bench.sources / service / "chart/charts/common/Chart.yaml").resolve() == (bench.sources / "chart/Chart.yaml").resolve()
    assert (bench.sources / deployment.EDITED).is_file()


def test_its_settings_are_ones_that_the_roles_take(bench: Bench, tmp_path: Path) -> None:
    done = played(tmp_path, "-e", json.dumps(bench.variables()), before_preflight=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_each_run_has_a_vaults_password_though_the_last_vault_takes_it_away(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    found: list[Path] = []

    def run(_title: str, _command: object, environment: dict[str, str]) -> tuple[Timing, list[tuple[float, str]]]:
        found.append(Path(environment["ANSIBLE_VAULT_PASSWORD_FILE"]))
        assert len(found[-1].read_text()) > 20
        assert found[-1].stat().st_mode & 0o777 == 0o600
        return Timing(1.0), []

    monkeypatch.setattr(bench, "_run", run)
    bench._playbook("site.yml", "site.yml")
    kept = found[0].read_text()
    bench._playbook("second run", "site.yml")
    assert found[1].read_text() == kept
    found[1].unlink()
    bench._playbook("site.yml", "site.yml")
    assert found[2].read_text() != kept


@pytest.fixture
def calls(tmp_path: Path) -> list[str]:
    """What `plain.sh up` calls, with every program but the shell's own tools replaced."""
    programs = tmp_path / "bin"
    programs.mkdir()
    for name in ("docker", "minikube", "kubectl", "helm", "curl", "getent", "runuser", "useradd", "chown"):
        (programs / name).write_text(STUB)
        (programs / name).chmod(0o755)
    names = set(re.findall(r"\$\{?([A-Z_]+)", PLAIN.read_text())) - {"PATH", "HOME", "USER", "LOGNAME"}
    given = {name: name.lower() for name in names}
    for name in ("SECRETS", "BUILD_SECRETS", "CACHE", "SOURCES", "HOME_FOLDER"):
        (tmp_path / name).mkdir()
        given[name] = str(tmp_path / name)
    profile = tmp_path / "HOME_FOLDER/.local/share/todochat/bench/.minikube"
    profile.mkdir(parents=True)
    (profile / "kubeconfig").write_text("")
    given |= {name.upper(): name for name in ("minikube", "kubectl", "helm")}
    given |= {"NAME": "bench", "FRONTEND_PORT": "30090", "CPUS": "2", "MEMORY": "6144", "KUBERNETES_VERSION": "v1.35.1", "NODE_IMAGE": "kicbase:1"}
    given |= {f"{base}_{part}_IMAGE": "image" for base in ("PYTHON", "NODE") for part in ("BUILDER", "RUNTIME")}
    given |= {"CALLS": str(tmp_path / "calls"), "KUBECONFIG": str(tmp_path / "kubeconfig"), "PATH": f"{programs}:{os.environ['PATH']}"}
    done = subprocess.run([shutil.which("bash") or "bash", str(PLAIN), "up"], env=given, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return (tmp_path / "calls").read_text().splitlines()


def test_both_start_the_cluster_with_the_same_options(calls: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ours: list[str] = []
    (tmp_path / "home/profiles/bench").mkdir(parents=True)
    monkeypatch.setattr(Minikube, "_do", lambda _, *arguments: ours.extend(arguments))
    monkeypatch.setattr(Minikube, "let_come_back", lambda _: None)
    wanted = Cluster("docker", "containerd", "v1.35.1", 2, 6144, 1, "bench", ("127.0.0.1:30090:30090",))
    Minikube(Path("minikube"), "bench", tmp_path / "home", "somebody").start(wanted, "kicbase:1")
    (plain,) = [call.split()[1:] for call in calls if call.startswith("minikube start")]
    # how minikube reports is not part of what it does, and the limit of time is minikube's own
    besides = {"--output=json", "--wait-timeout=360s"}
    assert sorted(plain) == sorted([*(argument for argument in ours if argument not in besides), "--profile=bench"])


def test_no_secret_of_the_script_is_an_argument(calls: list[str], tmp_path: Path) -> None:
    made = {file.name: file.read_text() for file in (tmp_path / "SECRETS").iterdir()}
    assert set(made) == {"database_password", "database_url", "jwt_keys"}
    assert f"PASSWORD '{made['database_password']}'" in (tmp_path / "calls.stdin").read_text()
    assert not [call for call in calls if made["database_password"] in call]
    assert {file.stat().st_mode & 0o777 for file in (tmp_path / "SECRETS").iterdir()} == {0o600}
