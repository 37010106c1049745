"""Reads from upstream or from a mirror: with its login, which no other host is told, and on from where an earlier try was cut off."""

from __future__ import annotations

import base64
import errno
import http.client
import json
import os
import re
import ssl
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from http import HTTPStatus
from pathlib import Path
from typing import Any

from ansible_collections.todochat.platform.plugins.module_utils.base.errors import TAKES_NO_MORE
from ansible_collections.todochat.platform.plugins.module_utils.base.progress import TooLongError, copy, waiting_for
from ansible_collections.todochat.platform.plugins.module_utils.base.web import outside
from ansible_collections.todochat.platform.plugins.module_utils.store.lock import ArtifactError
from ansible_collections.todochat.platform.plugins.module_utils.store.store import sha256_of

PROBE_SECONDS = 5
STALL_SECONDS = 60
PAUSES = (1, 2, 4, 8, 16)
"""Seconds before each further try of a download that was cut off."""
PASSING = {408, 429, 500, 502, 503, 504}
"""Statuses of a server that may answer otherwise in a moment."""
REFUSED = {401, 403, 404}
"""Statuses that stay until somebody does something about them."""
UNKNOWN_AUTHORITY = {18, 19, 20, 21}
"""OpenSSL's reasons (X509_V_ERR_*): self-signed, an authority that is not trusted, one that is not there, and no chain to one."""
EDIT_LOGIN = "`make vault DO=edit ARGS='-e secret=mirror_login'`"
AGAIN = "then run the same command again."
REACH_UPSTREAM = f"See that this machine reaches it, name a mirror in artifact_mirror, or have it built (artifact_source=auto); {AGAIN}"
REACH_MIRROR = f"See that this machine reaches it, and that artifact_mirror names it; {AGAIN}"
CERTIFICATE = f"It has to be of this date, and for the host that artifact_mirror names: correct that, or have it renewed; {AGAIN}"
ALTERED = "A proxy that alters downloads is a common cause: let this address pass unaltered, then run the same command again."
GO_ON = "Run the same command again, which goes on from there."

FAILURES = (OSError, http.client.HTTPException)
"""What a connection, or the disk, may raise."""
Ask = Callable[[Mapping[str, str]], Any]
"""Opens an answer, for such headers beside its own."""


def origin(address: str) -> str:
    """Scheme, host and port of a URL, without a login."""
    parts = urllib.parse.urlsplit(address)
    port = parts.port or {"http": 80, "https": 443}.get(parts.scheme)
    return f"{parts.scheme}://{(parts.hostname or '').lower()}:{port}"


def login_in(mirror: str) -> str:
    """What stands before an @ in a base URL, as a name does, with a password or without, also where the scheme was forgotten; "" where there is none."""
    if mirror.startswith(("/", ".", "~")):
        return ""
    rest = mirror.partition("://")[2] or mirror
    host = re.split("[/?#]", rest, maxsplit=1)[0]
    # a password may hold what ends a host's name
    return (host if re.fullmatch(r"(\[[^]]*\]|[^:@]*)(:\d*)?", host) else rest).rpartition("@")[0]


def login_in_address(variable: str = "artifact_mirror") -> ArtifactError:
    """That one stands there. The address is not repeated."""
    return ArtifactError(
        f"{variable} names a user or a password in its URL, which arguments, logs and the store's records would show.",
        f"Take it out there, and put it as name:password into the vault: {EDIT_LOGIN}.",
    )


def basic(login: str) -> str:
    """The header of name:password, as RFC 7617 has it."""
    return f"Basic {base64.b64encode(login.encode()).decode()}"


def reason_of(error: Exception) -> object:
    """What happened, where urllib has put something around it."""
    reason = error.reason if isinstance(error, urllib.error.URLError) and not isinstance(error, urllib.error.HTTPError) else error
    return reason if str(reason) else type(reason).__name__


class Authorization(urllib.request.BaseHandler):
    """Tells one server who asks, and no other: not where that one leads to, such as the storage of a registry."""

    def __init__(self, address: str, value: str = "") -> None:
        self.origin = origin(address)
        self.value = value

    def http_request(self, request: urllib.request.Request) -> urllib.request.Request:
        if self.value and origin(request.full_url) == self.origin:
            request.add_unredirected_header("Authorization", self.value)
        return request

    https_request = http_request


