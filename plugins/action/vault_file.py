"""The action plugin vault_file; plugins/modules/vault_file.py documents it."""

from __future__ import annotations

import difflib
from typing import Any

import yaml

from ansible_collections.todochat.platform.plugins.module_utils import vault
from ansible_collections.todochat.platform.plugins.plugin_utils import vault_password
from ansible_collections.todochat.platform.plugins.plugin_utils.vaults import VaultAction, in_force, opened, write


class ActionModule(VaultAction):
    """Makes or checks one vault."""

    ARGUMENTS = {"path": {"type": "path", "required": True}, "team_path": {"type": "path"}}  # noqa: RUF012 - as Ansible has it

    def act(self, arguments: dict[str, Any]) -> dict[str, Any]:
        """Return {changed, path, exists, listing, msg, diff?}."""
        path = in_force(arguments["path"], arguments["team_path"])
        if path.exists():
            _unused, content = opened(path)
            return {"changed": False, "path": str(path), "exists": True, "listing": vault.listing(content), "msg": f"{path} opens and is complete"}

        content = vault.new_vault()
        if not self._task.check_mode:
            with vault_password.locked():
                write(path, yaml.safe_dump(content, sort_keys=False), new=True)
        verb = "would create" if self._task.check_mode else "created"
        result = {"changed": True, "path": str(path), "msg": f"{verb} {path} with random values for {', '.join(content)}"}
        result |= {"exists": not self._task.check_mode, "listing": vault.listing(content)}
        if self._task.diff:
            # Names only: what is in the vault is nobody's to see.
            result["diff"] = {"prepared": "".join(difflib.unified_diff([], [f"{name}: (random)\n" for name in content], "", str(path)))}
        return result
