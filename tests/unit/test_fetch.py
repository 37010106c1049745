"""Downloads of files and images, from a web server on loopback that imitates upstream."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import os
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from loopback import Reply, Request, Server, served

from ansible_collections.todochat.platform.plugins.module_utils.base import progress
from ansible_collections.todochat.platform.plugins.module_utils.base.errors import UserError
from ansible_collections.todochat.platform.plugins.module_utils.store import transfer
from ansible_collections.todochat.platform.plugins.module_utils.store.download import Source
from ansible_collections.todochat.platform.plugins.module_utils.store.lock import Artifact, ArtifactError
from ansible_collections.todochat.platform.plugins.module_utils.store.store import LOCK, Store
from ansible_collections.todochat.platform.plugins.module_utils.store.transfer import Client
from ansible_collections.todochat.platform.plugins.module_utils.store.upstream_registry import Reference, UpstreamRegistry
from ansible_collections.todochat.platform.plugins.modules import artifact as module

CONTENT = b"the program"
INDEX = "application/vnd.oci.image.index.v1+json"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar"


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def tar(files: dict[str, bytes]) -> bytes:
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return target.getvalue()


def tool(url: str, content: bytes = CONTENT, **changes: Any) -> Artifact:
    """A file, recorded with the checksum of ``content``."""
    given = {"sha256": {"amd64": sha256(content)}, **changes}
    return Artifact(name="tool", version="v1", key="0" * 64, seconds=1, build={}, url=url + "/release/{version}/{arch}/tool", **given)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """An empty store."""
    return Store(tmp_path / "store")


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits before another try."""
    monkeypatch.setattr(transfer, "PAUSES", (0, 0))


def empty(store: Store) -> bool:
    return [path.name for path in store.path.iterdir()] in ([], [LOCK])


# Files


def test_a_file_is_stored_with_its_origin(server: Server, store: Store) -> None:
    server.serves({"/release/v1/amd64/tool": CONTENT})
    artifact = tool(server.url)
    Source("amd64").fetch(artifact, store)
    assert store.verified(artifact).read_bytes() == CONTENT
    assert store.record(artifact)["origin"] == f"{server.url}/release/v1/amd64/tool"
    assert sorted(path.name for path in store.folder(artifact).iterdir()) == ["record.json", "tool"]


def test_of_an_archive_the_named_member_is_stored(server: Server, store: Store) -> None:
    archive = gzip.compress(tar({"linux-amd64/README": b"no", "linux-amd64/tool": CONTENT}))
    server.serves({"/release/v1/amd64/tool": archive})
    artifact = tool(server.url, archive, member="linux-{arch}/tool")
    Source("amd64").fetch(artifact, store)
    assert store.verified(artifact).read_bytes() == CONTENT
    assert sorted(path.name for path in store.folder(artifact).iterdir()) == ["record.json", "tool"]


def test_a_mirror_keeps_upstreams_paths(server: Server, store: Store, tmp_path: Path) -> None:
    server.serves({"/mirror/release/v1/amd64/tool": CONTENT})
    artifact = tool("https://upstream.example")
    Source("amd64", f"{server.url}/mirror/").fetch(artifact, store)
    assert store.verified(artifact).read_bytes() == CONTENT

    folder = tmp_path / "a mirror"
    (folder / "release/v1/amd64").mkdir(parents=True)
    (folder / "release/v1/amd64/tool").write_bytes(CONTENT)
    other = Store(tmp_path / "other")
    Source("amd64", str(folder)).fetch(artifact, other)
    assert other.verified(artifact).read_bytes() == CONTENT


@pytest.mark.parametrize("source", ["upstream", "mirror"])
def test_other_content_is_refused_and_nothing_of_it_stays(server: Server, store: Store, source: str) -> None:
    server.serves({"/release/v1/amd64/tool": b"something else"})
    mirror = server.url if source == "mirror" else ""
    with pytest.raises(ArtifactError) as raised:
        Source("amd64", mirror).fetch(tool(server.url), store)
    for words in ("tool", f"{server.url}/release/v1/amd64/tool", f"expected SHA-256 {sha256(CONTENT)}", f"found {sha256(b'something else')}"):
        assert words in str(raised.value)
    assert empty(store)


