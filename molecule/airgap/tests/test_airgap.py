"""What people do every day passes on a machine that reaches nothing, and nothing of it tries to leave, in the order in which it is told here."""

from __future__ import annotations

import re
import shlex

import pytest
from conftest import SYSTEM, Tester
from deployed import Deployment
from testinfra.host import Host

EGRESS = "/var/log/egress"
# By the first test here.
TRIED = "203.0.113.9"
# Questions to the name server that need no answer. At each start minikube asks for newer versions of itself, for the image of a storage provisioner,
# which nothing here uses (and who it is, for a login there), and whether its node reaches the registry of Kubernetes; no option of it has it leave that
# out. CoreDNS asks, by a name of two random numbers, whether its questions come back to it, and by the root's, which is empty, whether anybody answers.
LOOKS = re.compile(r"udp to \S+:53 for (|storage\.googleapis\.com|gcr\.io|metadata\.google\.internal|registry\.k8s\.io|\d+\.\d+)", re.IGNORECASE)
# Where the API server looks for the metrics server at a start, as long as the pods' network is not there yet.
PODS = re.compile(r"tcp to 10\.244\.\d+\.\d+:\d+")
# A bundle of one of its packages, with one bit changed.
FLIP = """
import hashlib, json, shutil
from pathlib import Path
there, copy = Path("/media/bundle"), Path("/home/tester/copy")
manifest = json.loads((there / "manifest.json").read_bytes())
manifest["files"] = [next(entry for entry in manifest["files"] if entry["kind"] == "npm")]
name = manifest["files"][0]["sha256"]
content = bytearray((there / "blobs/sha256" / name).read_bytes())
content[9] ^= 1
(copy / "blobs/sha256").mkdir(parents=True)
said = json.dumps(manifest).encode()
(copy / "manifest.json").write_bytes(said)
(copy / "manifest.json.sha256").write_text(f"{hashlib.sha256(said).hexdigest()}  manifest.json\\n")
shutil.copy(there / "sbom.cdx.json", copy)
(copy / "blobs/sha256" / name).write_bytes(content)
print(name, manifest["files"][0]["path"])
"""
SAY = """
from ansible_collections.todochat.platform.plugins.module_utils.acceptance import Visitor, account
visitor = Visitor("http://127.0.0.1:30000")
with account(visitor):
    print(visitor.call("say", "POST", "/api/chat", {"message": "hello"})["reply"])
"""
SAYS = f"PYTHONPATH=.ansible/collections .venv/bin/python -c {shlex.quote(SAY)}"


@pytest.fixture
def deployment(host: Host) -> Deployment:
    return Deployment(host)


def tries(host: Host) -> set[str]:
    """What tried to leave since the machine was there."""
    return set(str(host.file(EGRESS).content_string).splitlines()) - {"watching"}


def test_it_is_watched(host: Host) -> None:
    host.run("timeout 1 python3 -c %s", f"import socket; socket.create_connection(('{TRIED}', 443))")
    assert f"tcp to {TRIED}:443" in tries(host)


def test_a_signature_is_checked_with_what_apt_has_of_the_bundle(deployment: Deployment) -> None:
    passed, output = deployment.run("make status FROM=/media/bundle KEY=/media/bundle/key.pub")
    assert not passed
    assert "ssh-keygen, which checks signatures, is missing. Install openssh-client" in output
    deployment.passes("sudo apt-get install --yes --no-install-recommends openssh-client")
    output = deployment.passes("make up FROM=/media/bundle KEY=/media/bundle/key.pub")
    assert "/media/bundle is signed by /media/bundle/key.pub" in output
    assert "changed=0" in output
    deployment.passes("ssh-keygen -q -t ed25519 -N '' -f ~/other")
    passed, output = deployment.run("make status FROM=/media/bundle KEY=$HOME/other.pub")
    assert not passed
    assert "is no signature of this bundle by /home/tester/other.pub" in output


def test_a_flipped_byte_is_named(deployment: Deployment) -> None:
    name, path = deployment.passes(f"python3 -c {shlex.quote(FLIP)}").split()
    # in a cache of its own: what is there already was compared when it was taken
    passed, output = deployment.run("XDG_CACHE_HOME=~/elsewhere make status FROM=/home/tester/copy")
    assert not passed
    assert f"/home/tester/copy is damaged, and was not used: {path} (/home/tester/copy/blobs/sha256/{name} has the SHA-256 " in output
    deployment.passes("rm -r ~/elsewhere ~/copy")


def test_an_edited_line_is_built_and_served_and_taken_back(deployment: Deployment) -> None:
    hello = deployment.passes(SAYS)
    deployment.passes("sed -i 's/Hello! What would you like to do?/Ahoy! What is next?/' apps/backend/src/todo_backend/chat/replies.py")
    deployment.passes("make up ARGS='--tags app_images,app_release,app_check'")
    assert deployment.passes(SAYS).startswith("Ahoy!")
    deployment.passes("make rollback")
    assert deployment.passes(SAYS) == hello


def test_what_is_done_every_day_passes(deployment: Deployment) -> None:
    deployment.passes("make up")
    assert "make open   (all is well)" in deployment.passes("make status")
    assert "Nothing is wrong." in deployment.passes("make diagnose")
    deployment.passes("make logs")
    deployment.passes("make backup FILE=/home/tester/todo.tar")
    deployment.passes("make restore FILE=/home/tester/todo.tar ARGS='-e replace=todo'")
    deployment.passes("make vault DO=rotate ARGS='-e secret=jwt_keys'")
    deployment.passes("make mcp")
    deployment.passes("make stop")
    deployment.passes("make start")
    assert "make open   (all is well)" in deployment.passes("make status")


@pytest.mark.parametrize("name", ["backend", "frontend"])
def test_both_services_run_from_the_registry_beside_the_cluster(tester: Tester, name: str) -> None:
    assert tester.kubectl(f"get deployment {name}")["status"]["availableReplicas"] == 2
    for pod in tester.kubectl(f"get pods --selector app.kubernetes.io/instance={name}")["items"]:
        assert pod["spec"]["containers"][0]["image"].startswith(f"127.0.0.1:5000/todo/{name}@sha256:")


def test_nothing_tried_to_leave(host: Host) -> None:
    others = {one for one in tries(host) if not LOOKS.fullmatch(one) and not PODS.fullmatch(one) and TRIED not in one}
    assert others == set(), f"{SYSTEM} tried to reach {sorted(others)}"