class Client:
    """Asks a mirror, given as a base URL or a folder, or upstream where it is empty.

    ``authority`` is a file of certificates that are trusted beside the machine's, ``login`` is name:password; both may be empty.
    """

    def __init__(self, mirror: str = "", authority: str = "", login: str = "") -> None:
        self.mirror = mirror.rstrip("/")
        self.base = self.mirror if "://" in self.mirror or not self.mirror else Path(self.mirror).resolve().as_uri()
        self.authority = authority
        self.login = login

    def __str__(self) -> str:
        return f"artifact_mirror={self.mirror}"

    @cached_property
    def by_login(self) -> Authorization:
        """Tells the mirror the login at once: some say 404 to whoever does not come with one."""
        return Authorization(self.base, basic(self.login) if self.login else "")

    def open(
        self, address: str, authorization: Authorization, headers: Mapping[str, str] | None = None, method: str = "GET", seconds: float = STALL_SECONDS
    ) -> Any:
        """An answer. Raises what urllib does; ArtifactError where the authority's file cannot be used."""
        try:
            opener = outside(authorization, authority=self.authority)
        except OSError as error:
            if not self.authority:
                raise
            raise ArtifactError(
                f"artifact_mirror_ca={self.authority} has no certificate that can be read: {error.strerror or error}",
                f"Name the file with the certificate (PEM) of the authority that the mirror's comes from; {AGAIN}",
            ) from None
        return opener.open(urllib.request.Request(address, headers=dict(headers or {}), method=method), timeout=seconds)

    @contextmanager
    def told(self, address: str, upstream: str = "") -> Iterator[None]:
        """What goes wrong within with an address is an ArtifactError, as `problem` has it; a disk that takes no more says so itself."""
        try:
            yield
        except FAILURES as error:
            if getattr(error, "errno", None) in TAKES_NO_MORE:
                raise
            raise self.problem(address, error, upstream) from error

    def problem(self, address: str, error: Exception, upstream: str = "") -> ArtifactError:
        """Why an address gives no answer that is of use, in a sentence. ``upstream`` is where upstream has the same."""
        if isinstance(error, ArtifactError):
            return error
        if isinstance(error, urllib.error.HTTPError):
            return self._refusal(address, error, upstream)
        reason = reason_of(error)
        if isinstance(reason, FileNotFoundError) and self.base.startswith("file:"):
            return self._lacks(address, str(reason.strerror), upstream)
        if isinstance(reason, ssl.SSLCertVerificationError) and self.mirror:
            return ArtifactError(
                f"{self} has a certificate that this machine does not trust: {reason.verify_message}",
                f"Name the file with its authority's certificate in artifact_mirror_ca; {AGAIN}" if reason.verify_code in UNKNOWN_AUTHORITY else CERTIFICATE,
            )
        if isinstance(error, urllib.error.URLError) and self.mirror:
            return ArtifactError(f"{self} cannot be reached: {reason}", self._reach)
        return ArtifactError(f"{address} cannot be read: {reason}", self._reach)

    def _refusal(self, address: str, error: urllib.error.HTTPError, upstream: str) -> ArtifactError:
        """What a status other than success means."""
        answers = f"answers {error.code} {error.reason}".rstrip()
        if (leads_to := origin(error.url)) != origin(address):
            return ArtifactError(f"{address} leads to {leads_to}, which {answers}", self._reach)
        if not self.mirror or error.code not in REFUSED:
            return ArtifactError(f"{address} {answers}", self._reach)
        if error.code == HTTPStatus.NOT_FOUND:
            return self._lacks(address, f"it {answers}", upstream)
        if error.code == HTTPStatus.FORBIDDEN:
            who = "the login that the vault has for it" if self.login else "anybody without a login"
            allow = "Have those who run it allow that" + ("" if self.login else f", or give a login: {EDIT_LOGIN}")
            return ArtifactError(f"{self} does not let {who} read {address}: it {answers}", f"{allow}; {AGAIN}")
        if self.login:
            return ArtifactError(f"{self} does not take the login that the vault has for it: it {answers}", f"Correct it: {EDIT_LOGIN}; {AGAIN}")
        return ArtifactError(f"{self} asks for a login, and the vault has none for it: it {answers}", f"Give it, as name:password: {EDIT_LOGIN}; {AGAIN}")

    @property
    def _reach(self) -> str:
        return REACH_MIRROR if self.mirror else REACH_UPSTREAM

    def _lacks(self, address: str, why: str, upstream: str) -> ArtifactError:
        return ArtifactError(
            f"{self} does not have {address}: {why}",
            f"Put there what is at {upstream or 'upstream'}, or correct artifact_mirror: below it are upstream's paths; {AGAIN}",
        )


def compare(what: str, expected: str, actual: str) -> None:
    """Raises ArtifactError where a download has another SHA-256 than the lock file, or what that leads to, says."""
    if actual != expected:
        raise ArtifactError(f"{what} is not what the lock file names: expected SHA-256 {expected}, found {actual}; it was not used.", ALTERED)


