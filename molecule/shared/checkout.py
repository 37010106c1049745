#!/usr/bin/env python3
"""What this checkout consists of: the tree that is tested, and whose hash a record holds.

    checkout.py [PATHSPEC...]    write a tar archive of it, or of what git's pathspecs name of it, to standard output
"""

from __future__ import annotations

import hashlib
import io
import os
import subprocess
import sys
import tarfile
from pathlib import Path


def listed_files(root: Path, *pathspecs: str) -> list[str]:
    """The files and links of a checkout that git keeps, or would: a new one is checked before it is added."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", *pathspecs]
    listed = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    if listed.returncode:
        sys.exit(f"{' '.join(command)} failed in {root}, so what is to be checked is not known. It said: {listed.stderr.strip()}")
    return [name for name in listed.stdout.split("\0") if name and os.path.lexists(root / name)]


def content(file: Path) -> bytes:
    """What a file or link of a checkout is: its kind, whether it can be executed, and its bytes or where it leads."""
    if file.is_symlink():
        return f"link\0{os.readlink(file)}".encode()
    return f"file\0{bool(file.stat().st_mode & 0o100)}\0".encode() + hashlib.sha256(file.read_bytes()).digest()


def archive(root: Path, *pathspecs: str) -> bytes:
    """A tar archive of what git keeps, or would, of the checkout."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for name in listed_files(root, *pathspecs):
            tar.add(root / name, name, recursive=False)
    return buffer.getvalue()


if __name__ == "__main__":
    sys.stdout.buffer.write(archive(Path(__file__).resolve().parents[2], *sys.argv[1:]))
