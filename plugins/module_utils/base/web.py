"""HTTP: to this machine never through a proxy, and outside as the caller's environment says."""

from __future__ import annotations

import http.client
import ipaddress
import os
import re
import socket
import ssl
import time
import urllib.error
import urllib.request
from typing import IO, Any

from ansible_collections.todochat.platform.plugins.module_utils.base.environment import callers

MOST = 4 << 20
"""Bytes; no manifest is larger, says the registry's specification, and no answer that a check asks for."""
# What different programs call the file of certificates that they are to trust in place of the system's.
CA_VARIABLES = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "PIP_CERT", "NPM_CONFIG_CAFILE")
# Where systems have the certificates that they trust.
CA_BUNDLES = ("/etc/ssl/certs/ca-certificates.crt",)


def ca_bundle() -> str:
    """The file of certificates that the caller, or else this system, trusts; empty where there is none."""
    told = {name.upper(): value for name, value in callers().items()}
    return next(filter(os.path.isfile, (*(told.get(name, "") for name in CA_VARIABLES), *CA_BUNDLES)), "")


def inside(*handlers: urllib.request.BaseHandler) -> urllib.request.OpenerDirector:
    """What asks this machine, or a node on it. Whoever listens there, a whole answer takes no longer than the request's timeout."""
    return urllib.request.build_opener(urllib.request.ProxyHandler({}), InTime(), *handlers)


def of(host: str, *handlers: urllib.request.BaseHandler) -> urllib.request.OpenerDirector:
    """What asks a host: this machine directly, and others as the caller's environment says."""
    return inside(*handlers) if is_here(host) else outside(*handlers)


def is_here(host: str) -> bool:
    """Whether a host is this machine, to which no proxy leads: what goes to an address of its own comes from there."""
    try:
        found = socket.getaddrinfo(host, 9, type=socket.SOCK_DGRAM)
    except OSError:
        return False  # a proxy may know it
    return any(is_nobodys(str(address[0])) or comes_from(family, address) == address[0] for family, *_unused, address in found)


def comes_from(family: int, address: tuple[Any, ...]) -> object:
    """The address of this machine's from which packets go to another one; none where they do not. Nothing is sent."""
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as trial:
            trial.connect(address)
            return trial.getsockname()[0]
    except OSError:
        return None


def is_nobodys(address: str) -> bool:
    """Whether an address is that of every machine, or none at all, such as a time."""
    try:
        # the sentence around it goes on behind it
        found = ipaddress.ip_address(re.sub(r"(?<!:):?\.*$", "", address))
    except ValueError:
        return True
    return found.is_loopback or found.is_unspecified


def ask(opener: urllib.request.OpenerDirector, request: urllib.request.Request | str, seconds: float) -> tuple[int, bytes]:
    """The status and the content of an answer. Raises OSError, also where it is none of HTTP's, or larger than any that is asked for."""
    try:
        try:
            response = opener.open(request, timeout=seconds)
        except urllib.error.HTTPError as error:
            response = error
        with response:
            return int(response.status), content(response)
    except http.client.HTTPException as error:
        raise OSError(f"its answer is none of HTTP's: {error!r}") from None


def content(answer: IO[bytes]) -> bytes:
    """All of an answer. Raises OSError where it is larger than any that is asked for, and HTTPException where it breaks off."""
    found = answer.read(MOST + 1)
    if len(found) > MOST:
        raise OSError(f"what answers there says more than {MOST} bytes")
    if left := getattr(answer, "length", 0):
        raise http.client.IncompleteRead(found, left)
    return found


class Socket(socket.socket):
    """Reads until its deadline, however much of it comes before."""

    deadline = 0.0

    def recv_into(self, *arguments: Any) -> int:
        left = self.deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError("timed out")
        self.settimeout(left)
        return super().recv_into(*arguments)


class Connection(http.client.HTTPConnection):
    """One whose timeout is for all that is read."""

    def connect(self) -> None:
        began = time.monotonic()
        super().connect()
        if self.timeout:
            self.sock = Socket(fileno=self.sock.detach())
            self.sock.deadline = began + self.timeout
            self.sock.settimeout(self.timeout)


class InTime(urllib.request.HTTPHandler):
    """Asks by such connections."""

    def http_open(self, req: urllib.request.Request) -> http.client.HTTPResponse:
        return self.do_open(Connection, req)


def outside(*handlers: urllib.request.BaseHandler, authority: str = "") -> urllib.request.OpenerDirector:
    """What asks others, by the caller's proxies and certificates, whoever runs this. ``authority`` is a file of more certificates to trust.

    Raises OSError, of which ssl.SSLError is one, where such a file cannot be read.
    """
    told = {name.lower().removesuffix("_proxy"): value for name, value in callers().items() if name.lower().endswith("_proxy") and value}
    context = ssl.create_default_context(cafile=ca_bundle() or None, capath=callers().get("SSL_CERT_DIR") or None)
    if authority:
        context.load_verify_locations(authority)
    return urllib.request.build_opener(Proxies(told), urllib.request.HTTPSHandler(context=context), *handlers)


class Proxies(urllib.request.ProxyHandler):
    """The proxies that it is given, with the hosts that are asked without one (`no`); Python's own looks for these in its environment."""

    def __init__(self, proxies: dict[str, str]) -> None:
        self._all = proxies
        super().__init__({scheme: address for scheme, address in proxies.items() if scheme != "no"})

    def proxy_open(self, req: urllib.request.Request, proxy: str, type: str) -> Any:  # noqa: A002
        if req.host and urllib.request.proxy_bypass_environment(req.host, {"no": self._all.get("no", "")}):  # type: ignore[attr-defined]
            return None
        return super().proxy_open(req, proxy, type)
