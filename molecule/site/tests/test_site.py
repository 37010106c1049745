"""What the fresh machine is after README's commands: behaviour first, then what it consists of."""

from __future__ import annotations

import json
from typing import Any

import pytest
from testinfra.host import Host

URLS = ("http://127.0.0.1:30000", "http://192.168.85.2:30000")
DEPLOYMENTS = ("backend", "frontend")
MEGABYTE = 1_000_000


def as_tester(host: Host, command: str) -> str:
    """What a command prints that the user gives after logging in."""
    result = host.run("su --login tester --command %s", command)
    assert result.rc == 0, f"{command}: {result.stdout}{result.stderr}"
    return str(result.stdout)


def kubectl(host: Host, arguments: str) -> Any:
    """The objects that kubectl returns with the kubeconfig that is named at the end of `make up`."""
    return json.loads(as_tester(host, f"KUBECONFIG=~/.local/state/todochat/todo/kubeconfig kubectl --namespace todo {arguments} --output json"))


@pytest.mark.parametrize("url", URLS)
def test_the_application_answers_at_both_addresses(host: Host, url: str) -> None:
    fetch = "import sys, urllib.request; print(urllib.request.urlopen(sys.argv[1], timeout=10).status)"
    assert host.check_output("python3 -c %s %s", fetch, f"{url}/health/ready") == "200"


@pytest.mark.parametrize("name", DEPLOYMENTS)
def test_two_replicas_are_available_and_none_was_ever_killed(host: Host, name: str) -> None:
    assert kubectl(host, f"get deployment {name}")["status"]["availableReplicas"] == 2
    for pod in kubectl(host, f"get pods --selector app.kubernetes.io/instance={name}")["items"]:
        for container in pod["status"]["containerStatuses"]:
            assert container["restartCount"] == 0, container


@pytest.mark.parametrize(("name", "megabytes"), [("frontend", 200), ("backend", 300)])
def test_images_are_small(host: Host, name: str, megabytes: int) -> None:
    images = host.check_output("docker images --format '{{.ID}}' %s", f"127.0.0.1:5000/todo/{name}").split()
    assert images
    assert int(host.check_output("docker image inspect --format '{{.Size}}' %s", images[0])) < megabytes * MEGABYTE


def test_running_images_are_named_by_digest(host: Host) -> None:
    for name in DEPLOYMENTS:
        template = kubectl(host, f"get deployment {name}")["spec"]["template"]["spec"]
        for container in template["containers"]:
            assert "@sha256:" in container["image"]


def test_docker_is_new_enough_and_the_user_may_use_it(host: Host) -> None:
    assert int(as_tester(host, "docker version --format '{{.Server.Version}}'").split(".")[0]) >= 24


def test_of_debian_13_only_docker_is_taken(host: Host) -> None:
    newer = host.check_output("dpkg-query --show --showformat '${Package} ${Version}\n'")
    packages = {line.split()[0] for line in newer.splitlines() if "deb13" in line}
    assert packages <= {"docker.io", "docker-cli", "docker-buildx", "docker-compose", "containerd"}
    upgrade = host.check_output("apt-get --simulate dist-upgrade")
    assert "trixie" not in upgrade
    assert "deb13" not in upgrade


def test_nothing_was_installed_into_the_systems_python(host: Host) -> None:
    assert host.check_output("find /usr/local/lib -path '*-packages/*' -name '*.py'") == ""


def test_the_secrets_are_the_users_alone(host: Host) -> None:
    for path in ("/home/tester/.config/todochat/vault-password", "/home/tester/.config/todochat/todo/vault.yml"):
        file = host.file(path)
        assert file.user == "tester"
        assert file.mode == 0o600
    assert host.file("/home/tester/.config/todochat/todo/vault.yml").content_string.startswith("$ANSIBLE_VAULT;")


@pytest.mark.parametrize("module", ["database_restore", "release_rollback"])
def test_what_the_documentation_leaves_to_a_module_can_be_read_there(host: Host, module: str) -> None:
    assert f"/plugins/modules/{module}.py" in as_tester(host, f"cd todochat && python3 bootstrap -- ansible-doc todochat.platform.{module}")
