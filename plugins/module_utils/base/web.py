"""HTTP: to this machine never through a proxy, and outside as the caller's environment says."""

from __future__ import annotations

import os
import ssl
import urllib.request
from typing import Any

from ansible_collections.todochat.platform.plugins.module_utils.base.environment import callers

# What different programs call the file of certificates that they are to trust in place of the system's.
CA_VARIABLES = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "PIP_CERT", "NPM_CONFIG_CAFILE")
# Where systems have the certificates that they trust.
CA_BUNDLES = ("/etc/ssl/certs/ca-certificates.crt",)


def ca_bundle() -> str:
    """The file of certificates that the caller, or else this system, trusts; empty where there is none."""
    told = {name.upper(): value for name, value in callers().items()}
    return next(filter(os.path.isfile, (*(told.get(name, "") for name in CA_VARIABLES), *CA_BUNDLES)), "")


def inside(*handlers: urllib.request.BaseHandler) -> urllib.request.OpenerDirector:
    """What asks this machine, or a node on it."""
    return urllib.request.build_opener(urllib.request.ProxyHandler({}), *handlers)


def outside() -> urllib.request.OpenerDirector:
    """What asks others, by the caller's proxies and certificates, whoever runs this."""
    told = {name.lower().removesuffix("_proxy"): value for name, value in callers().items() if name.lower().endswith("_proxy") and value}
    context = ssl.create_default_context(cafile=ca_bundle() or None, capath=callers().get("SSL_CERT_DIR") or None)
    return urllib.request.build_opener(Proxies(told), urllib.request.HTTPSHandler(context=context))


class Proxies(urllib.request.ProxyHandler):
    """The proxies that it is given, with the hosts that are asked without one (`no`); Python's own looks for these in its environment."""

    def __init__(self, proxies: dict[str, str]) -> None:
        self._all = proxies
        super().__init__({scheme: address for scheme, address in proxies.items() if scheme != "no"})

    def proxy_open(self, req: urllib.request.Request, proxy: str, type: str) -> Any:  # noqa: A002
        if req.host and urllib.request.proxy_bypass_environment(req.host, {"no": self._all.get("no", "")}):  # type: ignore[attr-defined]
            return None
        return super().proxy_open(req, proxy, type)
