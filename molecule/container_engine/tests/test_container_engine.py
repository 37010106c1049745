"""What Docker can do after the role, and what the role refuses."""

from __future__ import annotations

from conftest import Tester
from stored import pause
from testinfra.host import Host

__all__ = ["pause"]


def test_the_user_runs_a_container_without_sudo(tester: Tester, pause: str) -> None:
    tester.sees(f"docker run --detach --name waits {pause}")
    assert tester.sees("docker inspect --format '{{.State.Running}}' waits") == "true"
    tester.sees("docker rm --force waits")


def test_a_privileged_container_starts(tester: Tester, pause: str) -> None:
    tester.sees(f"docker run --detach --privileged --name may-all {pause}")
    assert tester.sees("docker inspect --format '{{.State.Running}}' may-all") == "true"
    tester.sees("docker rm --force may-all")


def test_docker_is_new_enough_and_has_its_plugins(tester: Tester) -> None:
    assert int(tester.sees("docker version --format '{{.Server.Version}}'").split(".")[0]) >= 24
    assert tester.sees("docker buildx version")
    assert tester.sees("docker compose version")


def test_docker_starts_at_boot(host: Host) -> None:
    assert host.service("docker").is_running
    assert host.service("docker").is_enabled


def test_a_stopped_engine_is_started(host: Host, tester: Tester) -> None:
    host.check_output("systemctl stop docker.socket docker.service")
    passed, output = tester.up("--tags container_engine")
    assert passed, output
    assert host.service("docker").is_running


def test_dpkg_is_left_in_order(host: Host) -> None:
    assert host.check_output("dpkg --audit") == ""


def test_an_unknown_user_is_named(tester: Tester) -> None:
    tester.refused("""--tags container_engine -e '{"container_engine_users": ["nobody-here"]}'""", "nobody-here", "Create the user first")


def test_what_the_group_docker_means_is_said_before_it_is_given_and_can_be_declined(host: Host, tester: Tester) -> None:
    said, declined = "tester will be put into the group docker", "-e deployment_minikube_user=minikube"
    host.check_output("gpasswd --delete tester docker")
    passed, output = tester.make("plan", "--tags container_engine")
    assert passed, output
    told = " ".join(output.split())
    assert (said in told, "can become root without a password" in told, declined in told) == (True, True, True)
    tester.up_changes_nothing(f"--tags container_engine {declined}")
    assert "tester" not in host.group("docker").members
    passed, output = tester.up("--tags container_engine")
    assert passed, output
    assert said in " ".join(output.split())
    assert "tester" in host.group("docker").members
    assert said not in " ".join(tester.up("--tags container_engine")[1].split())
