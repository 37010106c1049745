"""The Python environment: when it is made, and when what is there is trusted."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest
import script
from hostile import HOSTILE

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def bootstrap(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The script, for an environment of its own with locks that name no package."""
    module = script.loaded("bootstrap")
    for name in ("controller", "test"):
        (tmp_path / f"{name}.txt").write_text("# nothing\n")
    monkeypatch.setattr(module, "ROOT", tmp_path)
    monkeypatch.setattr(module, "VENV", tmp_path / ".venv")
    monkeypatch.setattr(module, "ANSIBLE", tmp_path / ".ansible")
    monkeypatch.setattr(module, "LOCKS", {name: tmp_path / f"{name}.txt" for name in ("controller", "test")})
    return module


def record(bootstrap: ModuleType) -> Path:
    file: Path = bootstrap.VENV / "installed-locks.json"
    return file


def empty_module(bootstrap: ModuleType) -> Path:
    """A file as a power cut leaves it: there, without its content."""
    file: Path = bootstrap.VENV / "lib/cut.py"
    file.touch()
    return file


def test_what_runs_first_has_the_line_ends_of_unix_in_any_checkout(tmp_path: Path) -> None:
    subprocess.run(["git", "clone", "--quiet", "--config=core.autocrlf=true", ROOT, tmp_path / "todochat"], check=True)
    assert [name for name in ("bootstrap", "Makefile", "scripts/vault-password") if b"\r\n" in (tmp_path / "todochat" / name).read_bytes()] == []


def test_an_environment_is_made_anew_only_where_its_installation_was_broken_off(bootstrap: ModuleType) -> None:
    bootstrap.make_environment("controller")
    there = empty_module(bootstrap)
    bootstrap.make_environment("controller")
    assert there.exists()
    bootstrap.LOCKS["controller"].write_text("# nothing else\n")
    bootstrap.make_environment("controller")
    assert there.exists()
    record(bootstrap).unlink()  # it is written last
    bootstrap.make_environment("controller")
    assert record(bootstrap).exists()
    assert not there.exists()


