"""The action plugin vault_file; plugins/modules/vault_file.py documents it.

An action, because the vault password is known to the controller's Ansible alone: here it need not be passed to anybody.
"""

from __future__ import annotations

import difflib
import os
from pathlib import Path
from typing import Any

import yaml
from ansible.errors import AnsibleError
from ansible.parsing.vault import VaultLib, VaultSecretsContext, is_encrypted, match_encrypt_secret
from ansible.plugins.action import ActionBase

from ansible_collections.todochat.platform.plugins.module_utils import vault
from ansible_collections.todochat.platform.plugins.module_utils.errors import UserError


class ActionModule(ActionBase):  # type: ignore[misc]
    """Makes or checks one vault."""

    _requires_connection = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Return {changed, path, msg, diff?}, or a failure that names file and variables."""
        super().run(tmp, task_vars)
        _, arguments = self.validate_argument_spec({"path": {"type": "path", "required": True}, "team_path": {"type": "path"}})
        try:
            return self._keep(arguments)
        except UserError as error:
            return {"failed": True, "msg": str(error), "why": error.why, "remedy": error.remedy}

    def _keep(self, arguments: dict[str, Any]) -> dict[str, Any]:
        path = Path(arguments["path"])
        team = Path(arguments["team_path"]) if arguments["team_path"] else None
        if team and team.exists():
            path = team
        if path.exists():
            check(path)
            return {"changed": False, "path": str(path), "msg": f"{path} opens and is complete"}

        content = vault.new_vault()
        if not self._task.check_mode:
            create(path, yaml.safe_dump(content, sort_keys=False))
        verb = "would create" if self._task.check_mode else "created"
        result = {"changed": True, "path": str(path), "msg": f"{verb} {path} with random values for {', '.join(content)}"}
        if self._task.diff:
            # Names only: what is in the vault is nobody's to see.
            result["diff"] = {"prepared": "".join(difflib.unified_diff([], [f"{name}: (random)\n" for name in content], "", str(path)))}
        return result


def check(path: Path) -> None:
    """Pass when `path` opens with Ansible's vault password and fits the schema."""
    encrypted = path.read_bytes()
    if not is_encrypted(encrypted):
        raise UserError(f"The vault {path} is not encrypted.", f"Run `ansible-vault encrypt {path}`.")
    try:
        content = yaml.safe_load(VaultLib(VaultSecretsContext.current().secrets).decrypt(encrypted))
    except AnsibleError:
        raise UserError(
            f"The vault {path} does not open with the vault password in force.",
            "Give the password it was encrypted with, in the file that ANSIBLE_VAULT_PASSWORD_FILE names, otherwise in the one that "
            "scripts/vault-password reads.",
        ) from None
    except yaml.YAMLError:
        # The parser's own words quote the line, and the line may hold a secret.
        raise UserError(f"The vault {path} is not valid YAML.", f"Mend it with `ansible-vault edit {path}`.") from None
    if found := vault.problems(content):
        raise UserError(f"The vault {path} does not fit: {'; '.join(found)}.", f"Mend it with `ansible-vault edit {path}`.")


def create(path: Path, text: str) -> None:
    """Encrypt `text` to `path` (0600), whole or not at all, and never over an existing file."""
    secrets = VaultSecretsContext.current().secrets
    if not secrets:
        raise UserError("There is no vault password.", "Name its file in vault_password_file of ansible.cfg or in ANSIBLE_VAULT_PASSWORD_FILE.")
    vault_id, secret = match_encrypt_secret(secrets)
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        draft = path.with_name(f".{path.name}.{os.urandom(8).hex()}")
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with os.fdopen(descriptor, "wb") as stream:
                stream.write(VaultLib(secrets).encrypt(text, secret, vault_id))
                stream.flush()
                os.fsync(stream.fileno())
            os.link(draft, path)
        finally:
            draft.unlink()
    except FileExistsError:
        raise UserError(f"Another run made the vault {path} just now.", "Run the same command again.") from None
    except OSError as error:
        why = f"The vault {path} cannot be written: {error.strerror}."
        raise UserError(why, "Make its folder writable for you, then run the same command again.") from None
