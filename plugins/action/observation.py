"""The action plugin observation; plugins/modules/observation.py documents it.

An action, because only here are the variables of all roles known: each says in its `__ROLE_observed` what its part of a deployment is to be.
"""

from __future__ import annotations

import json
from typing import Any

from ansible.plugins.action import ActionBase

from ansible_collections.todochat.platform.plugins.plugin_utils import observed


class ActionModule(ActionBase):  # type: ignore[misc]
    """Has everything that roles describe looked at, and tells which of it is as asked."""

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Return {as_asked, titles, parts}; never a failure."""
        result: dict[str, Any] = super().run(tmp, task_vars)
        given = task_vars or {}
        fill_in = observed.filled_in(self._loader, given)
        # at this time those whose part others see to
        left_out = fill_in("deployment_without") if "deployment_without" in given else []
        chosen = observed.chosen(given["ansible_run_tags"], given["ansible_skip_tags"])
        parts = observed.parts([name for name in chosen if name not in left_out], fill_in)
        checks = json.dumps({name: part["checks"] for name, part in parts.items()}, default=str)
        arguments = {"parts": checks, "collections": str(observed.COLLECTIONS)}
        found = self._execute_module("todochat.platform.observation", module_args=arguments, task_vars=task_vars)
        as_asked = observed.as_asked(parts, found.get("parts", {}))
        return {**result, **found, "as_asked": as_asked, "titles": [observed.title(name) for name in as_asked]}