def test_an_environment_is_made_anew_where_its_checkout_was_moved(bootstrap: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its programs begin with the path of their Python."""
    bootstrap.make_environment("controller")
    there = empty_module(bootstrap)
    moved = tmp_path / "moved here"
    moved.mkdir()
    bootstrap.VENV.rename(moved / ".venv")
    monkeypatch.setattr(bootstrap, "VENV", moved / ".venv")
    bootstrap.make_environment("controller")
    assert not (moved / there.relative_to(tmp_path)).exists()
    assert subprocess.run([moved / ".venv/bin/pip", "--version"], capture_output=True, check=False).returncode == 0


def test_and_where_the_system_has_another_python_since(bootstrap: ModuleType, tmp_path: Path) -> None:
    bootstrap.make_environment("controller")
    there = empty_module(bootstrap)
    python = bootstrap.VENV / "bin/python"
    other = tmp_path / "python3.99"
    other.symlink_to(os.path.realpath(python))
    kept = json.loads(record(bootstrap).read_text())
    record(bootstrap).write_text(json.dumps({**kept, "place": [str(bootstrap.VENV), str(other)]}))  # as it was
    bootstrap.make_environment("controller")
    assert not there.exists()


def test_and_where_its_python_is_gone(bootstrap: ModuleType, tmp_path: Path) -> None:
    """As after an upgrade of the system."""
    bootstrap.make_environment("controller")
    there = empty_module(bootstrap)
    gone = tmp_path / "python3.99"
    for link in (bootstrap.VENV / "bin").glob("python*"):
        if os.path.isabs(os.readlink(link)):
            link.unlink()
            link.symlink_to(gone)
    kept = json.loads(record(bootstrap).read_text())
    record(bootstrap).write_text(json.dumps({**kept, "place": [str(bootstrap.VENV), str(gone)]}))  # as it was
    assert not (bootstrap.VENV / "bin/python").exists()
    bootstrap.make_environment("controller")
    assert not there.exists()
    assert subprocess.run([bootstrap.VENV / "bin/pip", "--version"], capture_output=True, check=False).returncode == 0


def test_a_copied_checkout_has_an_environment_of_its_own(tmp_path: Path) -> None:
    original = tmp_path / "original"
    subprocess.run(["git", "clone", "--quiet", ROOT, original], check=True)

    def pip(checkout: Path) -> str:
        done = says(without_packages(checkout), "pip", "--version")
        assert done.returncode == 0, done.stderr
        return done.stdout

    def is_there() -> dict[Path, tuple[int, int]]:
        return {path: (path.lstat().st_ino, path.lstat().st_mtime_ns) for path in original.glob(".[av]*/**/*")}

    assert f" from {original}/.venv/" in pip(original)
    before = is_there()
    copy = shutil.copytree(original, tmp_path / "a copy", symlinks=True)
    assert f" from {copy}/.venv/" in pip(copy)
    assert (copy / ".ansible" / script.loaded("bootstrap").COLLECTION).resolve() == copy
    assert is_there() == before


@pytest.mark.parametrize("owner", ["other", "nobody may write"])
def test_in_a_checkout_that_is_not_the_callers_nothing_is_made(bootstrap: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, owner: str) -> None:
    checkout = tmp_path / "a checkout"
    checkout.mkdir()
    monkeypatch.setattr(bootstrap, "ROOT", checkout)
    monkeypatch.setattr(os, "access", lambda path, _: not (owner == "nobody may write" and path == checkout))
    if owner == "other":
        monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    bootstrap.keep_to_the_callers_folder()
    bootstrap.link_collection()
    (mine,) = (tmp_path / "cache/todochat/checkouts").iterdir()
    assert mine.name.startswith("a checkout-")
    assert mine.stat().st_mode & 0o777 == 0o700
    assert (mine / ".ansible" / bootstrap.COLLECTION).resolve() == checkout
    assert list(checkout.iterdir()) == []


def test_in_the_callers_own_all_stays_where_it_was(bootstrap: ModuleType) -> None:
    before = bootstrap.VENV, bootstrap.ANSIBLE
    bootstrap.keep_to_the_callers_folder()
    assert before == (bootstrap.VENV, bootstrap.ANSIBLE)


@pytest.mark.parametrize("told", [False, True])
def test_the_caller_is_in_the_checkout_or_elsewhere(bootstrap: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, told: bool) -> None:
    """As make has told it, which may have gone there itself, else by the folder that this runs in."""
    link = tmp_path / "link"
    link.symlink_to(tmp_path)

    def found(place: Path) -> str:
        monkeypatch.chdir(tmp_path if told else place)
        monkeypatch.delenv("TODOCHAT_CALLED_FROM", raising=False)
        if told:
            monkeypatch.setenv("TODOCHAT_CALLED_FROM", str(place))
        name: str = bootstrap.checkout_from_the_caller()
        assert "TODOCHAT_CALLED_FROM" not in os.environ
        return name

    assert [found(place) for place in (tmp_path, link, Path("/"))] == [".", ".", str(tmp_path)]


def test_where_nobody_knows_where_the_caller_is_the_checkout_is_named(bootstrap: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TODOCHAT_CALLED_FROM", "")
    assert bootstrap.checkout_from_the_caller() == str(tmp_path)


def test_the_links_of_the_checkout_are_known() -> None:
    """Those of the tests alone are not missed by who runs the product."""
    listed = subprocess.run(["git", "ls-files", "--stage", "--", ".", ":!molecule"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()
    assert sorted(line.partition("\t")[2] for line in listed if line.startswith("120000 ")) == sorted(script.loaded("bootstrap").LINKS)


def says(checkout: Path, *command: str) -> subprocess.CompletedProcess[str]:
    """What `bootstrap` does and says in a checkout, by somebody with nothing else in a home."""
    environment = {"HOME": str(checkout.parent), "PATH": os.environ["PATH"]}
    run = [sys.executable, "-I", "bootstrap", "--", *command]
    return subprocess.run(run, cwd=checkout, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("how", ["files", "nothing", "empty folders"])
def test_a_checkout_without_links_is_named_with_what_mends_it(tmp_path: Path, how: str) -> None:
    """By what it has in the place of them: git makes files."""
    checkout = tmp_path / "no links"
    subprocess.run(["git", "clone", "--quiet", "--config=core.symlinks=false", ROOT, checkout], check=True)
    shutil.copy(ROOT / "bootstrap", checkout)
    for link in script.loaded("bootstrap").LINKS if how != "files" else ():
        (checkout / link).unlink()
        if how == "empty folders":
            (checkout / link).mkdir()
    before = says(checkout, "true").stderr
    assert "This checkout was made without symbolic links: inventory/group_vars, " in before
    subprocess.run(["sh", "-ec", before.rpartition(", or run ")[2].strip().removesuffix(".").replace(", then ", " && ")], check=True)
    assert (checkout / "inventory/group_vars/all").is_dir()


def without_packages(checkout: Path) -> Path:
    """A checkout that begins as this one does, whose locks name no package."""
    shutil.copy(ROOT / "bootstrap", checkout)
    shutil.copytree(ROOT / "plugins/module_utils/base", checkout / "plugins/module_utils/base", dirs_exist_ok=True)
    for name in ("controller", "test"):
        (checkout / f"requirements/{name}.txt").write_text("# nothing\n")
    return checkout


@pytest.mark.parametrize("tool", ["zipfile", "unzip", "tar"])
def test_an_archive_without_git_is_used_or_named_by_what_it_was_unpacked_with(tmp_path: Path, tool: str) -> None:
    """Python's own tool makes no links, and lets nothing be executed."""
    archive, checkout = tmp_path / f"archive.{'tar' if tool == 'tar' else 'zip'}", tmp_path / "todochat"
    subprocess.run(["git", "archive", f"--output={archive}", "HEAD"], cwd=ROOT, check=True)
    ways = {
        "zipfile": [sys.executable, "-m", "zipfile", "-e", archive, checkout],
        "unzip": ["unzip", "-q", archive, "-d", checkout],
        "tar": ["tar", "--extract", f"--one-top-level={checkout}", "--file", archive],
    }
    if shutil.which(str(ways[tool][0])) is None:
        pytest.skip(f"there is no {tool} here")
    subprocess.run(ways[tool], check=True)
    done = says(without_packages(checkout), "true")
    assert (checkout / "scripts/vault-password").stat().st_mode & 0o111 == 0o111
    if tool == "zipfile":
        assert "without symbolic links: inventory/group_vars, " in done.stderr
        assert "Unpack it anew, where there are some, with a tool that keeps them, such as unzip or tar." in done.stderr
    else:
        assert done.returncode == 0, done.stderr


def test_a_script_of_somebody_elses_that_cannot_be_executed_is_theirs_to_mend(bootstrap: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(path: Path, _: int) -> None:
        raise PermissionError(1, "Operation not permitted", str(path))

    monkeypatch.setattr(bootstrap, "ROOT", tmp_path / "to do")
    password = tmp_path / "to do/scripts/vault-password"
    password.parent.mkdir(parents=True)
    password.touch()
    password.chmod(0o644)
    with monkeypatch.context() as other:
        other.setattr(os, "geteuid", lambda: os.getuid() + 1)
        other.setattr(Path, "chmod", refused)
        with pytest.raises(SystemExit) as said:
            bootstrap.require_executable_scripts()
    me = bootstrap.environment.account(os.getuid())["USER"]
    assert f"{password} cannot be executed, and is {me}'s. Have {me} run `" in str(said.value)
    subprocess.run(["sh", "-c", str(said.value).split("`")[1]], cwd="/", check=True)
    bootstrap.require_executable_scripts()
    assert password.stat().st_mode & 0o777 == 0o755


def test_where_packages_go_is_not_for_a_pip_conf_to_say(bootstrap: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wheel = script.wheel(tmp_path)
    bootstrap.LOCKS["controller"].write_text(f"here @ file://{wheel} --hash=sha256:{hashlib.sha256(wheel.read_bytes()).hexdigest()}\n")
    (tmp_path / ".config/pip").mkdir(parents=True)
    elsewhere = "".join(f"{name} = {tmp_path}/there\n" for name in ("target", "prefix", "root"))
    (tmp_path / ".config/pip/pip.conf").write_text(f"[install]\nuser = true\n{elsewhere}")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    bootstrap.make_environment("controller")
    assert len([*bootstrap.VENV.glob("lib/python*/site-packages/here.py")]) == 1


def test_the_lock_of_the_environment_is_for_nobody_else(bootstrap: ModuleType) -> None:
    (bootstrap.ROOT / ".ansible").mkdir()
    lock = bootstrap.opened_lock()
    assert os.fstat(lock).st_mode & 0o777 == 0o600
    os.close(lock)


def test_a_lock_that_cannot_be_opened_is_named(bootstrap: ModuleType) -> None:
    (bootstrap.ROOT / ".ansible").mkdir()
    (bootstrap.ROOT / ".ansible/environment.lock").symlink_to("/etc/passwd")
    with pytest.raises(SystemExit, match=r"\.ansible/environment\.lock cannot be used: .* Run this as the user whose checkout it is"):
        bootstrap.opened_lock()


def test_what_make_is_asked_for_stands_on_its_command_line() -> None:
    def begins_with(*given: str, **variables: str) -> str:
        environment = {"PATH": os.environ["PATH"], **variables}
        targets = ("up", "backup", "rollback", "vault", "test")
        return subprocess.run(["make", "--dry-run", *given, *targets], cwd=ROOT, env=environment, capture_output=True, text=True, check=True).stdout

    others = dict.fromkeys(("ARGS", "FILE", "FROM", "KEY", "TO", "ROLE", "VM", "DO", "PYTHON", "EMAIL"), "other")
    assert begins_with(**others) == begins_with()
    assert "python3.99 -I bootstrap -- ansible-playbook playbooks/rollback.yml -e to=7 --tags x" in begins_with("PYTHON=python3.99", "TO=7", "ARGS=--tags x")
    assert "bootstrap --from '/media/a stick' --key 'a.pub' -- ansible-playbook site.yml" in begins_with("FROM=/media/a stick", "KEY=a.pub")


# Kept on purpose.
SAID = "TERM|COLUMNS|LINES|NO_COLOR|[A-Za-z]*_(proxy|PROXY)|XDG_RUNTIME_DIR|PWD|OLDPWD|SHLVL|_"
TELLS = f"env | grep -vE '^({SAID})=' | sort; umask; pwd; ulimit -S -f; ls /proc/self/fd; grep -E 'SigBlk' /proc/self/status; exit 3"


def begins(home: Path, hostile: str) -> str:
    """What a command that bootstrap runs is begun with."""
    home.mkdir(exist_ok=True)
    words = f"{hostile}\nexec /usr/bin/python3 -I {ROOT}/bootstrap -- sh -c \"$TELLS\""
    environment = {"HOME": str(home), "PATH": os.environ["PATH"], "TELLS": TELLS}
    done = subprocess.run(["bash", "-c", words], cwd=home, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    assert done.returncode == 3, done.stderr
    assert f"\n{ROOT}\n" in done.stdout
    return done.stdout


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("me") / "home"


@pytest.fixture(scope="module")
def usual(home: Path) -> str:
    return begins(home, ":")


@pytest.mark.parametrize("name", HOSTILE)
def test_whatever_a_shell_has_left_a_run_begins_in_the_same_way(home: Path, usual: str, name: str) -> None:
    assert begins(home, HOSTILE[name]) == usual


def test_who_ignores_how_its_children_end_hands_that_on_to_nobody() -> None:
    """Else every program would seem to have succeeded."""
    before = signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    try:
        command = ["/usr/bin/python3", "-I", f"{ROOT}/bootstrap", "--", "grep", "SigIgn", "/proc/self/status"]
        process = subprocess.Popen(command, stdout=subprocess.PIPE)
        assert process.stdout
        ignored = int(process.stdout.read().split()[1], 16)
    finally:
        signal.signal(signal.SIGCHLD, before)
    process.wait()
    assert not ignored >> signal.SIGCHLD - 1 & 1


def test_what_is_asked_for_is_kept(tmp_path: Path) -> None:
    asked = ("PIP_INDEX_URL", "NPM_CONFIG_REGISTRY", "GOPROXY", "SSL_CERT_FILE", "EDITOR", "ANSIBLE_VAULT_PASSWORD_FILE")
    said = begins(tmp_path / "home", "export " + " ".join(f"{name}=/of/{name}" for name in asked))
    assert [name for name in asked if f"{name}=/of/{name}\n" not in said] == []


def test_another_docker_is_refused_by_name(tmp_path: Path) -> None:
    asks = "export DOCKER_HOST=tcp://192.0.2.1"
    with pytest.raises(AssertionError, match=r"DOCKER_HOST=tcp://192\.0\.2\.1 asks for another Docker than this machine's") as said:
        begins(tmp_path / "home", asks)
    begins(tmp_path / "home", f"{asks}\n{str(said.value).split('`')[1]}")
    begins(tmp_path / "home", "export DOCKER_HOST=unix:///var/run/docker.sock")


def test_what_is_advised_can_be_pasted_elsewhere(
    bootstrap: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(bootstrap.advice.VARIABLE, "/a checkout")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    with pytest.raises(SystemExit, match="`make -C '/a checkout' bundle FILE=folder`"):
        bootstrap.take_bundle(tmp_path / "nothing", "")
    taken = tmp_path / "todochat/bundle/manifest.json"
    taken.parent.mkdir(parents=True)
    taken.write_text(json.dumps({"format": 1, "files": [], "sbom": "", "architecture": "none", "releases": ["bookworm"], "sources": {}}))
    bootstrap.warn_of_other_sources()
    assert "Then run `make -C '/a checkout' up FROM=folder`." in capsys.readouterr().out


SUDO = '#!/bin/sh\nexec "$@"\n'


@pytest.mark.parametrize("closed", ["home", "checkout", "both", "XDG_CACHE_HOME"])
def test_what_root_is_kept_out_of_is_brought_to_this_machines_disk_by_what_is_printed(
    bootstrap: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, closed: str
) -> None:
    """As a home on the network, or a part of it; root's own look at the folders is not."""
    home, checkout, disk = tmp_path / "a home", tmp_path / "a home/to do", tmp_path / "own disk"
    for file in (home / ".npmrc", home / ".config/pip/pip.conf", checkout / "bootstrap"):
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(file.name)
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/sudo").write_text(SUDO)
    (tmp_path / "bin/sudo").chmod(0o755)
    for name in bootstrap.XDG_FOLDERS:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(home))
    if closed == "XDG_CACHE_HOME":
        monkeypatch.setenv(closed, str(tmp_path / "net"))
        (tmp_path / "net").mkdir()
    folders = {"home": [home], "checkout": [checkout], "both": [home, checkout], "XDG_CACHE_HOME": [tmp_path / "net"]}[closed]
    monkeypatch.setattr(bootstrap, "ROOT", checkout)
    monkeypatch.setattr(bootstrap, "OWN_DISK", str(disk))
    monkeypatch.setattr(bootstrap, "run_as_root", lambda command: subprocess.CompletedProcess(command, 0, "".join(f"{folder}\n" for folder in folders)))
    me = bootstrap.environment.account(os.getuid())["USER"]
    monkeypatch.setattr(bootstrap.environment, "account", lambda _: {"USER": me})
    monkeypatch.setattr(os, "geteuid", lambda: os.getuid() or 1)
    with pytest.raises(SystemExit) as said:
        bootstrap.require_folders_for_root()
    for folder in folders:
        assert str(folder) in str(said.value).partition(", as by")[0]
    _, steps, _, *later = str(said.value).split("`")
    shows = 'echo "$HOME|$PWD|$XDG_CACHE_HOME"; cat "$HOME/.npmrc" "$HOME/.config/pip/pip.conf"'
    told = {**os.environ, "PATH": f"{tmp_path}/bin:{os.environ['PATH']}"}
    done = subprocess.run(["sh", "-ec", f"{steps}\n{shows}"], cwd="/", env=told, capture_output=True, text=True, check=True)
    mine = disk / me
    assert mine.stat().st_mode & 0o777 == 0o700
    now = home if closed == "checkout" else mine
    folder = mine / checkout.name if checkout in folders else "/"
    assert done.stdout == f"{now}|{folder}|\n.npmrcpip.conf"
    assert bool(later) == (closed != "checkout")
    if checkout in folders:
        assert (mine / "to do/bootstrap").read_text() == "bootstrap"


@pytest.mark.parametrize(
    ("busy", "who"),
    [
        ("E: Could not get lock /var/lib/apt/lists/lock. It is held by process 42 (apt-get)\nE: Unable to lock directory", "process 42 (apt-get)"),
        ("E: Could not get lock /var/lib/dpkg/lock-frontend. It is held by process 42 (unattended-upgr)", "process 42 (unattended-upgr)"),
        ("E: Could not get lock /var/cache/apt/archives/lock - open (11: Resource temporarily unavailable)", "another process"),
        ("dpkg: error: dpkg frontend lock was locked by another process with pid 42\nNote: removing the lock file is always wrong", "process 42"),
    ],
)
def test_who_is_at_work_on_packages_is_named_once_while_it_is_waited_for(
    bootstrap: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], busy: str, who: str
) -> None:
    answers = [subprocess.CompletedProcess("", status, said) for status, said in [(100, busy), (100, busy), (0, f"Setting up what says {busy}")]]
    monkeypatch.setattr(bootstrap, "run_as_root", lambda _: answers.pop(0))
    monkeypatch.setattr(bootstrap.apt_locks, "POLL_SECONDS", 0)
    assert bootstrap.run_apt(["apt-get", "update"]).returncode == 0
    assert answers == []
    assert capsys.readouterr().out == f"Waiting for {who}, which is at work on Debian's packages ...\n"
