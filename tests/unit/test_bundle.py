"""Bundles: what is written is what is taken, compared on the way; whatever is not as it has to be is named, and nothing of it is used.

Signatures are made and checked by ssh-keygen itself.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from jinja2 import Template
from script import wheel

from ansible_collections.todochat.platform.plugins.module_utils.base import bundle
from ansible_collections.todochat.platform.plugins.module_utils.base.bundle import BundleError
from ansible_collections.todochat.platform.plugins.module_utils.store.lock import Lock
from ansible_collections.todochat.platform.plugins.module_utils.whole import bundle as writing
from ansible_collections.todochat.platform.plugins.module_utils.whole.bundle import Entry, Folder

ROOT = Path(__file__).resolve().parents[2]
LOCK = Lock(ROOT / "artifacts.lock.yml")
FILES = {"store/pause/1/pause.tar": b"an image", "store/pause/1/record.json": b"{}", "bundle/packages/here.whl": b"a package", "bundle/apt/list": b"a list"}
MACHINE = {architecture: machine for machine, architecture in bundle.ARCHITECTURES.items()}[LOCK.architecture]


def written(folder: Path, sources: Path, files: dict[str, bytes] = FILES) -> Folder:
    """A bundle of these files, by their paths."""
    made = Folder(folder)
    entries = []
    for number, (path, content) in enumerate(files.items()):
        source = sources / str(number)
        source.parent.mkdir(exist_ok=True)
        source.write_bytes(content)
        entries.append(Entry(path, *made.add(source), "artifact", path, "1", "built"))
    made.finish(LOCK, entries, b"{}")
    return made


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    written(tmp_path / "bundle", tmp_path / "sources")
    return tmp_path / "bundle"


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache"


def taken(folder: Path, cache: Path) -> int:
    return bundle.take(folder, cache, *bundle.read(folder))


def blob_of(folder: Path, content: bytes) -> Path:
    return bundle.blob(folder, hashlib.sha256(content).hexdigest())


def run(command: Sequence[str], text: bytes) -> tuple[int, str]:
    done = subprocess.run(command, input=text, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    return done.returncode, done.stdout.decode()


def test_what_was_written_is_taken_and_then_pip_gets_it_alone(folder: Path, cache: Path) -> None:
    assert bundle.variables(cache) == {}
    assert taken(folder, cache) == sum(map(len, FILES.values()))
    assert {path: (cache / path).read_bytes() for path in FILES} == FILES
    assert bundle.variables(cache) == {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": f"file://{cache}/bundle/packages"}
    assert taken(folder, cache) == 0


def test_a_flipped_byte_is_named_and_nothing_is_in_use(folder: Path, cache: Path) -> None:
    blob_of(folder, b"a package").write_bytes(b"a pbckage")
    with pytest.raises(BundleError, match=r"is damaged, and was not used: bundle/packages/here\.whl \(.*has the SHA-256 \w{64}\)\. Copy it again"):
        taken(folder, cache)
    assert not (cache / "bundle/packages/here.whl").exists()
    assert bundle.variables(cache) == {}


@pytest.mark.parametrize(
    ("file", "flipped"),
    [
        ("manifest.json", (b'"format"', b'"gormat"')),
        ("manifest.json", (b'"size"', b'"sizf"')),
        ("manifest.json", (b"bundle/apt/list", b"bundle/bpt/list")),
        ("manifest.json.sha256", (b"manifest", b"nanifest")),
        ("sbom.cdx.json", (b"{}", b"[]")),
    ],
)
def test_a_flipped_byte_of_the_manifest_is_named(folder: Path, file: str, flipped: tuple[bytes, bytes]) -> None:
    there = folder / file
    there.write_bytes(there.read_bytes().replace(*flipped))
    with pytest.raises(BundleError, match=rf"{file.removesuffix('.sha256')} is damaged, and nothing of the bundle was used"):
        bundle.read(folder)


def test_a_damaged_artifact_does_not_count_as_finished(folder: Path, cache: Path) -> None:
    whole = blob_of(folder, b"an image")
    whole.write_bytes(b"an imagf")
    with pytest.raises(BundleError, match=r"store/pause/1/pause\.tar"):
        taken(folder, cache)
    whole.write_bytes(b"an image")
    taken(folder, cache)
    assert {path: (cache / path).read_bytes() for path in FILES} == FILES


def test_what_an_update_that_failed_has_placed_is_not_taken_for_what_was_before(folder: Path, cache: Path, tmp_path: Path) -> None:
    taken(folder, cache)
    another = tmp_path / "another"
    written(another, tmp_path / "sources", {"bundle/packages/here.whl": b"b package", "bundle/apt/list": b"b list"})
    blob_of(another, b"b list").unlink()
    with pytest.raises(BundleError):
        taken(another, cache)
    taken(folder, cache)
    assert {path: (cache / path).read_bytes() for path in FILES} == FILES


def test_a_disk_that_takes_no_more_is_named(folder: Path, cache: Path) -> None:
    cache.write_text("a file")
    with pytest.raises(BundleError, match=r"cache\S* cannot be written: Not a directory\. Mend that"):
        taken(folder, cache)


def test_what_others_keep_in_the_folder_stays(tmp_path: Path) -> None:
    theirs = tmp_path / "bundle/blobs/sha256/theirs"
    theirs.parent.mkdir(parents=True)
    theirs.write_text("a layer")
    written(tmp_path / "bundle", tmp_path / "sources")
    written(tmp_path / "bundle", tmp_path / "sources", {"bundle/apt/list": b"another"})
    assert theirs.read_text() == "a layer"


def test_missing_files_are_named(folder: Path, cache: Path) -> None:
    for content in (b"a package", b"a list"):
        blob_of(folder, content).unlink()
    with pytest.raises(BundleError, match=r"bundle/packages/here\.whl \(\S+ is missing\), bundle/apt/list \(\S+ is missing\)\. Copy it again"):
        taken(folder, cache)
    with pytest.raises(BundleError, match=r"holds no bundle: manifest\.json: No such file or directory\. Name the folder that `make bundle FILE=folder`"):
        bundle.read(folder / "blobs")


def test_a_file_that_was_broken_off_is_taken_by_the_next_run(folder: Path, cache: Path) -> None:
    kept = blob_of(folder, b"a list").rename(folder / "kept")
    with pytest.raises(BundleError):
        taken(folder, cache)
    kept.rename(blob_of(folder, b"a list"))
    (cache / "bundle/packages/here.whl").write_bytes(b"of a run that was killed")
    taken(folder, cache)
    assert {path: (cache / path).read_bytes() for path in FILES} == FILES


def test_a_second_copy_brings_only_what_is_new(folder: Path, cache: Path, tmp_path: Path) -> None:
    taken(folder, cache)
    assert written(folder, tmp_path / "sources").new == 0
    before = set((folder / "blobs/sha256").iterdir())
    files = {path: content for path, content in FILES.items() if path != "bundle/apt/list"} | {"bundle/packages/here.whl": b"another package"}
    assert written(folder, tmp_path / "sources", files).new == len(b"another package")
    after = set((folder / "blobs/sha256").iterdir())
    assert after - before == {blob_of(folder, b"another package")}
    assert before - after == {blob_of(folder, b"a package"), blob_of(folder, b"a list")}
    assert taken(folder, cache) == len(b"another package")
    assert (cache / "bundle/packages/here.whl").read_bytes() == b"another package"
    assert not (cache / "bundle/apt/list").exists()


def test_what_was_damaged_in_the_folder_is_written_anew(folder: Path, cache: Path, tmp_path: Path) -> None:
    blob_of(folder, b"a package").write_bytes(b"a pbckage")
    assert written(folder, tmp_path / "sources").new == len(b"a package")
    taken(folder, cache)


def test_what_is_not_as_recorded_comes_into_no_bundle(tmp_path: Path) -> None:
    file = tmp_path / "kubectl"
    file.write_bytes(b"damaged")
    with pytest.raises(writing.UserError, match=r"kubectl is damaged, and was not used"):
        Folder(tmp_path / "bundle").add(file, "0" * 64)
    assert list((tmp_path / "bundle/blobs/sha256").iterdir()) == []


def test_a_finished_artifact_of_the_store_is_never_changed(folder: Path, cache: Path) -> None:
    there = cache / "store/pause/1"
    there.mkdir(parents=True)
    (there / "record.json").write_text("built here")
    taken(folder, cache)
    assert [(file.name, file.read_text()) for file in there.iterdir()] == [("record.json", "built here")]


@pytest.mark.parametrize("path", ["../outside", "bundle/../../outside", "/etc/outside", "elsewhere/outside"])
def test_a_bundle_writes_nowhere_else(folder: Path, path: str) -> None:
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["files"][0]["path"] = path
    (folder / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(BundleError, match="is no place for a file of a bundle"):
        bundle.read(folder)


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    """A folder with the keys `mine` and `other`."""
    for name in ("mine", "other"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "me@example.org", "-f", tmp_path / name], check=True)
    return tmp_path


def sign(folder: Path, key: Path) -> None:
    """As the Makefile does."""
    recipe = re.search(r"@rm -f '\$\(AT\)/manifest\.json\.sig' && (ssh-keygen .*)\)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert recipe
    makefile = f"HOME={key.parent}\nFILE=~/{folder.relative_to(key.parent)}\nKEY=~/{key.name}\nAT=$(FILE:~/%=$(HOME)/%)\nsigned:\n\t{recipe[1]}\n"
    subprocess.run(["make", "--file=-", "signed"], input=makefile, text=True, check=True, capture_output=True)


def test_a_signature_holds_for_that_key_and_that_manifest(folder: Path, keys: Path) -> None:
    def said(key: str) -> str:
        return bundle.verify(folder, bundle.read(folder)[0], key, run)

    mine, other = str(keys / "mine.pub"), str(keys / "other.pub")
    assert said("") == "is not signed"
    with pytest.raises(BundleError, match=r"is not signed: there is no manifest\.json\.sig"):
        said(mine)
    sign(folder, keys / "mine")
    assert said(mine) == f"is signed by {mine}"
    assert "not checked" in said("")
    with pytest.raises(BundleError, match=r"manifest\.json\.sig is no signature of this bundle by .*other\.pub: .*\. Do not use it"):
        said(other)
    both = keys / "both.pub"
    both.write_text(f"# ours\n{(keys / 'other.pub').read_text()}\n{(keys / 'mine.pub').read_text()}")
    assert said(str(both)) == f"is signed by {both}"
    with pytest.raises(BundleError, match="cannot be read"):
        said(str(keys / "nowhere.pub"))
    manifest = folder / "manifest.json"
    manifest.write_bytes(manifest.read_bytes().replace(b'"built"', b'"other"'))
    (folder / "manifest.json.sha256").write_bytes(bundle.sum_of(manifest.read_bytes()))
    with pytest.raises(BundleError, match="is no signature of this bundle"):
        said(mine)


def test_what_is_signed_for_something_else_does_not_count(folder: Path, keys: Path) -> None:
    subprocess.run(["ssh-keygen", "-q", "-Y", "sign", "-f", keys / "mine", "-n", "git", folder / "manifest.json"], check=True, capture_output=True)
    with pytest.raises(BundleError, match="is no signature of this bundle"):
        bundle.verify(folder, bundle.read(folder)[0], str(keys / "mine.pub"), run)


def test_another_manifest_has_to_be_signed_again(folder: Path, keys: Path, tmp_path: Path) -> None:
    sign(folder, keys / "mine")
    written(folder, tmp_path / "sources")
    assert (folder / "manifest.json.sig").is_file()
    written(folder, tmp_path / "sources", {**FILES, "bundle/apt/list": b"of another day"})
    assert not (folder / "manifest.json.sig").exists()


@pytest.mark.parametrize(
    ("release", "machine", "said"),
    [
        ("sid", MACHINE, r"is for the Debian bookworm and trixie, and this machine has sid\."),
        ("bookworm", "riscv64", r"is for the processor \w+, and this machine has riscv64\."),
    ],
)
def test_a_bundle_of_another_machine_is_refused(folder: Path, release: str, machine: str, said: str) -> None:
    with pytest.raises(BundleError, match=said):
        bundle.require_fitting(folder, bundle.read(folder)[1], ROOT, release, machine)


def test_a_bundle_of_other_sources_is_refused(folder: Path, tmp_path: Path) -> None:
    checkout = tmp_path / "checkout"
    for name in writing.sources(ROOT):
        (checkout / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / name, checkout / name)
    manifest = bundle.read(folder)[1]
    bundle.require_fitting(folder, manifest, checkout, "trixie", MACHINE)
    with (checkout / "requirements/controller.txt").open("a") as lock:
        lock.write("newer==1\n")
    with pytest.raises(BundleError, match=r"was written for other sources than these: requirements/controller\.txt differs\. Write it anew"):
        bundle.require_fitting(folder, manifest, checkout, "trixie", MACHINE)


@pytest.mark.skipif("debian" not in Path("/etc/os-release").read_text(), reason="a bundle is for Debian")
def test_bootstrap_names_what_is_damaged_before_it_installs_anything(folder: Path, tmp_path: Path) -> None:
    blob_of(folder, b"an image").write_bytes(b"an imagf")
    environment = {**os.environ, "XDG_CACHE_HOME": str(tmp_path / "home")}
    done = subprocess.run([sys.executable, "-I", ROOT / "bootstrap", "--from", folder], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert f"{folder} is not signed. Its files are compared" in done.stdout
    assert f"bootstrap: {folder} is damaged, and was not used: store/pause/1/pause.tar (" in done.stderr


def lists(tree: Path, *suites: str) -> Path:
    for suite in suites:
        (tree / suite.replace(":", "/dists/")).mkdir(parents=True)
    return tree


def test_apt_takes_debians_lists_however_old_by_debians_signature(tmp_path: Path) -> None:
    tree = lists(tmp_path, "debian:bookworm", "debian:bookworm-updates", "debian-security:bookworm-security")
    said = "\n".join(bundle.apt_sources("/srv/my apt", tree, ["bookworm"], "amd64"))
    assert re.findall(r"^URIs: (.*)\nSuites: (.*)$", said, re.MULTILINE) == [
        ("file:/srv/my%20apt/debian", "bookworm bookworm-updates"),
        ("file:/srv/my%20apt/debian-security", "bookworm-security"),
    ]
    for line in ("Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg", "Check-Valid-Until: no", "Architectures: amd64"):
        assert said.count(line) == 2


def test_apt_is_told_of_no_list_that_is_not_there(tmp_path: Path) -> None:
    said = "\n".join(bundle.apt_sources("/srv/apt", lists(tmp_path, "debian:trixie"), ["trixie"], "amd64"))
    assert re.findall(r"^URIs: (.*)\nSuites: (.*)$", said, re.MULTILINE) == [("file:/srv/apt/debian", "trixie")]


def test_apts_half_is_done_again_until_its_last_step(folder: Path, cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bundle, "APT_FOLDER", str(tmp_path / "apt"))
    monkeypatch.setattr(bundle, "APT_SOURCES", str(tmp_path / "todochat-bundle.sources"))
    taken(folder, cache)
    (cache / "bundle/apt").mkdir(exist_ok=True)
    content = bundle.read(folder)[0]
    for done in range(8):  # broken off after so many
        commands = bundle.apt_commands(cache, content, "bookworm", MACHINE)
        assert len(commands) == 8
        for command in commands[: done + 1]:
            if command[0] != "apt-get":
                subprocess.run(command, check=True)
    assert bundle.apt_commands(cache, content, "bookworm", MACHINE) == []
    assert bundle.apt_commands(cache, content + b" ", "bookworm", MACHINE) != []


def test_a_login_for_debians_archive_stands_in_no_argument(folder: Path, tmp_path: Path) -> None:
    debian = writing.Debian(Folder(folder), LOCK, tmp_path)
    assert debian._without_login("https://me:p%40ss@debian.example:8443/debian") == "https://debian.example:8443/debian"
    assert debian._known() == [f"-oDir::Etc::netrc={tmp_path / 'logins'}"]
    assert (tmp_path / "logins").read_text() == "machine https://debian.example:8443 login me password p@ss\n"
    assert (tmp_path / "logins").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(("uri", "stanzas"), [("file:/var/lib/todochat/apt/debian", 2), ("http://debian.example/debian", 0)])
def test_debian_13_on_debian_12_is_taken_from_a_bundle_in_the_same_way(uri: str, stanzas: int) -> None:
    template = (ROOT / "roles/container_engine/templates/docker.sources.j2").read_text()
    repository = {"uri": uri, "signed_by": bundle.KEYRING}
    said = Template(template).render(ansible_managed="", __container_engine={"repository": repository, "security_repository": repository})
    assert said.count(f"URIs: {uri}\n") == 2
    assert (said.count("\nTargets: Packages\n"), said.count("\nCheck-Valid-Until: no\n")) == (stanzas, stanzas)


def test_the_frontends_build_finds_each_package_where_the_bundle_has_it() -> None:
    script = re.search(r"sed -i '(.*)' package-lock\.json", (ROOT / "apps/frontend/Dockerfile").read_text())
    assert script
    lock = ROOT / writing.FRONTEND
    made = json.loads(subprocess.run(["sed", script[1], lock], capture_output=True, text=True, check=True).stdout)
    packages = {path: package for path, package in made["packages"].items() if path and writing.is_installed(package, "x64")}
    assert len(packages) > 20
    for package in packages.values():
        assert package["resolved"] == f"file:/packages/npm/{package['integrity'].removeprefix('sha512-')}.tgz"


@pytest.mark.parametrize(
    ("package", "wanted"),
    [
        ({}, True),
        ({"dev": True}, False),
        ({"os": ["linux"], "cpu": ["x64"], "libc": ["musl"]}, True),
        ({"os": ["darwin"], "cpu": ["x64"]}, False),
        ({"os": ["linux"], "cpu": ["arm64"]}, False),
    ],
)
def test_npm_packages_of_other_systems_are_left_out(package: dict[str, Any], wanted: bool) -> None:
    assert writing.is_installed(package, "x64") is wanted


def test_licences_are_read_from_wheels(tmp_path: Path) -> None:
    assert writing.licence(wheel(tmp_path)) == ""
    for metadata, said in (
        ("License-Expression: MIT OR Apache-2.0\nLicense: a text\n", "MIT OR Apache-2.0"),
        ("License: a\n  long\n  text\nClassifier: License :: OSI Approved :: BSD License\n", "BSD License"),
    ):
        with zipfile.ZipFile(tmp_path / "there-1-py3-none-any.whl", "w") as file:
            file.writestr("there-1.dist-info/METADATA", f"Metadata-Version: 2.4\nName: there\nVersion: 1\n{metadata}")
        assert writing.licence(tmp_path / "there-1-py3-none-any.whl") == said