def test_a_download_that_is_cut_off_each_time_is_named_and_not_used(server: Server, store: Store) -> None:
    server.answer = lambda _: Reply(body=CONTENT[:5], length=len(CONTENT))
    with pytest.raises(ArtifactError, match=r"/release/v1/amd64/tool was cut off 3 times, at last after 0.0 MB: .* 6 more expected.* goes on from there"):
        Source("amd64").fetch(tool(server.url), store)
    assert not store.has(tool(server.url))
    assert len(server.requests) == 3


def test_a_download_that_never_ends_is_broken_off_and_nothing_of_it_stays(server: Server, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "COPY_SECONDS", -1)
    server.serves({"/release/v1/amd64/tool": CONTENT})
    with pytest.raises(ArtifactError, match=r"/tool cannot be read: not at its end after"):
        Source("amd64").fetch(tool(server.url), store)
    assert empty(store)


def test_a_missing_file_and_a_dead_host_are_named(server: Server, store: Store, nobody: str, tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match=r"/tool answers 404"):
        Source("amd64").fetch(tool(server.url), store)
    with pytest.raises(ArtifactError, match=rf"http://{nobody}/.*/tool .*refused"):
        Source("amd64").fetch(tool(f"http://{nobody}"), store)
    with pytest.raises(ArtifactError, match=rf"artifact_mirror={tmp_path} does not have file://.*/tool: No such file"):
        Source("amd64", str(tmp_path)).fetch(tool("https://upstream.example"), store)
    assert empty(store)


def test_what_is_unrecorded_is_refused_with_the_ways_out(server: Server, store: Store) -> None:
    server.serves({"/release/v1/arm64/tool": CONTENT})
    with pytest.raises(ArtifactError) as raised:
        Source("arm64").fetch(tool(server.url), store)
    for words in ("tool v1", "no checksum for arm64", "`make lock`", "artifact_source=auto"):
        assert words in str(raised.value)
    assert server.requests == []


# Where it is installed


