#!/usr/bin/env python3
"""ansible-lint, but that one process checks the syntax of all playbooks and roles, where it would start one for each.

Where that process finds something, ansible-lint goes its own way and names it.
"""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Callable
from typing import Any

import yaml
from ansiblelint import runner
from ansiblelint.__main__ import _run_cli_entrypoint
from ansiblelint.errors import MatchError
from ansiblelint.file_utils import Lintable


class Runner(runner.Runner):
    """Checks syntax at once; all else as ever."""

    def _map_syntax_check_workers(self, worker: Callable[[Lintable], list[MatchError]], files: list[Lintable]) -> list[list[MatchError]]:
        runtime = self.app.runtime
        playbooks = [str(file.path) for file in files if file.kind == "playbook"]
        roles = [{"ansible.builtin.import_role": {"name": str(file.path.absolute())}} for file in files if file.kind == "role"]
        with tempfile.NamedTemporaryFile("w", suffix=".yml", encoding="utf-8") as of_roles:
            yaml.safe_dump([{"hosts": "localhost", "tasks": roles}], of_roles)
            of_roles.flush()
            command = ["ansible-playbook", "--syntax-check", *playbooks, of_roles.name]
            done: Any = subprocess.run(command, env=runtime.environ, stdin=subprocess.DEVNULL, capture_output=True, check=False)
        if done.returncode:
            return super()._map_syntax_check_workers(worker, files)
        # Or each one that is imported would be checked again.
        runtime._has_playbook_cache.update({(playbook, None): True for playbook in playbooks})
        return []


if __name__ == "__main__":
    runner.Runner = Runner  # type: ignore[misc]
    _run_cli_entrypoint()
