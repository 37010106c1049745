"""The action plugin preflight; plugins/modules/preflight.py documents it.

An action, because only here are the variables of all roles known, also where the role runs without the others.
"""

from __future__ import annotations

from typing import Any

from ansible.plugins.action import ActionBase

from ansible_collections.todochat.platform.plugins.plugin_utils import observed


class ActionModule(ActionBase):  # type: ignore[misc]
    """Has the module look at what the roles' variables ask for."""

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Return {changed, warnings}, or a failure that names variables and values."""
        result: dict[str, Any] = super().run(tmp, task_vars)
        wanted = observed.filled_in(self._loader, task_vars or {})("__preflight_wanted")
        return {**result, **self._execute_module("todochat.platform.preflight", module_args=wanted, task_vars=task_vars)}
