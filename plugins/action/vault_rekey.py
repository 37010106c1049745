"""The action plugin vault_rekey; plugins/modules/vault_rekey.py documents it."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

from ansible.parsing.vault import FileVaultSecret, ScriptVaultSecret, VaultSecret, VaultSecretsContext

from ansible_collections.todochat.platform.plugins.module_utils.base.errors import UserError
from ansible_collections.todochat.platform.plugins.plugin_utils import vault_password
from ansible_collections.todochat.platform.plugins.plugin_utils.vaults import VaultAction, encrypted_anew


class ActionModule(VaultAction):
    """Makes a new vault password, and encrypts with it what the old one opens."""

    ARGUMENTS = {"script": {"type": "path", "required": True}, "team_path": {"type": "path", "required": True}}  # noqa: RUF012 - as Ansible has it

    def act(self, arguments: dict[str, Any]) -> dict[str, Any]:
        """Return {changed, msg}."""
        team = Path(arguments["team_path"]).resolve()
        secrets = VaultSecretsContext.current().secrets
        password = password_file(secrets, Path(arguments["script"]))
        if self._task.check_mode:
            _unused, encrypted, others = anew(known(secrets, password), team)
        else:
            with vault_password.locked():
                if vault_password.finish(password, vault_password.vaults(team)):
                    why = f"A change of the vault password in {password} had been broken off, and was finished now."
                    raise UserError(why, "Run the same command again.")
                new, encrypted, others = anew(known(secrets, password), team)
                vault_password.switch(password, new, encrypted)
        made, done = ("would make", "encrypt") if self._task.check_mode else ("made", "encrypted")
        also = f" and {done} with it {', '.join(map(str, encrypted))}" if encrypted else ""
        left = f"; of another password and left alone: {', '.join(map(str, others))}" if others else ""
        return {"changed": True, "msg": f"{made} a new vault password in {password}{also}{left}"}


def anew(secrets: list[tuple[str, VaultSecret]], team: Path) -> tuple[bytes, dict[Path, bytes], list[Path]]:
    """A new password, all vaults of the known ones as encrypted with it, and the vaults of another one."""
    new = vault_password.new_password()
    encrypted = {path: encrypted_anew(path.read_bytes(), secrets, VaultSecret(new.strip())) for path in vault_password.vaults(team)}
    return new, {path: content for path, content in encrypted.items() if content}, [path for path, content in encrypted.items() if not content]


def known(secrets: list[tuple[str, VaultSecret]], password: Path) -> list[tuple[str, VaultSecret]]:
    """All that may have encrypted a vault here: the password in force, the one in the file that gets another, and what is public."""
    own = [password.read_bytes().strip()] if password.exists() else []
    return [*secrets, *(("default", VaultSecret(each)) for each in (*own, *vault_password.public_passwords()))]


def password_file(secrets: list[tuple[str, VaultSecret]], script: Path) -> Path:
    """The file that holds the vault password in force, which has to come from one file of its own."""
    remedy = "Change it where it comes from, and run `ansible-vault rekey PATH` with each vault yourself."
    if len(secrets) != 1 or not isinstance(secrets[0][1], FileVaultSecret):
        raise UserError("The vault password does not come from one file, so it cannot be changed here.", remedy)
    secret = secrets[0][1]
    source = Path(secret.filename).resolve()
    if source == script.resolve() and not isinstance(secret, ScriptVaultSecret):
        why = f"{source} cannot be executed, so its text would be the vault password."
        raise UserError(why, f"Run `chmod +x {shlex.quote(str(source))}`, then the same command again.")
    if not isinstance(secret, ScriptVaultSecret):
        return source
    if source != script.resolve():
        raise UserError(f"The vault password comes from the program {source}, which cannot be told another one.", remedy)
    return vault_password.config_dir() / "vault-password"
