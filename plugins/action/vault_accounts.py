"""The action plugin vault_accounts; plugins/modules/vault_accounts.py documents it."""

from __future__ import annotations

from typing import Any

from ansible_collections.todochat.platform.plugins.module_utils import vault
from ansible_collections.todochat.platform.plugins.plugin_utils import vault_password
from ansible_collections.todochat.platform.plugins.plugin_utils.vaults import VaultAction, in_force, opened, write

SECRETS = ("vault_jwt_keys", "vault_model_api_key")
"""What sessions and tokens are signed with, and what the assistant is asked with. Hashes of passwords and of other tokens are in the database."""


class ActionModule(VaultAction):
    """Gives a vault what another one has of these."""

    ARGUMENTS = {  # noqa: RUF012 - as Ansible has it
        "path": {"type": "path", "required": True},
        "team_path": {"type": "path"},
        "source": {"type": "path", "required": True},
    }

    def act(self, arguments: dict[str, Any]) -> dict[str, Any]:
        """Return {changed, msg}."""
        path = in_force(arguments["path"], arguments["team_path"])
        _unused, theirs = opened(in_force(arguments["source"], None))
        with vault_password.locked():
            text, ours = opened(path)
            taken = [name for name in SECRETS if theirs.get(name) and theirs[name] != ours.get(name)]
            for name in taken:
                text = vault.with_value(text, name, theirs[name])
            if taken and not self._task.check_mode:
                write(path, text, new=False)
        if not taken:
            return {"changed": False, "msg": f"{path} has them"}
        return {"changed": True, "msg": f"{'would take' if self._task.check_mode else 'took'} {', '.join(taken)} into {path}"}