def test_a_program_of_that_name_elsewhere_in_the_search_path_stays_the_one_that_is_called(
    server: Server, store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.serves({"/release/v1/amd64/tool": CONTENT})
    artifact, theirs, link = tool(server.url), tmp_path / "usr/bin/tool", tmp_path / "usr/local/bin/tool"
    module.obtain([artifact], store, Source("amd64"), "auto", module.Change(check_mode=False))
    for folder in (theirs.parent, link.parent):
        folder.mkdir(parents=True)
    theirs.write_text("#!/bin/sh\n")
    theirs.chmod(0o755)
    monkeypatch.setenv("PATH", f"{link.parent}:{theirs.parent}")
    wanted = {"path": f"{tmp_path}/opt/{{name}}", "link": f"{link.parent}/{{name}}", "owner": None}
    module.install(wanted, artifact, "amd64", store, module.Change(check_mode=False))
    assert (tmp_path / "opt/tool").read_bytes() == CONTENT
    assert not os.path.lexists(link)
    theirs.unlink()
    module.install(wanted, artifact, "amd64", store, module.Change(check_mode=False))
    assert link.readlink() == tmp_path / "opt/tool"


# Which way is gone


def test_auto_builds_what_cannot_be_reached_or_is_unrecorded_and_downloads_the_rest(server: Server, store: Store, nobody: str) -> None:
    server.serves({"/release/v1/amd64/tool": CONTENT})
    reachable, dead, unrecorded = tool(server.url), tool(f"http://{nobody}"), tool(server.url, sha256={})
    for artifact, to_build in ((dead, [dead]), (unrecorded, [unrecorded])):
        change = module.Change(check_mode=False)
        assert module.obtain([artifact], store, Source("amd64"), "auto", change) == to_build
        assert change.sentences == []
    assert server.requests == []

    assert module.obtain([reachable], store, Source("amd64"), "auto", module.Change(check_mode=False)) == []
    assert store.has(reachable)
    asked = len(server.requests)
    again = module.Change(check_mode=False)
    assert module.obtain([reachable], store, Source("amd64"), "auto", again) == []
    assert (again.sentences, len(server.requests)) == ([], asked)


def test_upstream_alone_builds_nothing(store: Store, nobody: str) -> None:
    with pytest.raises(UserError, match=f"{nobody} cannot be reached") as raised:
        module.obtain([tool(f"http://{nobody}")], store, Source("amd64"), "upstream", module.Change(check_mode=False))
    assert raised.value.details == f"Tried:\n  {nobody}: http://{nobody}: [Errno 111] Connection refused"


def test_check_mode_says_what_would_be_downloaded_and_leaves_the_disk_alone(server: Server, store: Store) -> None:
    server.serves({"/release/v1/amd64/tool": CONTENT})
    change = module.Change(check_mode=True)
    assert module.obtain([tool(server.url)], store, Source("amd64"), "auto", change) == []
    assert change.sentences == [f"tool v1 is downloaded from {server.url}/release/v1/amd64/tool"]
    assert not store.path.exists()


def test_a_host_is_asked_once_whatever_it_says(server: Server) -> None:
    server.answer = lambda _: Reply(403)
    source = Source("amd64")
    assert source.offers(tool(server.url))
    assert source.offers(tool(server.url))
    assert [request.method for request in server.requests] == ["HEAD"]


def test_a_mirror_that_is_not_named_is_asked_for(tmp_path: Path) -> None:
    given = {"lock": str(tmp_path / "lock.yml"), "store": str(tmp_path), "source": "mirror", "mirror": ""}
    done = subprocess.run(
        [sys.executable, module.__file__],
        input=json.dumps({"ANSIBLE_MODULE_ARGS": given}),
        env={"PYTHONPATH": ":".join(path for path in sys.path if path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "artifact_mirror" in json.loads(done.stdout)["msg"]


# Images


class Upstream:
    """A registry with one image of two layers for two architectures; pulling needs a token, layers lie elsewhere."""

    def __init__(self, server: Server, storage: Server) -> None:
        self.server, self.storage = server, storage
        self.files: dict[str, bytes] = {}
        self.replaced: dict[str, bytes] = {}
        self.layers = [tar({"etc/os-release": b"one"}), tar({"usr/bin/node": b"two"})]
        self.packed = [gzip.compress(self.layers[0]), self.layers[1]]
        self.kinds = [f"{LAYER}+gzip", LAYER]
        self.diff_ids = [f"sha256:{sha256(layer)}" for layer in self.layers]
        self.config_besides: dict[str, Any] = {}
        self.token_status = 200
        server.answer, storage.answer = self.answer, self.answer_of_storage

    def publish(self) -> Artifact:
        """Puts everything where its digest says; returns the artifact."""
        layers = [{"mediaType": kind, "digest": self._blob(layer)} for kind, layer in zip(self.kinds, self.packed, strict=True)]
        config = {"config": {"Entrypoint": ["/usr/bin/node"], "Env": ["A=B"], **self.config_besides}, "rootfs": {"type": "layers", "diff_ids": self.diff_ids}}
        self.config = self._blob(json.dumps(config).encode())
        manifest = json.dumps({"mediaType": MANIFEST, "config": {"digest": self.config}, "layers": layers}).encode()
        self.manifest = sha256(manifest)
        others = [{"digest": "sha256:" + "0" * 64, "platform": {"os": "linux", "architecture": "s390x"}}]
        ours = {"digest": f"sha256:{self.manifest}", "platform": {"os": "linux", "architecture": "amd64"}}
        index = json.dumps({"mediaType": INDEX, "manifests": [*others, ours]}).encode()
        self.index = sha256(index)
        for content in (manifest, index):
            self.files[f"/v2/library/node/manifests/sha256:{sha256(content)}"] = content
        self.files["/v2/library/node/manifests/20"] = index
        recorded = {"amd64": self.index, "arm64": self.index}
        upstream = "upstream.example/library/node:20"
        return Artifact(name="node", version="20", key="1" * 64, seconds=1, build={}, sha256=recorded, upstream_image=upstream)

    def _blob(self, content: bytes) -> str:
        self.files[f"/v2/library/node/blobs/sha256:{sha256(content)}"] = content
        return f"sha256:{sha256(content)}"

    def answer(self, request: Request) -> Reply:
        path, _, query = request.path.partition("?")
        if path == "/token":
            assert query == "service=registry.example&scope=repository%3Alibrary%2Fnode%3Apull"
            return Reply(self.token_status, json.dumps({"token": "pass"}).encode())
        if request.headers["Authorization"] != "Bearer pass":
            scope = f'Bearer realm="{self.server.url}/token",service="registry.example",scope="repository:library/node:pull"'
            return Reply(401, headers={"WWW-Authenticate": scope})
        if path not in self.files:
            return Reply(404)
        if "/blobs/" in path:
            return Reply(307, headers={"Location": self.storage.url + path})
        return Reply(body=self.replaced.get(path, self.files[path]))

    def answer_of_storage(self, request: Request) -> Reply:
        if request.headers["Authorization"]:
            return Reply(400, b"only one authentication mechanism allowed")
        return Reply(body=self.replaced.get(request.path, self.files[request.path]))


@pytest.fixture
def upstream(server: Server) -> Iterator[Upstream]:
    """The registry, before anything is published."""
    with served() as storage:
        yield Upstream(server, storage)


def test_an_image_becomes_an_archive_that_docker_loads(upstream: Upstream, store: Store) -> None:
    artifact = upstream.publish()
    Source("amd64", upstream.server.url).fetch(artifact, store)
    assert sorted(path.name for path in store.folder(artifact).iterdir()) == ["node.tar", "record.json"]
    with tarfile.open(store.verified(artifact)) as archive:
        files = {member.name: archive.extractfile(member).read() for member in archive}  # type: ignore[union-attr]
    [manifest] = json.loads(files["manifest.json"])
    config = json.loads(files[manifest["Config"]])
    assert manifest["RepoTags"] == [artifact.reference]
    assert [files[name] for name in manifest["Layers"]] == upstream.layers
    assert config["rootfs"]["diff_ids"] == upstream.diff_ids
    assert (config["os"], config["architecture"]) == ("linux", "amd64")
    assert config["config"]["Entrypoint"] == ["/usr/bin/node"]
    assert "A=B" in config["config"]["Env"]


def test_what_an_image_sets_to_nothing_is_not_set(upstream: Upstream, store: Store) -> None:
    upstream.config_besides = {"Env": None, "Cmd": None, "Labels": None}
    artifact = upstream.publish()
    Source("amd64", upstream.server.url).fetch(artifact, store)
    with tarfile.open(store.verified(artifact)) as archive:
        [manifest] = json.load(archive.extractfile("manifest.json"))  # type: ignore[arg-type]
        config = json.load(archive.extractfile(manifest["Config"]))["config"]  # type: ignore[arg-type]
    assert [entry.partition("=")[0] for entry in config.pop("Env")] == ["PATH"]
    assert config == {"Entrypoint": ["/usr/bin/node"]}


def test_an_image_comes_from_a_folder_too(upstream: Upstream, store: Store, tmp_path: Path) -> None:
    artifact = upstream.publish()
    for path, content in upstream.files.items():
        file = tmp_path / "mirror" / path.lstrip("/")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
    Source("amd64", str(tmp_path / "mirror")).fetch(artifact, store)
    assert store.has(artifact)
    assert upstream.server.requests == []


@pytest.mark.parametrize("part", ["index", "manifest", "config", "layer"])
def test_what_is_not_what_its_digest_says_is_refused(upstream: Upstream, store: Store, part: str) -> None:
    artifact = upstream.publish()
    path = {
        "index": f"/v2/library/node/manifests/sha256:{upstream.index}",
        "manifest": f"/v2/library/node/manifests/sha256:{upstream.manifest}",
        "config": f"/v2/library/node/blobs/{upstream.config}",
        "layer": f"/v2/library/node/blobs/sha256:{sha256(upstream.packed[0])}",
    }[part]
    altered = gzip.compress(tar({"etc/os-release": b"evil"})) if part == "layer" else upstream.files[path] + b" "
    upstream.replaced[path] = altered
    with pytest.raises(ArtifactError) as raised:
        Source("amd64", upstream.server.url).fetch(artifact, store)
    for words in (path, f"expected SHA-256 {path.rpartition(':')[2]}", f"found {sha256(altered)}", "not used"):
        assert words in str(raised.value)
    assert empty(store)


def test_a_layer_that_unpacks_to_something_else_is_refused(upstream: Upstream, store: Store) -> None:
    upstream.diff_ids[0] = "sha256:" + "ab" * 32
    artifact = upstream.publish()
    with pytest.raises(ArtifactError, match=f"unpacked, is not what the lock file names: expected SHA-256 {'ab' * 32}"):
        Source("amd64", upstream.server.url).fetch(artifact, store)
    assert not store.has(artifact)


def test_a_layer_in_a_packing_that_cannot_be_read_is_named(upstream: Upstream, store: Store) -> None:
    upstream.kinds[1] = f"{LAYER}+zstd"
    with pytest.raises(ArtifactError, match="zstd cannot be read"):
        Source("amd64", upstream.server.url).fetch(upstream.publish(), store)


def test_an_image_for_other_machines_only_is_named(upstream: Upstream, store: Store) -> None:
    with pytest.raises(ArtifactError, match="library/node has no image for linux/arm64"):
        Source("arm64", upstream.server.url).fetch(upstream.publish(), store)
    assert empty(store)


def test_a_registry_that_gives_no_token_is_named(upstream: Upstream, store: Store) -> None:
    upstream.token_status = 503
    with pytest.raises(ArtifactError, match=r"/token\?service=.* gives no token to read .*/v2/library/node .*503"):
        Source("amd64", upstream.server.url).fetch(upstream.publish(), store)


def test_an_image_that_breaks_off_is_refused_by_name(upstream: Upstream, store: Store) -> None:
    artifact, server = upstream.publish(), upstream.server
    server.answer = lambda _: Reply(body=b"{", length=100)
    with pytest.raises(ArtifactError, match=f"manifests/sha256:{artifact.recorded('amd64')} cannot be read: IncompleteRead"):
        Source("amd64", server.url).fetch(artifact, store)
    assert empty(store)


def test_a_tags_digest_is_that_of_the_manifest_it_names(upstream: Upstream) -> None:
    upstream.publish()
    reference = Reference.parse("docker.io/library/node:20")
    assert UpstreamRegistry(reference, Client(upstream.server.url)).digest() == upstream.index
    with pytest.raises(ArtifactError, match=r"does not have .*/manifests/21: it answers 404 .* what is at docker.io/library/node:21"):
        UpstreamRegistry(Reference.parse("docker.io/library/node:21"), Client(upstream.server.url)).digest()


def test_references_are_taken_apart_and_docker_hub_is_asked_where_it_answers() -> None:
    reference = Reference.parse("registry.k8s.io/coredns/coredns:v1.12.1")
    assert reference == Reference("registry.k8s.io", "coredns/coredns", "v1.12.1")
    assert UpstreamRegistry(Reference.parse("docker.io/library/node:20")).address == "https://registry-1.docker.io/v2/library/node"
