"""What may leave this machine holds no secret and nothing of whose machine it is, and is still of use."""

from __future__ import annotations

import base64
import json
import re
import urllib.parse
from collections.abc import Callable

import pytest

from ansible_collections.todochat.platform.plugins.module_utils.diagnosis.faults import FAULTS
from ansible_collections.todochat.platform.plugins.module_utils.diagnosis.redaction import Machine, redact, this_machine
from ansible_collections.todochat.platform.plugins.module_utils.diagnosis.rules import harmless
from ansible_collections.todochat.platform.plugins.module_utils.vault import new_vault

MACHINE = Machine(("janes-laptop.corp.example", "janes-laptop"), ("jane.doe",), ("/srv/people/jane.doe",))
URL = "postgresql://neon_owner:p%2Fss%20w%C3%B6rd-9@ep-cool-1.eu.example:5432/todo?sslmode=require"
VAULT = {**new_vault(), "vault_database_url": URL, "vault_model_api_key": 'one+"key\\of/ours=?&'}
LEAVES = {
    "password": VAULT["vault_database_password"],
    "checksum key": VAULT["vault_checksum_key"],
    "model key": VAULT["vault_model_api_key"],
    "jwt key": next(iter(VAULT["vault_jwt_keys"]["keys"].values())),
    "database url": URL,
    "its password": "p/ss wörd-9",
    "its password as written": "p%2Fss%20w%C3%B6rd-9",
    "its host": "ep-cool-1.eu.example",
}
FORMS: dict[str, Callable[[str], str]] = {
    "raw": str,
    "url": lambda value: urllib.parse.quote(value, safe=""),
    "url, lower case": lambda value: re.sub("%..", lambda code: code[0].lower(), urllib.parse.quote(value, safe="")),
    "plus": urllib.parse.quote_plus,
    "json": lambda value: json.dumps(value)[1:-1],
    "hexadecimal": lambda value: value.encode().hex(),
    **{f"base64 after {before}": lambda value, before=before: base64.b64encode(b"x" * before + value.encode()).decode() for before in (0, 1, 2)},
    "base64url": lambda value: base64.urlsafe_b64encode(value.encode()).decode(),
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", LEAVES)
def test_no_value_of_the_vault_is_left_in_any_form(name: str, form: str) -> None:
    said = FORMS[form](LEAVES[name])
    text = redact(f"backend-1/backend says {said} and ends", VAULT, MACHINE)
    # the letters beside a value in base64 depend on what stands before and after it
    assert said[4:-4] not in text
    assert text.startswith("backend-1/backend says ")
    assert text.endswith(" and ends")


def test_nor_the_beginning_of_one_that_was_cut() -> None:
    for value in (value for value in LEAVES.values() if value != URL):  # which is taken out by its parts
        for size in range(4, len(value)):
            assert value[:4] not in redact(f"It says: {value[:size]}...\nMend it: make up", VAULT, MACHINE)


@pytest.mark.parametrize("password", ["p/ss wörd-9", "p/ss,wörd-9", 'p/ss"wörd-9', "p/ss x"])
@pytest.mark.parametrize("said", ["password={} host=db", "postgresql://u:{}@h/todo failed", "authorization: {}, next", "cookie={} ends"])
def test_nor_the_end_of_one_that_the_page_has_cut(said: str, password: str) -> None:
    """As the product does: somebody else's words are made harmless first."""
    text = redact(harmless(said.format(password)), [password], MACHINE)
    assert [end for end in (password[4:], password[-2:]) if end in text] == []


@pytest.mark.parametrize("host", ["database", "backend", "registry", "todo", "localhost", "make"])
def test_a_host_that_is_called_like_a_word_of_the_page_leaves_the_page(host: str) -> None:
    url = f"postgresql://u:a-password-of-16@{host}/x"
    page = "kubectl -n todo logs backend and database, make logs ARGS='-e service=backend,database', localhost and the registry"
    assert redact(page, [url], MACHINE) == page
    assert redact(f"at {url}", [url], MACHINE) == "at [secret]"


@pytest.mark.parametrize("value", ["db", "pw", "a-1"])
def test_a_short_value_counts_as_a_word(value: str) -> None:
    for url in (f"postgresql://u:a-password-of-16@{value}/x", f"postgresql://u:{value}@far.example/x"):
        assert redact(f"{value} of feedback-{value}s, ({value})", [url], MACHINE) == f"[secret] of feedback-{value}s, ([secret])"


@pytest.mark.parametrize("value", ["secret", "cret]", "[secret", "key", "e-mail"])
def test_what_stands_for_a_value_is_taken_for_none(value: str) -> None:
    once = redact("password=x a@b.example, sk-12345678901234567890 ends", ["another", value], MACHINE)
    assert once == "password=[secret] [e-mail], [key] ends"
    assert redact(once, ["another", value], MACHINE) == once


KEY_BLOCK = "-----BEGIN RSA PRIVATE KEY-----\nMIIEow\nCANARYCANARY\n-----END RSA PRIVATE KEY-----"
JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJjYW5hcnkifQ.CANARY-signature"
SAID = {
    "a password in an address": ("redis://worker:CANARY@cache:6379/0", "redis://[login]@cache:6379/0"),
    "one with a slash and an @": ("mysql://u:CAN/A@CANARY@db/x", "mysql://[login]@db/x"),
    "a user alone in an address": ("https://CANARY@example.com/x", "https://[login]@example.com/x"),
    "a bearer token": ("Authorization: Bearer CANARY.abc-123", "Authorization: Bearer [secret]"),
    "a basic login": ("authorization=Basic Q0FOQVJZOnB3", "authorization=Basic [secret]"),
    "another scheme": ("Authorization: CANARY/4 Credential=CANARY", "Authorization: [secret]"),
    "a cookie": ("Set-Cookie: session=CANARY; Path=/", "Set-Cookie: [secret]"),
    "a cookie in JSON": ('{"cookie": "session=CANARY", "n": 1}', '{"cookie": [secret], "n": 1}'),
    "a cookie in Python": ("{'set-cookie': 'sid=CANARY', 'n': 1}", "{'set-cookie': [secret], 'n': 1}"),
    "a cookie by name": ("cookie=CANARY; other=CANARY status=200", "cookie=[secret] status=200"),
    "headers of Go": ("map[Cookie:[session=CANARY] Authorization:[CANARYtok] Host:[x]]", "map[Cookie:[secret] Authorization:[secret] Host:[x]]"),
    "headers in lists": ('{"X-Api-Key": ["CANARY two"], "n": 1}', '{"X-Api-Key": [secret], "n": 1}'),
    "a session": ("session=CANARY ends", "session=[secret] ends"),
    "a token": (f"the token {JWT} has expired", "the token [token] has expired"),
    "a token that was cut": (f"got {JWT[:24]}...", "got [token]"),
    "a password by name": ("password=CANARY host=db", "password=[secret] host=db"),
    "one in quotes": ("password: 'CANARY two' x", "password: [secret] x"),
    "one in JSON": ('{"db_password": "CANARY two", "host": "db"}', '{"db_password": [secret], "host": "db"}'),
    "one in JSON within JSON": (r'{"m": "{\"api_key\": \"CANARY\", \"n\": 1}"}', None),
    "one in JSON within JSON within quotes": (r'{"m": "{\"api_key\": \"a\\\"CANARY\", \"n\": 1}"}', None),
    "one with a quote in it": (r'{"password": "ab\"CANARY", "n": 1}', '{"password": [secret], "n": 1}'),
    "one with a comma in it": ("password=ab,CANARY, host=db", "password=[secret], host=db"),
    "one beside another name": ("password=CANARY,host=db", "password=[secret],host=db"),
    "a short name": ("db_pass=CANARY host=db", "db_pass=[secret] host=db"),
    "a passphrase": ("passphrase: CANARY x", "passphrase: [secret] x"),
    "one in SQL": ("ALTER ROLE x PASSWORD 'CAN''CANARY' VALID", "ALTER ROLE x PASSWORD [secret] VALID"),
    "a variable": ("TODO_SECRET_KEY=CANARY", None),
    "an option": ("run --api-key CANARY --verbose", "run --api-key [secret] --verbose"),
    "an option in quotes": ('--password "CANARY two" --verbose', "--password [secret] --verbose"),
    "an option in a list": ('["--password","CANARY two","-v"]', '["--password",[secret],"-v"]'),
    "a key of OpenAI's": ("Incorrect API key provided: sk-proj-CANARYCANARY12.", None),
    "a key of Groq's": ("gsk_CANARYCANARYCANARY", "[key]"),
    "a token of GitHub's": ("ghp_CANARYCANARYCANARY1", "[key]"),
    "a key of Amazon's": ("AKIACANARYCANARY12", "[key]"),
    "an access token of ours": ("todo_CANARYxyzCANARYxyzCANARYxyzCANARYxyz", "[key]"),
    "something random": ("id CANARYx0aCANARYx0aCANARYx0aCANARYx0a!", "id [secret]!"),
    "a private key": (f"read {KEY_BLOCK} and more", "read [private key] and more"),
    "a private key in one line": (KEY_BLOCK.replace("\n", " "), "[private key]"),
    "a private key in JSON": (json.dumps(KEY_BLOCK), '"[private key]"'),
    "a private key that was cut": (f"{KEY_BLOCK[:50]}...\nMend it: make up", "[private key]\nMend it: make up"),
    "an e-mail address": ("no account jäne+x@CANARY.example here", "no account [e-mail] here"),
    "one in an address": ("?email=jane%40CANARY.example&n=1", "?email=[e-mail]&n=1"),
    "an address behind a name": ("ip:10.20.30.40 tcp:10.20.30.40:80 a:b:10.20.30.40", "ip:[address] tcp:[address]:80 a:b:[address]"),
    "one of version 6 behind a name": ("src:2001:db8::7 and 2001:db8::7: refused by 2001:db8::7.", "src:[address] and [address] refused by [address]"),
    "an address": ("dial tcp 10.20.30.40:5432: timeout", "dial tcp [address]:5432: timeout"),
    "an address of version 6": ("from [2001:db8::7]:80 and fe80::1%eth0", "from [[address]]:80 and [address]%eth0"),
    "the host": ("on Janes-Laptop, which is janes-laptop.corp.example.", "on [host], which is [host]."),
    "a home": ("/srv/people/jane.doe/x and /home/CANARY/y", "~/x and ~/y"),
    "a user": ("owned by jane.doe (jane.doe)", "owned by [user] ([user])"),
}


@pytest.mark.parametrize("what", SAID)
def test_what_looks_like_one_is_taken_out_and_the_rest_stays(what: str) -> None:
    said, expected = SAID[what]
    text = redact(said, {}, MACHINE)
    assert expected is None or text == expected
    assert [word for word in ("CANARY", "Q0FOQVJZ", "jane", "Janes", "db8") if word in text] == []
    assert redact(text, {}, MACHINE) == text


USEFUL = (
    "0/1 nodes are available: 1 Insufficient memory.",
    "backend-5d4f6b7c9d-x7k2p/backend: CrashLoopBackOff, exit code 2 (Error), since 12:34:56.",
    'password authentication failed for user "todo_app"',
    'secret "backend-secrets" not found',
    "127.0.0.1:5000/todo/backend@sha256:" + "0a" * 32,
    "port 30000 is held by the process python3 (4711), not by todo at 0.0.0.0 or ::1",
    "kubectl --kubeconfig ~/.local/state/todochat/todo/kubeconfig -n todo rollout undo deployment/backend",
    "The language model's provider at api.groq.com:443 cannot be reached from the node: Connection timed out",
    "etcd 3.6.4, Kubernetes v1.34.1, 2026-11-24T06:00:00Z",
)


@pytest.mark.parametrize("said", [*USEFUL, *(command for fault in FAULTS for command in (fault.looks, *fault.mends))])
def test_what_explains_a_fault_stays(said: str) -> None:
    assert redact(said, VAULT, MACHINE) == said


def test_this_machine_is_known() -> None:
    machine = this_machine()
    assert machine.hosts
    assert not {"", "root"} & set(machine.users)
    assert "/" not in machine.homes
    assert redact(f"x {machine.hosts[0]} y", {}, machine) == "x [host] y"
