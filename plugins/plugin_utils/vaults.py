"""A deployment's vault as a file: opened, checked and written with Ansible's own vault password.

For action plugins: that password is known to the controller's Ansible alone, and here it need not be passed to anybody.
"""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

import yaml
from ansible.errors import AnsibleError
from ansible.parsing.vault import VaultLib, VaultSecretsContext, is_encrypted, match_encrypt_secret, parse_vaulttext_envelope
from ansible.plugins.action import ActionBase

from ansible_collections.todochat.platform.plugins.module_utils import vault
from ansible_collections.todochat.platform.plugins.module_utils.base.errors import UserError
from ansible_collections.todochat.platform.plugins.plugin_utils import vault_password

MAKE = "Run `make vault DO=create`, or `make up`, which makes it with all the rest."
EDIT = "`make vault DO=edit ARGS='-e secret={}'`"


class VaultAction(ActionBase):  # type: ignore[misc]
    """An action on vaults that fails with a sentence and what to do."""

    _requires_connection = False
    ARGUMENTS: dict[str, dict[str, Any]]

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """What `act` returns, or a failure that names file and variables."""
        super().run(tmp, task_vars)
        _unused, arguments = self.validate_argument_spec(self.ARGUMENTS)
        try:
            return self.act(arguments)
        except UserError as error:
            return {"failed": True, "msg": str(error), "why": error.why, "remedy": error.remedy}
        except OSError as error:
            said = UserError(f"{error.filename} cannot be used: {error.strerror}", "Mend that, then run the same command again.")
            return {"failed": True, "msg": str(said), "why": said.why, "remedy": said.remedy}

    def act(self, arguments: dict[str, Any]) -> dict[str, Any]:
        raise NotImplementedError


def in_force(path: str, team_path: str | None) -> Path:
    """The vault that counts: a team's own before the one in the home directory."""
    return Path(team_path) if team_path and Path(team_path).exists() else Path(path)


def secrets_in_force(path: Path) -> list[tuple[str, Any]]:
    """Ansible's vault passwords. Raises UserError where one is public."""
    secrets: list[tuple[str, Any]] = VaultSecretsContext.current().secrets
    for _unused, secret in secrets:
        if not vault_password.is_public(secret.bytes):
            continue
        if path.exists() and vault_password.opens(path.read_bytes(), secret.bytes):
            raise public(path)
        raise UserError(
            f"The vault password would be the text of {getattr(secret, 'filename', 'a script')}, as Ansible cannot execute it.",
            "Make it executable (chmod +x), or name a file that holds the password alone in ANSIBLE_VAULT_PASSWORD_FILE.",
        )
    return secrets


def public(path: Path) -> UserError:
    """A vault that everybody can open."""
    return UserError(
        f"The vault {path} opens with the text of scripts/vault-password, which is public: that was not executable when the vault was made.",
        "Run `make vault DO=rekey`, which gives it a password of its own, and then, as all that is in it may be known, "
        "`make vault DO=rotate ARGS='-e secret=NAME'` with each of database_password, jwt_keys and checksum_key.",
    )


def opened(path: Path) -> tuple[str, dict[str, Any]]:
    """The text of a vault, and what it says; it opens with Ansible's vault password and fits the schema."""
    if not path.exists():
        raise UserError(f"There is no vault {path}.", MAKE)
    encrypted = path.read_bytes()
    if not is_encrypted(encrypted):
        raise UserError(f"The vault {path} is not encrypted.", f"Run `ansible-vault encrypt {shlex.quote(str(path))}`.")
    try:
        text = VaultLib(secrets_in_force(path)).decrypt(encrypted).decode()
        content = yaml.safe_load(text)
    except AnsibleError:
        if vault_password.public_password(encrypted):
            raise public(path) from None
        raise UserError(
            f"The vault {path} does not open with the vault password in force.",
            "Give the password it was encrypted with, in the file that ANSIBLE_VAULT_PASSWORD_FILE names, otherwise in the one that "
            "scripts/vault-password reads.",
        ) from None
    except (yaml.YAMLError, UnicodeDecodeError):
        # The parser's own words quote the line, and the line may hold a secret.
        raise UserError(f"The vault {path} is not valid YAML.", f"Mend it with `ansible-vault edit {shlex.quote(str(path))}`.") from None
    if found := vault.problems(content):
        raise UserError(f"The vault {path} does not fit: {'; '.join(found)}.", f"Mend it with `ansible-vault edit {shlex.quote(str(path))}`.")
    return text, content


def write(path: Path, text: str, new: bool) -> None:
    """Encrypt `text` to `path` (0600), whole or not at all; a `new` vault never over an existing one."""
    secrets = secrets_in_force(path)
    if not secrets:
        remedy = f"Name its file in vault_password_file of ansible.cfg or in ANSIBLE_VAULT_PASSWORD_FILE; {vault_password.SCRIPT} makes one."
        raise UserError("There is no vault password.", remedy)
    vault_id, secret = match_encrypt_secret(secrets)
    try:
        (vault_password.create if new else vault_password.replace)(path.resolve(), VaultLib(secrets).encrypt(text, secret, vault_id))
    except FileExistsError:
        raise UserError(f"Another run made the vault {path} just now.", "Run the same command again.") from None
    except OSError as error:
        why = f"The vault {path} cannot be written: {error.strerror}."
        raise UserError(why, "Make its folder writable for you, then run the same command again.") from None


def encrypted_anew(old: bytes, secrets: list[tuple[str, Any]], secret: Any) -> bytes | None:
    """A vault encrypted with another password, labelled as before; None where `secrets` do not open it."""
    if not is_encrypted(old):
        return None
    try:
        clear = VaultLib(secrets).decrypt(old)
    except AnsibleError:
        return None
    label = parse_vaulttext_envelope(old)[3]
    new: bytes = VaultLib(secrets).encrypt(clear, secret, label if label != "default" else None)
    return new
