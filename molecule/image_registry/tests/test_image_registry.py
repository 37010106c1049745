"""The registry keeps what is pushed, also over a restart and a removal of its container."""

from __future__ import annotations

from conftest import Tester
from testinfra.host import Host

IMAGE = "127.0.0.1:5000/tests/pause"


def pushed(tester: Tester, pause: str) -> str:
    """Pushes an image; returns its name by digest, after it was taken away from Docker."""
    tester.sees(f"docker tag {pause} {IMAGE}:1 && docker push --quiet {IMAGE}:1")
    digest = tester.sees(f"docker image inspect --format '{{{{index .RepoDigests 0}}}}' {IMAGE}:1")
    tester.sees(f"docker rmi {IMAGE}:1 {pause}")
    return digest


def test_what_is_pushed_can_be_pulled_by_digest(tester: Tester, pause: str) -> None:
    tester.sees(f"docker pull --quiet {pushed(tester, pause)}")


def test_images_outlive_a_restart_of_docker_and_the_container(host: Host, tester: Tester, pause: str) -> None:
    image = pushed(tester, pause)
    host.check_output("systemctl restart docker")
    assert tester.sees("docker inspect --format '{{.State.Running}}' todo-registry") == "true"
    tester.sees("docker rm --force todo-registry")
    passed, output = tester.up("--tags image_registry")
    assert passed, output
    tester.sees(f"docker pull --quiet {image}")


def test_it_answers_on_this_machine_only(host: Host) -> None:
    listening = host.check_output("ss --listening --tcp --numeric --no-header 'sport = :5000'")
    assert "127.0.0.1:5000" in listening
    assert "0.0.0.0:5000" not in listening


def test_the_cluster_finds_it_at_its_fixed_address(tester: Tester) -> None:
    fetch = "import urllib.request; print(urllib.request.urlopen('http://192.168.85.250:5000/v2/', timeout=10).status)"
    assert tester.sees(f'python3 -c "{fetch}"') == "200"


def test_a_stopped_registry_is_started(tester: Tester) -> None:
    tester.sees("docker stop todo-registry")
    passed, output = tester.up("--tags image_registry")
    assert passed, output
    assert tester.sees("docker inspect --format '{{.State.Running}}' todo-registry") == "true"
