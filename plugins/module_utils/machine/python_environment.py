"""A Python environment of its own, with exactly what a lock file names."""

from __future__ import annotations

import hashlib
import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path

from ansible_collections.todochat.platform.plugins.module_utils.base.commands import LAST_LINES, WORK_SECONDS, run
from ansible_collections.todochat.platform.plugins.module_utils.base.errors import UserError
from ansible_collections.todochat.platform.plugins.module_utils.base.progress import waiting_for

RECORD = "installed.json"


@dataclass(frozen=True)
class Environment:
    """The environment in a folder, made of the lock file's packages for the Python that runs this."""

    folder: Path
    lock: Path

    @property
    def python(self) -> str:
        """The Python that it is made with; the one here may itself be of an environment."""
        return os.path.realpath(sys.executable)

    def _wanted(self) -> dict[str, str]:
        return {"lock": hashlib.sha256(self.lock.read_bytes()).hexdigest(), "python": self.python, "folder": str(self.folder)}

    def is_as_locked(self) -> bool:
        """Whether an installation of just this lock file was finished here."""
        try:
            return bool(json.loads((self.folder / RECORD).read_text(encoding="utf-8")) == self._wanted())
        except (OSError, ValueError):
            return False

    def make(self) -> None:
        """Makes it anew. Raises UserError with pip's own words where packages cannot be had."""
        self.folder.parent.mkdir(parents=True, exist_ok=True)
        waiting_for(f"making the environment {self.folder}")
        # Without a pip of its own, for which Debian wants another package: the one here does it.
        self._do("venv", self.python, "-m", "venv", "--clear", "--without-pip", str(self.folder))
        waiting_for(f"installing {self.lock.name}")
        options = ["--disable-pip-version-check", "--no-input", "--progress-bar=off", "--require-hashes", f"--requirement={self.lock}"]
        # a pip.conf says where packages come from, not where they go
        options += ["--no-user", "--target=", f"--prefix={self.folder}", "--root=/"]
        self._do("pip", sys.executable, "-m", "pip", f"--python={self.folder / 'bin/python'}", "install", *options)
        (self.folder / RECORD).write_text(json.dumps(self._wanted()), encoding="utf-8")

    def _do(self, what: str, *command: str) -> None:
        done = run(*command, seconds=WORK_SECONDS, outside=True)
        if done.returncode:
            said = [line for line in (done.stdout + done.stderr).splitlines() if line.strip()]
            why = next((line for line in reversed(said) if line.startswith("ERROR:")), said[-1] if said else "it said nothing")
            raise UserError(
                f"{what} could not make {self.folder}: {why.removeprefix('ERROR:').strip()}",
                "Mend what it names, such as the package index that pip is configured for, then run the same command again.",
                "\n".join(said[-LAST_LINES:]),
            )