class Download:
    """A file of which the SHA-256 is known before. What came of it stays in a folder, by that name, until whoever wants it takes it away.

    It is gone on with where the server still has the same: the answer's strong ETag, or else its Last-Modified, lies beside it.
    """

    def __init__(self, ask: Ask, address: str, expected: str, folder: Path, what: str, size: int = 0) -> None:
        self.ask, self.address, self.expected, self.what, self.size = ask, address, expected, what, size
        self.file = folder / expected
        self.note = folder / f"{expected}.json"
        self.came = 0
        """Bytes, in this process."""

    def run(self) -> Path:
        """The whole file. Raises what `ask` does; ArtifactError where it was cut off again and again, or is another one."""
        if self.there() and sha256_of(self.file) == self.expected:
            return self.file
        for pause in (*PAUSES, None):
            try:
                whole = self._read()
            except FAILURES as error:
                if isinstance(error, TooLongError):
                    self._discard()
                if not self.came or is_final(error):
                    raise
                if pause is None:
                    raise ArtifactError(
                        f"{self.address} was cut off {len(PAUSES) + 1} times, at last after {self.there() / 1e6:.1f} MB: {reason_of(error)}", GO_ON
                    ) from error
                waiting_for(f"{self.what}: cut off after {self.there() / 1e6:.0f} MB, going on in {pause} s")
                time.sleep(pause)
                continue
            if (found := sha256_of(self.file)) == self.expected:
                return self.file
            self._discard()
            if whole:
                break
            # in parts it may be of two versions, or a disk lost some of it: from the beginning
        compare(self.address, self.expected, found)
        return self.file

    def there(self) -> int:
        """Bytes that are there of it."""
        return self.file.stat().st_size if self.file.is_file() else 0

    def _discard(self) -> None:
        for file in (self.file, self.note):
            file.unlink(missing_ok=True)

    def _read(self) -> bool:
        """Reads to the end; whether all of it came now."""
        start, answer = self._answer()
        with answer:
            if not start:
                self._begin(validator_of(answer.headers))
            with self.file.open("ab") as file:
                try:
                    copy(answer, file, self.what, self.size or start + int(answer.headers.get("Content-Length") or 0), start)
                finally:
                    self.came += file.tell() - start
            if left := getattr(answer, "length", 0):
                raise http.client.IncompleteRead(b"", left)
        return start == 0

    def _answer(self) -> tuple[int, Any]:
        """What the server sends, and where in the file that begins."""
        start, validator = self.there(), self._validator()
        if not start or not validator:
            return 0, self.ask({})
        try:
            answer = self.ask({"Range": f"bytes={start}-", "If-Range": validator})
        except urllib.error.HTTPError as error:
            if error.code != HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
                raise
            return 0, self.ask({})
        if answer.status != HTTPStatus.PARTIAL_CONTENT:
            return 0, answer
        if continues(answer.headers, start, validator):
            return start, answer
        answer.close()
        return 0, self.ask({})

    def _begin(self, validator: str) -> None:
        """There is nothing of it, and a note of what will come. Of the folder's owner, also where root does it."""
        self.file.write_bytes(b"")
        self.note.write_text(json.dumps({"address": self.address, "validator": validator}), encoding="utf-8")
        owner = self.file.parent.stat()
        for made in (self.file, self.note):
            os.chown(made, owner.st_uid, owner.st_gid)

    def _validator(self) -> str:
        """By which the server knows whether it still has the same; empty where nothing says so."""
        try:
            noted = json.loads(self.note.read_text(encoding="utf-8"))
            return str(noted["validator"]) if noted["address"] == self.address else ""
        except (OSError, ValueError, KeyError, TypeError):
            return ""


def validator_of(headers: Any) -> str:
    """What If-Range takes (RFC 9110): a strong ETag, or else the date of the last change."""
    tag = headers.get("ETag", "")
    return str(tag if tag and not tag.startswith("W/") else headers.get("Last-Modified", ""))


def continues(headers: Any, start: int, validator: str) -> bool:
    """Whether a part is the one that was asked for, of what was there before."""
    said = re.match(r"bytes (\d+)-", headers.get("Content-Range", ""))
    return said is not None and int(said[1]) == start and validator_of(headers) in ("", validator)


def is_final(error: Exception) -> bool:
    """Whether another try would come to the same."""
    if isinstance(error, urllib.error.HTTPError):
        return error.code not in PASSING
    reason = reason_of(error)
    return isinstance(reason, ssl.SSLCertVerificationError | TooLongError) or getattr(reason, "errno", None) in {*TAKES_NO_MORE, errno.EACCES}
