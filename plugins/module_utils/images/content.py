"""What an image is built from, told by a hash."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from docker.utils.build import exclude_paths

from ansible_collections.todochat.platform.plugins.module_utils.base.errors import UserError


class ImageError(UserError):
    """An image cannot be built, or the registry does not do its part."""


@dataclass(frozen=True)
class Image:
    """An image to be built. ``arguments`` are build arguments; they decide the content as the files do."""

    name: str
    context: Path
    arguments: Mapping[str, str]

    def tag(self) -> str:
        """A hash of the build context as Docker would send it, the Dockerfile and the build arguments."""
        ignore = self.context / ".dockerignore"
        patterns = ignore.read_text(encoding="utf-8").splitlines() if ignore.is_file() else []
        rules = [line for line in (pattern.strip() for pattern in patterns) if line and not line.startswith("#")]
        dockerfile = self.context / "Dockerfile"
        if not dockerfile.is_file():
            raise ImageError(f"{self.name}: there is no {dockerfile} to build.", "Put it back from where the sources came.")
        digest = hashlib.sha256(json.dumps(dict(self.arguments), sort_keys=True).encode() + dockerfile.read_bytes())
        for relative in sorted(exclude_paths(str(self.context), rules)):
            file = self.context / relative
            if file.is_symlink():
                digest.update(f"\0{relative}\0->{os.readlink(file)}".encode())
            elif file.is_file():
                executable = bool(file.stat().st_mode & 0o100)
                digest.update(f"\0{relative}\0{executable}\0".encode() + hashlib.sha256(file.read_bytes()).digest())
        return digest.hexdigest()[:24]
