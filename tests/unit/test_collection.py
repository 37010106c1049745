"""What the collection's file holds: what roles and playbooks need, and nothing that only a checkout is for; and that it works where it is installed."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest
import yaml

from dependencies import listed_files

ROOT = Path(__file__).resolve().parents[2]
HANDED_ON = (
    *("apps/", "artifacts.lock.yml", "BENCH.md", "CHANGELOG.md", "changelogs/changelog.yaml", "compose.yaml", "docs/", "group_vars/all/main.yml"),
    *("inventory/existing_cluster.example.yml", "LICENSE", "meta/", "playbooks/", "plugins/", "README.md", "requirements/controller.txt", "roles/"),
    "scripts/vault-password",
)
LINKS = {f"apps/{name}/chart/charts/common": "../../../chart" for name in ("backend", "frontend")}
LINKS |= {"playbooks/group_vars": "../group_vars", "playbooks/vault/group_vars": "../../group_vars"}
# Of this deployment nothing is anywhere.
NOWHERE = "deployment_name=nowhere-at-all"


def environment(place: Path) -> dict[str, str]:
    """In which no other collection is known than those in a place: not the one that this checkout is."""
    kept = {name: value for name, value in os.environ.items() if not re.match("ANSIBLE_|TODOCHAT_|XDG_|PYTHONPATH", name)}
    return kept | {"HOME": str(place / "home"), "ANSIBLE_COLLECTIONS_PATH": str(place)}


def galaxy(*arguments: object, folder: Path) -> None:
    command = [str(Path(sys.executable).with_name("ansible-galaxy")), "collection", *map(str, arguments)]
    done = subprocess.run(command, cwd=folder, env=environment(folder), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def built(checkout: Path, folder: Path) -> Path:
    galaxy("build", "--output-path", folder, checkout, folder=folder)
    (file,) = folder.glob("*.tar.gz")
    return file


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """This checkout's collection."""
    return built(ROOT, tmp_path_factory.mktemp("built"))


def test_the_built_collection_holds_what_git_keeps_for_it(file: Path) -> None:
    """This checkout has environments, caches and perhaps a vault: none of them is in it."""
    with tarfile.open(file) as collection:
        held = {member.name for member in collection.getmembers() if member.isfile()}
        links = {member.name: member.linkname for member in collection.getmembers() if member.issym()}
    kept = {name for name in listed_files(ROOT) if name.startswith(HANDED_ON) and not name.startswith("playbooks/move/")}
    assert held == kept | {"MANIFEST.json", "FILES.json"}
    assert links == LINKS


def test_settings_and_vaults_of_a_checkout_stay_there(tmp_path: Path) -> None:
    checkout = tmp_path / "checkout"
    for name in ("galaxy.yml", "README.md", "meta/runtime.yml", "group_vars/all/main.yml"):
        (checkout / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, checkout / name)
    for name in ("group_vars/all/own.yml", "group_vars/all/vault.yml", "group_vars/all/model.yml", "inventory/work.yml", "scripts/move", "todo.tar", ".env"):
        (checkout / name).parent.mkdir(parents=True, exist_ok=True)
        (checkout / name).write_text("mine: true\n")
    with tarfile.open(built(checkout, tmp_path)) as collection:
        held = {member.name for member in collection.getmembers() if member.isfile()}
    assert held == {"README.md", "meta/runtime.yml", "group_vars/all/main.yml", "MANIFEST.json", "FILES.json"}


