"""Image archives made from files: the same content, the same bytes; nothing is lost and nothing slips in."""

from __future__ import annotations

import io
import json
import os
import tarfile
from pathlib import Path

from ansible_collections.todochat.platform.plugins.module_utils.store.image_archive import files_layer, filtered_layer, layers_of, write_archive
from ansible_collections.todochat.platform.plugins.module_utils.store.store import sha256_of

LONG = "usr/lib/" + "long/" * 30 + "name"


def rootfs(target: Path, mtime: float = 0) -> Path:
    """A root file system as mmdebstrap packs one: every path begins with ./, and times are in PAX headers."""
    with tarfile.open(target, "w", format=tarfile.PAX_FORMAT) as tar:

        def add(name: str, kind: bytes = tarfile.REGTYPE, content: bytes = b"", link: str = "", mode: int = 0o644, **pax: str) -> None:
            member = tarfile.TarInfo(name)
            member.type, member.size, member.linkname, member.mode, member.mtime = kind, len(content), link, mode, mtime
            member.pax_headers = pax
            tar.addfile(member, io.BytesIO(content))

        add("./", tarfile.DIRTYPE, mode=0o755)
        add("./usr/bin/", tarfile.DIRTYPE, mode=0o755)
        add("./usr/bin/perl", content=b"perl", mode=0o755)
        add("./usr/bin/perl5", tarfile.LNKTYPE, link="./usr/bin/perl")
        add("./usr/bin/ping", content=b"ping", **{"SCHILY.xattr.security.capability": "net_raw"})
        add("./usr/bin/su", content=b"su", mode=0o4755)
        add("./bin", tarfile.SYMTYPE, link="usr/bin")
        add(f"./{LONG}", content=b"long")
        add("./dev/null", tarfile.CHRTYPE)
        add("./usr/share/doc/perl", content=b"manual")
    return target


def members(layer: Path) -> dict[str, tarfile.TarInfo]:
    with tarfile.open(layer) as tar:
        return {member.name: member for member in tar}


def test_a_root_file_system_keeps_its_links_modes_and_attributes(tmp_path: Path) -> None:
    layer = tmp_path / "layer.tar"
    filtered_layer(rootfs(tmp_path / "rootfs.tar"), layer, lambda path: not path.startswith("usr/share/doc/"))
    found = members(layer)
    assert set(found) == {"usr/bin", "usr/bin/perl", "usr/bin/perl5", "usr/bin/ping", "usr/bin/su", "bin", LONG}
    assert found["usr/bin/perl5"].islnk()
    assert found["usr/bin/perl5"].linkname == "usr/bin/perl"
    assert found["bin"].issym()
    assert found["bin"].linkname == "usr/bin"
    assert found["usr/bin/su"].mode == 0o4755
    assert found["usr/bin/ping"].pax_headers["SCHILY.xattr.security.capability"] == "net_raw"
    with tarfile.open(layer) as tar:
        for name, content in (("usr/bin/perl", b"perl"), ("usr/bin/perl5", b"perl"), (LONG, b"long")):
            stream = tar.extractfile(name)
            assert stream is not None
            assert stream.read() == content


def test_the_time_of_packing_is_not_in_a_layer(tmp_path: Path) -> None:
    for number, mtime in enumerate((1_700_000_000.25, 1_800_000_000.75)):
        filtered_layer(rootfs(tmp_path / f"rootfs{number}.tar", mtime), tmp_path / f"{number}.tar", lambda _: True)
    assert (tmp_path / "0.tar").read_bytes() == (tmp_path / "1.tar").read_bytes()


def archive(folder: Path, mtime: int) -> Path:
    """An image of one program, made at a time of its own."""
    folder.mkdir()
    (folder / "source").write_bytes(b"program")
    (folder / "source").chmod(0o600 if mtime else 0o644)
    os.utime(folder / "source", (mtime, mtime))
    files_layer(folder / "files.tar", {"/usr/bin/b": folder / "source", "/usr/bin/a": folder / "source"})
    os.utime(folder / "files.tar", (mtime, mtime))
    write_archive(folder / "image.tar", "todochat/tool:v1", "amd64", [folder / "files.tar"], {"Entrypoint": ["/usr/bin/a"], "Env": ["A=B"]})
    return folder / "image.tar"


def test_the_same_content_gives_the_same_bytes_whenever_and_from_wherever(tmp_path: Path) -> None:
    assert archive(tmp_path / "one", 0).read_bytes() == archive(tmp_path / "other", 1_700_000_000).read_bytes()


def test_an_archive_names_its_parts_by_their_content(tmp_path: Path) -> None:
    image = archive(tmp_path / "one", 0)
    with tarfile.open(image) as tar:
        tar.extractall(tmp_path / "out", filter="data")
    [manifest] = json.loads((tmp_path / "out/manifest.json").read_text())
    assert manifest["RepoTags"] == ["todochat/tool:v1"]
    config_file = tmp_path / "out" / manifest["Config"]
    config = json.loads(config_file.read_text())
    assert config_file.name == f"{sha256_of(config_file)}.json"
    files = [tmp_path / "out" / name for name in manifest["Layers"]]
    assert layers_of(image) == config["rootfs"]["diff_ids"] == [f"sha256:{sha256_of(file)}" for file in files]
    assert len(config["history"]) == len(files)
    assert config["config"]["Env"][1:] == ["A=B"]
    found = members(files[0])
    assert list(found) == ["usr/bin/a", "usr/bin/b"]
    assert {(member.uid, member.gid, member.mode) for member in found.values()} == {(0, 0, 0o755)}


def test_layers_keep_their_order(tmp_path: Path) -> None:
    files = []
    for name in ("z", "a"):
        (tmp_path / name).write_bytes(name.encode())
        files.append(tmp_path / f"{name}.tar")
        files_layer(files[-1], {f"/{name}": tmp_path / name})
    write_archive(tmp_path / "image.tar", "todochat/tool:v1", "amd64", iter(files), {})
    with tarfile.open(tmp_path / "image.tar") as tar:
        stream = tar.extractfile("manifest.json")
        assert stream is not None
        assert json.load(stream)[0]["Layers"] == [f"{sha256_of(file)}/layer.tar" for file in files]


def test_of_a_root_file_system_one_file_can_be_kept(tmp_path: Path) -> None:
    filtered_layer(rootfs(tmp_path / "rootfs.tar"), tmp_path / "layer.tar", lambda path: path == "usr/bin/perl")
    assert list(members(tmp_path / "layer.tar")) == ["usr/bin/perl"]
