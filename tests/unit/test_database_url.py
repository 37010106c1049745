"""Addresses of databases: the same table as the application's own tests read, apps/backend/tests/database_urls.json."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from ansible.errors import AnsibleFilterError
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from ansible_collections.todochat.platform.plugins.filter.database_url import database_url
from ansible_collections.todochat.platform.plugins.module_utils import vault
from ansible_collections.todochat.platform.plugins.module_utils.base import database_url as code
from ansible_collections.todochat.platform.plugins.module_utils.base.database_url import AddressError, parameters
from ansible_collections.todochat.platform.plugins.module_utils.base.errors import UserError
from ansible_collections.todochat.platform.plugins.module_utils.database.client import CERTIFICATES, Address

ROOT = Path(__file__).resolve().parents[2]
COLLECTIONS = ROOT / ".ansible/collections"
TABLE: list[dict[str, Any]] = json.loads((ROOT / "apps/backend/tests/database_urls.json").read_text(encoding="utf-8"))
TAKEN = [one for one in TABLE if "parameters" in one]
REFUSED = [one for one in TABLE if "refused" in one]


def certificate(name: str) -> str:
    """One of an authority, in PEM, with the key that signed it before it."""
    key, subject, now = ec.generate_private_key(ec.SECP256R1()), x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]), datetime.now(UTC)
    made = x509.CertificateBuilder().subject_name(subject).issuer_name(subject).public_key(key.public_key()).serial_number(x509.random_serial_number())
    signed = made.not_valid_before(now).not_valid_after(now + timedelta(days=1)).sign(key, hashes.SHA256())
    private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return (private + signed.public_bytes(serialization.Encoding.PEM)).decode()


def without_key(text: str) -> str:
    return text.partition("-----END PRIVATE KEY-----\n")[2]


@pytest.fixture
def systems(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The certificates that this machine trusts."""
    text = without_key(certificate("public"))
    (tmp_path / "systems.crt").write_text(text)
    monkeypatch.setattr(code, "CA_BUNDLES", (str(tmp_path / "systems.crt"),))
    return text


@pytest.mark.parametrize("one", TAKEN, ids=lambda one: one["url"])
@pytest.mark.usefixtures("systems")
def test_an_address_is_read_as_the_library_reads_it(one: dict[str, Any]) -> None:
    said = one["parameters"]
    assert parameters(one["url"]) == said
    for part in ("host", "port", "dbname"):
        assert database_url(one["url"], part) == said[part]
    assert database_url(one["url"], "hostaddr") == said.get("hostaddr", said["host"])
    if said.get("sslrootcert", "system") == "system":
        assert vault.url_problem(one["url"]) is None
        checked = {"sslrootcert": CERTIFICATES} if "sslrootcert" in said else {}
        assert (said | checked).items() <= Address.parse(one["url"]).parameters.items()


@pytest.mark.parametrize("query", ["sslmode=verify-ca", "sslmode=verify-full", "sslmode=verify-full&sslrootcert=system", "sslrootcert=system"])
def test_pods_and_backups_trust_what_this_machine_trusts(systems: str, query: str) -> None:
    url = f"postgresql://ann:canary@db.example/todo?{query}"
    assert database_url(url, "certificates") == Address.parse(url).certificates == systems
    assert Address.parse(url).parameters["sslrootcert"] == CERTIFICATES


# Filters of collections are known to a process that has set Ansible's loader up.
DATA_OF_THE_SECRET = """
import json, sys
from ansible.parsing.dataloader import DataLoader
from ansible.plugins.loader import init_plugin_loader
init_plugin_loader([sys.argv[1]])
from ansible_collections.todochat.platform.plugins.plugin_utils import observed
given = {"ansible_check_mode": False, "app_secrets_database_url": sys.argv[2]}
print(json.dumps(observed.filled_in(DataLoader(), given)("__app_secrets_wanted")["data"]))
"""


