"""The installed collection takes the machine to the application and looks after it, without a checkout. The order matters: it is one long visit."""

from __future__ import annotations

import re
import time

import pytest
from conftest import OUTPUT, SYSTEM, Tester
from guide import blocks
from leaving import changed
from testinfra.host import Host

PYTHON = "$HOME/todochat/.venv/bin"
BUILD = """cd ~/todochat && python3 bootstrap -- ansible-galaxy collection build --output-path ~/project
cd ~/project && unshare --map-root-user --net ansible-galaxy collection install --offline -p collections todochat-platform-*.tar.gz"""
# Of the checkout the Python environment stays, which somebody without one makes by the collection's own lock file.
AWAY = "mkdir ~/away && cd ~/todochat && mv apps docs group_vars inventory meta playbooks plugins roles scripts site.yml ansible.cfg bootstrap Makefile ~/away"
REFUSED = "is the installed collection, and this needs a checkout, so it is not done here, and nothing was changed"


class Project:
    """A folder of the ordinary user's that has the collection."""

    def __init__(self, host: Host) -> None:
        self.host = host
        self.tester = Tester(host)

    def run(self, command: str) -> tuple[bool, str]:
        """Whether a command succeeds in it, and what it prints, which is kept below tests/output."""
        shell = f"mkdir -p ~/project && cd ~/project && PATH={PYTHON}:$PATH && {{ {command}\n}} 2>&1 < /dev/null"
        result = self.host.run("su --login tester --command %s", shell)
        OUTPUT.mkdir(exist_ok=True)
        (OUTPUT / f"{SYSTEM}-{time.time():.2f}.log").write_text(f"{command}\n{result.stdout}", encoding="utf-8")
        return result.rc == 0, str(result.stdout)

    def passes(self, command: str) -> str:
        passed, output = self.run(command)
        assert passed, f"{command}\n{output[-8000:]}"
        return output

    def refused(self, command: str, *phrases: str) -> None:
        passed, output = self.run(command)
        assert not passed, output
        said = " ".join(output.split())
        assert [phrase for phrase in phrases if phrase not in said] == [], output


@pytest.fixture(scope="module")
def project(host: Host) -> Project:
    return Project(host)


def test_it_is_installed_from_its_file_and_the_checkout_is_no_more(project: Project) -> None:
    project.passes(BUILD)
    (settings,) = blocks("docs/own-playbook.md", "ini")
    project.passes(f"cat > ansible.cfg << 'end'\n{settings}end")
    project.passes(AWAY)


def test_the_machine_is_looked_at_first(project: Project) -> None:
    said = project.passes("ansible-playbook todochat.platform.doctor --check --tags preflight")
    assert "Nothing stands in the way: run `ansible-playbook todochat.platform.site`" in said
    assert "changed=" in project.passes("ansible-playbook todochat.platform.site --check --diff")


def test_the_whole_way_leads_to_the_application(project: Project) -> None:
    said = project.passes("ansible-playbook todochat.platform.site")
    assert re.search(r"^ *Open +http://127\.0\.0\.1:30000$", said, re.MULTILINE), said
    assert "ansible-playbook todochat.platform.stop" in said
    assert re.search(r"\bmake (?!todo_app )[a-z]", said) is None, said  # "make todo_app a member of" is what was done
    assert changed(project.passes("ansible-playbook todochat.platform.site")) == 0


def test_what_there_is_is_said(project: Project) -> None:
    assert "all is well" in project.passes("ansible-playbook todochat.platform.status")
    assert "Nothing is wrong" in project.passes("ansible-playbook todochat.platform.diagnose --check")
    project.passes("ansible-playbook todochat.platform.logs")
    assert "database_password" in project.passes("ansible-playbook todochat.platform.vault.list")


def test_the_data_is_backed_up_and_put_back(project: Project) -> None:
    project.passes("ansible-playbook todochat.platform.backup -e file=~/todo.tar")
    project.passes("ansible-playbook todochat.platform.drill -e file=~/todo.tar")
    project.passes("ansible-playbook todochat.platform.restore -e file=~/todo.tar -e replace=todo")


def test_settings_of_a_project_count_for_its_host_and_are_gone_back_from(project: Project) -> None:
    inventory = "printf 'all:\\n  hosts:\\n    localhost:\\n' > hosts.yml && mkdir -p host_vars group_vars"
    setting = "app_release_backend_values: {replicaCount: 1, autoscaling: {enabled: false}}"
    project.passes(f"{inventory} && echo 'deployment_name: other' > group_vars/all.yml")
    project.refused("ansible-playbook -i hosts.yml todochat.platform.site", "deployment_name is set for the group all of the inventory")
    project.passes(f"rm group_vars/all.yml && echo '{setting}' > host_vars/localhost.yml")
    assert changed(project.passes("ansible-playbook -i hosts.yml todochat.platform.site")) > 0
    assert project.tester.kubectl("get deployment backend")["spec"]["replicas"] == 1
    project.passes("ansible-playbook todochat.platform.rollback")
    assert project.tester.kubectl("get deployment backend")["status"]["availableReplicas"] == 2


def test_a_secret_has_another_value(project: Project) -> None:
    project.passes("ansible-playbook todochat.platform.vault.rotate -e secret=checksum_key")


def test_what_needs_a_checkout_is_refused(project: Project) -> None:
    for playbook in ("schedule", "mcp"):
        project.refused(f"ansible-playbook todochat.platform.{playbook}", REFUSED)


def test_it_stops_starts_and_goes(project: Project) -> None:
    said = project.passes("ansible-playbook todochat.platform.stop")
    assert "Back again: ansible-playbook todochat.platform.start" in said
    project.passes("ansible-playbook todochat.platform.start")
    project.passes("ansible-playbook todochat.platform.down -e remove=cluster,data")
    assert project.host.check_output("docker ps --all --quiet --filter name=todo") == ""
