"""What was built from package registries works, and building leaves nothing behind."""

from __future__ import annotations

import json

from conftest import Tester
from testinfra.host import Host


def test_the_built_program_is_the_pinned_version(tester: Tester) -> None:
    unpack = (
        "import glob, io, json, tarfile; image = tarfile.open(glob.glob('store/etcd/*/etcd.tar')[0]);"
        " (layer,) = json.load(image.extractfile('manifest.json'))[0]['Layers'];"
        " tarfile.open(fileobj=io.BytesIO(image.extractfile(layer).read())).extract('usr/local/bin/etcd', '/tmp/unpacked')"
    )
    tester.sees(f'python3 -c "{unpack}"')
    assert "etcd Version: 3.6.6" in tester.sees("/tmp/unpacked/usr/local/bin/etcd --version")


def test_the_built_image_names_itself_as_the_cluster_expects(tester: Tester) -> None:
    manifest = json.loads(tester.sees("tar -xOf ~/store/pause/*/pause.tar manifest.json"))
    assert manifest[0]["RepoTags"] == ["registry.k8s.io/pause:3.10.1"]


def test_its_origin_is_known(tester: Tester) -> None:
    assert json.loads(tester.sees("cat ~/store/etcd/*/record.json"))["origin"] == "built"


def test_the_compilers_caches_are_gone(host: Host) -> None:
    assert not host.file("/home/tester/.cache/todochat/build").exists
    assert sorted(host.file("/home/tester/store").listdir()) == ["etcd", "pause"]


def test_all_of_it_belongs_to_the_user(host: Host) -> None:
    assert host.check_output("find /home/tester/store ! -user tester") == ""
