"""Which images this machine has built and pushed, and which of them is to be deployed, by digest.

A registry says what somebody has put there; this record says what was put there from here. It belongs to root, so nobody without its rights
can name another image. A tag of it stands for the content that an image was built from.
"""

from __future__ import annotations

import json
import os
import shlex
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ansible_collections.todochat.platform.plugins.module_utils.base.commands import ANSWER_SECONDS
from ansible_collections.todochat.platform.plugins.module_utils.base.errors import UserError
from ansible_collections.todochat.platform.plugins.module_utils.base.locks import alone

PUSHED = Path("/var/lib/todochat/images.json")


class Pushed:
    """The record: by an image's name (such as 127.0.0.1:5000/todo/backend) the digest of each tag, and the one to deploy."""

    def __init__(self, path: Path = PUSHED) -> None:
        self.path = path

    def digest(self, name: str, tag: str) -> str:
        """What was pushed under a tag; empty where nothing was."""
        return str(self._read().get(name, {}).get("tags", {}).get(tag, ""))

    def current(self, name: str) -> str:
        """The digest of the image to deploy; empty where there is none."""
        return str(self._read().get(name, {}).get("current", ""))

    def tags(self, name: str) -> dict[str, str]:
        """All tags of an image, with their digests."""
        return dict(self._read().get(name, {}).get("tags", {}))

    def forget(self, name: str, tags: Iterable[str]) -> None:
        with self._changed() as images:
            for tag in tags:
                images.get(name, {}).get("tags", {}).pop(tag, None)

    def keep(self, name: str, tag: str, digest: str) -> None:
        with self._changed() as images:
            images.setdefault(name, {"tags": {}})["tags"][tag] = digest

    def make_current(self, name: str, digest: str) -> None:
        """From now on this is the image to deploy."""
        with self._changed() as images:
            images.setdefault(name, {"tags": {}})["current"] = digest

    def _read(self) -> dict[str, dict[str, Any]]:
        try:
            found: dict[str, dict[str, Any]] = json.loads(self.path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return {}
        except (OSError, ValueError) as error:
            raise UserError(
                f"The record of images {self.path} cannot be read: {error}",
                f"Remove it (`sudo rm {shlex.quote(str(self.path))}`); `make up` builds both images anew.",
            ) from None
        return found

    @contextmanager
    def _changed(self) -> Iterator[dict[str, dict[str, Any]]]:
        """The record, which is written as the block leaves it, whole or not at all, by one at a time."""
        self.path.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
        with alone(self.path.with_suffix(".lock"), ANSWER_SECONDS, f"another run that writes {self.path}"):
            images = self._read()
            yield images
            draft = self.path.with_suffix(".new")
            with draft.open("w", encoding="utf-8") as file:
                json.dump(images, file, indent=1)
                file.flush()
                os.fsync(file.fileno())
            draft.chmod(0o644)
            draft.replace(self.path)