@pytest.mark.parametrize("query", ["", "?sslmode=verify-full&sslrootcert="])
def test_the_secret_has_certificates_where_the_servers_is_checked(tmp_path: Path, query: str) -> None:
    file = tmp_path / "db.pem"
    file.write_text(certificate("ours"))
    url = f"postgresql://ann:canary@db.example/todo{query}{file if query else ''}"
    command = [sys.executable, "-c", DATA_OF_THE_SECRET, str(COLLECTIONS), url]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    data = json.loads(done.stdout)
    assert data["database_url"] == url
    assert data.get("database_ca") == (without_key(file.read_text()) if query else None)


@pytest.mark.parametrize("query", ["", "?sslmode=require&channel_binding=require"])
@pytest.mark.usefixtures("systems")
def test_where_no_certificate_is_checked_there_is_none(query: str) -> None:
    # With one, `require` would check too.
    url = f"postgresql://ann:canary@db.example/todo{query}"
    assert database_url(url, "certificates") == Address.parse(url).certificates == ""
    assert "sslrootcert" not in Address.parse(url).parameters


@pytest.mark.usefixtures("systems")
def test_pods_and_backups_trust_the_file_that_is_named_alone_and_no_key_leaves_it(tmp_path: Path) -> None:
    file = tmp_path / "our ca.pem"
    first, second = certificate("one"), certificate("two")
    file.write_bytes(f"Unsere Behörde\n\n{first}\n# another\n{second}".replace("\n", "\r\n").encode("latin-1"))
    url = f"postgresql://ann:canary@db.example/todo?sslmode=require&sslrootcert={str(file).replace(' ', '%20')}"
    assert vault.url_problem(url) is None
    assert database_url(url, "certificates") == Address.parse(url).certificates == without_key(first) + without_key(second)
    assert Address.parse(url).parameters["sslrootcert"] == CERTIFICATES
    assert "CERTIFICATE" not in repr(Address.parse(url))


@pytest.mark.parametrize(
    ("make", "why"),
    [
        (lambda _file: None, "cannot be read (No such file or directory)"),
        (lambda file: file.mkdir(), "cannot be read (Is a directory)"),
        (lambda file: file.write_text(certificate("one").partition("-----BEGIN CERT")[0]), "there is none that can be read"),
        (lambda file: file.write_text(certificate("one").replace("MIIB", "%%%%")), "there is none that can be read"),
    ],
)
def test_a_file_without_certificates_is_named_before_anything_is_touched(tmp_path: Path, make: Callable[[Path], object], why: str) -> None:
    file = tmp_path / "db.pem"
    make(file)
    url = f"postgresql://ann:canary@db.example/todo?sslmode=verify-full&sslrootcert={file}"
    with pytest.raises(UserError) as told:
        Address.parse(url)
    with pytest.raises(AnsibleFilterError) as filtered:
        database_url(url, "certificates")
    for said in (str(vault.url_problem(url)), str(told.value), str(filtered.value)):
        assert f"by {file}, " in said
        assert why in said
        assert "canary" not in said


def test_of_no_address_each_part_is_empty_and_a_faulty_one_is_told_without_repeating_it() -> None:
    assert {database_url("", part) for part in ("host", "hostaddr", "port", "dbname", "certificates")} == {""}
    with pytest.raises(AnsibleFilterError) as refused:
        database_url("postgresql://ann:can@ary@db.example/todo", "host")
    assert "percent-encode" in str(refused.value)
    assert not re.search(r"\b(can|ary|ann)\b|example/", str(refused.value))


@pytest.mark.parametrize("one", REFUSED, ids=lambda one: one["url"])
def test_one_that_cannot_work_is_refused_with_what_to_do_and_without_a_part_of_it(one: dict[str, Any]) -> None:
    with pytest.raises(AddressError) as refused:
        parameters(one["url"])
    assert one["refused"] in str(refused.value)
    assert vault.url_problem(one["url"]) == str(refused.value)
    with pytest.raises(UserError) as told:
        Address.parse(one["url"])
    for said in (str(refused.value), str(told.value)):
        assert not re.search(r"\b(canary|ary|ann)\b|example/", said)


def test_there_are_many() -> None:
    assert len(TABLE) >= 30