class Installed:
    """The collection in a place of its own, used from an empty folder by somebody with a home of their own."""

    def __init__(self, file: Path, place: Path) -> None:
        self.place = place
        self.folder = place / "empty"
        self.folder.mkdir()
        galaxy("install", "--offline", "--no-deps", "--collections-path", place, file, folder=place)
        self.collection = place / "ansible_collections/todochat/platform"
        self.password = str(self.collection / "scripts/vault-password")

    def run(self, *arguments: str, **variables: str) -> tuple[int, str]:
        """Of ansible-playbook the status, and what it says; without the right to become root."""
        command = [str(Path(sys.executable).with_name("ansible-playbook")), *arguments, "--extra-vars=ansible_become=false"]
        given = environment(self.place) | {"ANSIBLE_STDOUT_CALLBACK": "todochat.platform.progress"} | variables
        done = subprocess.run(command, cwd=self.folder, env=given, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
        return done.returncode, " ".join((done.stdout + done.stderr).split())


@pytest.fixture(scope="module")
def installed(file: Path, tmp_path_factory: pytest.TempPathFactory) -> Installed:
    return Installed(file, tmp_path_factory.mktemp("installed"))


def test_each_playbook_of_the_installed_collection_can_be_read_from_an_empty_folder(installed: Installed) -> None:
    files = [path.relative_to(ROOT / "playbooks") for folder in ("", "vault") for path in (ROOT / "playbooks" / folder).glob("*.yml")]
    names = [f"todochat.platform.{str(path.with_suffix('')).replace('/', '.')}" for path in files]
    assert len(names) > 20
    assert installed.run(*names, "--syntax-check")[0] == 0


def test_the_whole_way_begins_there_as_it_does_in_a_checkout(installed: Installed) -> None:
    def tasks(playbook: str) -> str:
        return installed.run(playbook, "--list-tasks")[1].partition("play #1")[2]

    assert tasks("todochat.platform.site") == tasks(str(ROOT / "site.yml"))
    assert "todochat.platform.minikube : " in tasks("todochat.platform.site")


def test_the_state_is_said_from_there_with_the_command_that_comes_next(installed: Installed) -> None:
    status, said = installed.run("todochat.platform.status", f"--extra-vars={NOWHERE}")
    assert status == 0, said
    assert f"ansible-playbook todochat.platform.site -e {NOWHERE}" in said
    assert "make " not in said


def test_a_vault_is_made_from_there_with_the_password_of_the_collections_own_program(installed: Installed) -> None:
    status, said = installed.run("todochat.platform.vault.create", f"--extra-vars={NOWHERE}")
    assert status != 0
    assert f"Name its file in vault_password_file of ansible.cfg or in ANSIBLE_VAULT_PASSWORD_FILE; {installed.password} makes one." in said
    for _ in range(2):
        status, said = installed.run("todochat.platform.vault.create", f"--extra-vars={NOWHERE}", ANSIBLE_VAULT_PASSWORD_FILE=installed.password)
        assert status == 0, said
    assert (installed.place / "home/.config/todochat/nowhere-at-all/vault.yml").read_text().startswith("$ANSIBLE_VAULT;")
    assert installed.run("todochat.platform.vault.list", f"--extra-vars={NOWHERE}", ANSIBLE_VAULT_PASSWORD_FILE=installed.password)[0] == 0


@pytest.mark.parametrize("given", [["schedule"], ["mcp"], ["bundle", "-e", "file=/nowhere"]])
def test_what_needs_a_checkout_is_refused_in_a_sentence(installed: Installed, given: list[str]) -> None:
    status, said = installed.run(f"todochat.platform.{given[0]}", *given[1:], f"--extra-vars={NOWHERE}", ANSIBLE_VAULT_PASSWORD_FILE=installed.password)
    assert status != 0
    assert f"{installed.collection} is the installed collection, and this needs a checkout, so it is not done here, and nothing was changed" in said


def test_settings_that_would_not_count_are_refused(installed: Installed) -> None:
    folder = installed.place / "project"
    inventory, beside = folder / "inventory.yml", folder / "group_vars/all.yml"
    beside.parent.mkdir(parents=True)
    beside.write_text("deployment_name: nowhere-at-all\nvault_database_password: canary\n")
    inventory.write_text("all: {vars: {minikube_ports: []}, hosts: {localhost: {deployment_frontend_port: 31000}}}\n")
    status, said = installed.run(f"--inventory={inventory}", "todochat.platform.bundle", "--check")
    assert status != 0
    for name in ("deployment_name", "vault_database_password", "minikube_ports"):
        assert f"{name} is set for the group all of the inventory, and does not count there" in said
    assert "deployment_frontend_port is set" not in said
    assert "canary" not in said


def test_what_an_inventorys_file_says_for_any_group_is_refused_by_each_playbook(installed: Installed) -> None:
    inventory = installed.place / "groups.yml"
    inventory.write_text("all: {children: {todos: {hosts: {localhost: {}}, vars: {deployment_name: nowhere-at-all}}}}\n")
    for playbook in ("down", "backup", "vault.create"):
        enabled = {"ANSIBLE_CALLBACKS_ENABLED": "todochat.platform.one_run"}
        status, said = installed.run(f"--inventory={inventory}", f"todochat.platform.{playbook}", "--check", **enabled)
        assert status != 0
        assert "deployment_name is set for the group todos of the inventory, and does not count there" in said


def test_a_doctor_that_would_not_only_look_does_nothing(installed: Installed) -> None:
    for arguments in ([], ["--check"], ["--tags=preflight"]):
        status, said = installed.run("todochat.platform.doctor", *arguments, f"--extra-vars={NOWHERE}")
        assert status != 0
        assert "Run `ansible-playbook todochat.platform.doctor --check --tags preflight" in said


def test_each_role_says_what_it_is_and_where_it_runs() -> None:
    for role in sorted((ROOT / "roles").iterdir()):
        said = yaml.safe_load((role / "meta/main.yml").read_text(encoding="utf-8"))["galaxy_info"]
        assert said["license"] == "MIT"
        assert said["description"]
        assert said["platforms"] == [{"name": "Debian", "versions": ["bookworm", "trixie"]}]
