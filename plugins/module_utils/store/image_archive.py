"""Container images made from files, written in the archive format of `docker save`, without a Docker engine.

Format: the image specification of the Moby project, version 1.2 (manifest.json, one config, one tar for each layer).
"""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from ansible_collections.todochat.platform.plugins.module_utils.base.certain import certain
from ansible_collections.todochat.platform.plugins.module_utils.store.store import sha256_of

# The same content gives the same bytes, whenever it is made.
EPOCH = 0
TIMESTAMP = "1970-01-01T00:00:00Z"


def files_layer(target: Path, files: dict[str, Path]) -> None:
    """Writes a layer that holds executables: a mapping of absolute path in the image to local file."""
    with tarfile.open(target, "w") as layer:
        for destination, source in sorted(files.items()):
            member = layer.gettarinfo(str(source), arcname=destination.lstrip("/"))
            member.uid = member.gid = 0
            member.uname = member.gname = "root"
            member.mode = 0o755
            member.mtime = EPOCH
            with source.open("rb") as stream:
                layer.addfile(member, stream)


def filtered_layer(source: Path, target: Path, keep: Callable[[str], bool]) -> None:
    """Copies a tar of a root file system to a layer, with those members whose path (no leading ./) is to be kept."""
    with tarfile.open(source) as rootfs, tarfile.open(target, "w", format=tarfile.PAX_FORMAT) as layer:
        for member in rootfs:
            path = member.name.removeprefix("./").rstrip("/")
            if path in ("", ".") or member.ischr() or member.isblk() or not keep(path):
                continue
            member.name = path
            member.mtime = EPOCH
            # these would be written in place of what stands above; extended attributes are kept
            stale = ("path", "linkpath", "mtime", "atime", "ctime")
            member.pax_headers = {name: value for name, value in member.pax_headers.items() if name not in stale}
            if member.islnk():
                member.linkname = member.linkname.removeprefix("./")
            layer.addfile(member, rootfs.extractfile(member) if member.isreg() else None)


def write_archive(
    target: Path, reference: str, architecture: str, layers: Iterable[Path], config: dict[str, Any]
) -> None:
    """Writes an image archive. ``config`` is the image's runtime configuration (Entrypoint, Cmd, Env, User, ...)."""
    layers = list(layers)
    digests = [sha256_of(layer) for layer in layers]
    environment = ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", *config.get("Env", [])]
    document = json.dumps(
        {
            "architecture": architecture,
            "os": "linux",
            "created": TIMESTAMP,
            "config": {**config, "Env": environment},
            "rootfs": {"type": "layers", "diff_ids": [f"sha256:{digest}" for digest in digests]},
            "history": [{"created": TIMESTAMP} for _unused in digests],
        },
        sort_keys=True,
    ).encode()
    config_name = hashlib.sha256(document).hexdigest() + ".json"
    names = [f"{digest}/layer.tar" for digest in digests]
    manifest = json.dumps([{"Config": config_name, "RepoTags": [reference], "Layers": names}]).encode()
    with tarfile.open(target, "w") as archive:
        for name, layer in zip(names, layers, strict=True):
            member = tarfile.TarInfo(name)
            member.size = layer.stat().st_size
            with layer.open("rb") as stream:
                archive.addfile(member, stream)
        for name, content in ((config_name, document), ("manifest.json", manifest)):
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))


def layers_of(archive: Path) -> list[str]:
    """The digests of an image's layers, as Docker names them; of an archive's contents the description alone is read."""
    with tarfile.open(archive) as image:
        (manifest,) = json.load(certain(image.extractfile("manifest.json")))
        found: list[str] = json.load(certain(image.extractfile(manifest["Config"])))["rootfs"]["diff_ids"]
    return found
