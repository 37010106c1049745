"""What every answer tells a browser to refuse, asked at every address the application is reached at."""

import re
import urllib.error
import urllib.request
from email.message import Message

import pytest

PAGES = {"/login": 200, "/no/such/page": 404}
OTHERS = {"/health/live": 200, "/api/todos": 401, "/icon.svg": 200}


def answer(url: str, status: int) -> tuple[Message, str]:
    """The headers and the body of an answer."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(url, timeout=15) as response:
            got, headers, body = response.status, response.headers, response.read()
    except urllib.error.HTTPError as error:
        got, headers, body = error.code, error.headers, error.read()
    assert got == status
    return headers, body.decode()


@pytest.mark.parametrize(("path", "status"), (PAGES | OTHERS).items())
def test_nothing_is_sniffed_or_framed(url: str, path: str, status: int) -> None:
    headers, _ = answer(url + path, status)
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["Referrer-Policy"] == "same-origin"
    assert headers["Permissions-Policy"]
    assert "X-Powered-By" not in headers


@pytest.mark.parametrize(("path", "status"), PAGES.items())
def test_a_page_runs_its_own_scripts_alone(url: str, path: str, status: int) -> None:
    nonces = set()
    for _ in range(2):
        headers, body = answer(url + path, status)
        (nonce,) = re.findall(r"script-src 'self' 'nonce-([^']+)' 'strict-dynamic';", headers["Content-Security-Policy"])
        scripts = re.findall(r"<script[^>]*>", body)
        assert scripts
        assert [script for script in scripts if f'nonce="{nonce}"' not in script] == []
        nonces.add(nonce)
    assert len(nonces) == 2
