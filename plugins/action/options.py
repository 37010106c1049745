"""The action plugin options; plugins/modules/options.py documents it.

An action, because only here are the play's variables known as they were given, before any role begins.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml
from ansible.plugins.action import ActionBase
from ansible.template import Templar, trust_as_template

from ansible_collections.todochat.platform.plugins.module_utils.base.errors import together
from ansible_collections.todochat.platform.plugins.plugin_utils import options
from ansible_collections.todochat.platform.plugins.plugin_utils.precedence import of_groups, outweighed


class ActionModule(ActionBase):  # type: ignore[misc]
    """Looks at the variables of one play."""

    _requires_connection = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Return {changed}, or a failure that names variables and values."""
        super().run(tmp, task_vars)
        _unused, arguments = self.validate_argument_spec({"shared": {"type": "path"}, "before_preflight": {"type": "bool", "default": False}})
        roles = options.specifications()
        # Where a role is no part of this play, its defaults are not among the variables, but others may be made with them.
        raw = options.defaults(roles, trust_as_template) | (task_vars or {})
        templar = Templar(loader=self._loader, variables=raw)
        variables = options.Variables(raw, lambda name: templar.template(raw[name]))
        shared = yaml.safe_load(Path(arguments["shared"]).read_bytes()) if arguments["shared"] else {}
        found = options.problems(variables, roles, shared, arguments["before_preflight"])
        if shared:  # by our own playbooks
            inventory = self._task.get_variable_manager()._inventory
            found += options.lacking(templar.template(raw["ansible_python_interpreter"]))
            found += outweighed(of_groups(inventory, self._loader), shared, raw)  # for runs without callback one_run, which looks before every play
        if not found:
            return {"changed": False}
        error = together(found)
        return {"failed": True, "msg": str(error), "why": error.why, "remedy": error.remedy, "details": error.details}
