"""On an engine with containerd's image store the application is deployed, an edit rolled out and taken back. The order matters."""

from __future__ import annotations

import json

import pytest
from deployed import RELEASES, Deployment
from testinfra.host import Host

DAEMON = "/etc/docker/daemon.json"


@pytest.fixture(scope="module")
def deployment(host: Host) -> Deployment:
    """What is going to be deployed."""
    return Deployment(host)


def test_the_engine_keeps_its_images_in_containerds_store(deployment: Deployment) -> None:
    settings = json.dumps({"features": {"containerd-snapshotter": True}})
    deployment.host.check_output(f"mkdir -p /etc/docker; echo '{settings}' > {DAEMON}; systemctl restart docker")
    engine = json.loads(deployment.host.check_output("docker info --format '{{json .}}'"))
    assert ["driver-type", "io.containerd.snapshotter.v1"] in engine["DriverStatus"]
    assert engine["ServerVersion"].startswith("26.1.")


def test_it_is_deployed_and_stays_as_it_is(deployment: Deployment) -> None:
    deployment.up("")
    deployment.tester.up_changes_nothing("")
    assert "all is well" in deployment.passes("make status")


def test_an_edit_is_rolled_out_by_its_digest_and_taken_back(deployment: Deployment) -> None:
    before = {release: deployment.tester.built(release) for release in RELEASES}
    deployment.edit()
    deployment.up("--tags app_images,app_release,app_check")
    after = {release: deployment.tester.built(release) for release in RELEASES}
    assert all(before[release] != after[release] for release in RELEASES)
    for release in RELEASES:
        assert {image.partition("@")[2] for image in deployment.pods(release).values()} == {after[release]}
    deployment.passes("make rollback")
    for release in RELEASES:
        assert {image.partition("@")[2] for image in deployment.pods(release).values()} == {before[release]}


def test_it_goes_with_its_images_and_the_engine(deployment: Deployment) -> None:
    deployment.passes("make down ARGS='-e remove=data,installed'")
    for folder in ("/var/lib/docker", "/var/lib/containerd"):
        assert not deployment.host.file(folder).exists
    assert deployment.host.file(DAEMON).exists, "that was somebody else's"
