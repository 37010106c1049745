"""The vault's values are in the cluster and nowhere else, and a changed vault changes the Secret."""

from __future__ import annotations

import base64
import json

import pytest
from conftest import Tester


def stored(tester: Tester) -> dict[str, str]:
    """The Secret's data in clear text."""
    data: dict[str, str] = tester.kubectl("get secret backend-secrets")["data"]
    return {name: base64.b64decode(value).decode() for name, value in data.items()}


def test_the_secret_holds_what_the_vault_says(tester: Tester) -> None:
    vault = tester.vault()
    found = stored(tester)
    assert set(found) == {"database_url", "jwt_keys"}
    assert vault["vault_database_password"] in found["database_url"]
    assert json.loads(found["jwt_keys"]) == vault["vault_jwt_keys"]


def test_the_namespace_admits_restricted_pods_only(tester: Tester) -> None:
    (labels,) = (item["metadata"]["labels"] for item in tester.kubectl("get namespaces")["items"] if item["metadata"]["name"] == "todo")
    assert labels["pod-security.kubernetes.io/enforce"] == "restricted"


def test_a_changed_secret_is_put_right_and_no_value_is_shown(tester: Tester) -> None:
    wanted = stored(tester)
    kubectl = "KUBECONFIG=~/.local/state/todochat/todo/kubeconfig kubectl --namespace todo"
    tester.sees(f"{kubectl} patch secret backend-secrets --patch '{{\"stringData\": {{\"database_url\": \"changed-by-hand\"}}}}'")
    passed, output = tester.up("--tags app_secrets --diff -vvv")
    assert passed, output
    assert stored(tester) == wanted
    shown = [value for value in ("changed-by-hand", *wanted.values(), *tester.vault().values()) if isinstance(value, str) and value in output]
    assert shown == []


def edited(tester: Tester, change: str) -> None:
    """Runs a line of Python on the vault's content, `vault`, and encrypts it again."""
    script = f"import sys, yaml; vault = yaml.safe_load(sys.stdin); {change}; print(yaml.safe_dump(vault))"
    ansible_vault = "cd todochat && .venv/bin/ansible-vault"
    path = "~/.config/todochat/todo/vault.yml"
    tester.sees(f'{ansible_vault} view {path} | .venv/bin/python -c "{script}" > /tmp/vault.yml')
    tester.sees(f"{ansible_vault} encrypt --output {path} /tmp/vault.yml && rm /tmp/vault.yml")


@pytest.mark.parametrize(
    ("change", "phrase"),
    [
        ("del vault['vault_jwt_keys']", "vault_jwt_keys is missing"),
        ("vault['vault_typo'] = 'x'", "vault_typo is not known"),
        ("vault['vault_database_password'] = 'changeme'", "vault_database_password is empty or a placeholder"),
    ],
)
def test_a_vault_that_does_not_fit_is_named_and_nothing_changes(tester: Tester, change: str, phrase: str) -> None:
    before = stored(tester)
    tester.sees("cp ~/.config/todochat/todo/vault.yml kept")
    edited(tester, change)
    tester.refused("--tags app_secrets", phrase, "ansible-vault edit")
    tester.sees("mv kept ~/.config/todochat/todo/vault.yml")
    assert stored(tester) == before


def test_a_wrong_password_is_named(tester: Tester) -> None:
    tester.sees("cp ~/.config/todochat/vault-password kept && echo wrong-password-of-sorts > ~/.config/todochat/vault-password")
    tester.refused("--tags app_secrets", "does not open with the vault password")
    tester.sees("mv kept ~/.config/todochat/vault-password")


def test_a_missing_password_is_named(tester: Tester) -> None:
    tester.sees("mv ~/.config/todochat/vault-password kept")
    tester.refused("--tags app_secrets", "There is no vault password at", "vault.yml was encrypted with one")
    tester.sees("mv kept ~/.config/todochat/vault-password")
