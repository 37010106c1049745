"""The vault's values are in the cluster and nowhere else, and a changed vault changes the Secret."""

from __future__ import annotations

import base64
import json
import secrets

from conftest import Tester
from vault_commands import forms


def stored(tester: Tester) -> dict[str, str]:
    """The Secret's data in clear text."""
    data: dict[str, str] = tester.kubectl("get secret backend-secrets")["data"]
    return {name: base64.b64decode(value).decode() for name, value in data.items()}


def test_the_secret_holds_what_the_vault_says(tester: Tester) -> None:
    vault = tester.vault()
    found = stored(tester)
    assert set(found) == {"database_url", "jwt_keys"}
    assert f"//todo_app:{vault['vault_database_password']}@" in found["database_url"]
    assert json.loads(found["jwt_keys"]) == vault["vault_jwt_keys"]


def test_a_language_models_key_is_in_the_secret_as_long_as_it_is_in_the_vault(tester: Tester) -> None:
    before, key = stored(tester), f"gsk_{secrets.token_urlsafe(32)}"
    edit = "make vault DO=edit ARGS='-vvv --diff -e secret=model_api_key' 2>&1"
    for value, expected in ((key, before | {"model_api_key": key}), ("", before)):
        edited = tester.sees(f"cd todochat && echo '{value}' | {edit}")
        passed, output = tester.up("--tags app_secrets --diff -vvv")
        assert passed, output
        assert stored(tester) == expected
        assert [form for form in forms(key) if form in edited + output] == []


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
