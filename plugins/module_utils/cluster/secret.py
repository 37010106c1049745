"""A namespace and a Secret in it: what is live, what is wanted, and a diff that shows no value.

Values are compared in the clear, in memory. Whatever leaves this module instead of them is an HMAC-SHA256 under a key of
the vault, so that nobody can guess a short value from its hash.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

CHECKSUM_ANNOTATION = "todochat.platform/checksum"
"""Where the Secret itself carries its checksum, for whoever must not read its values."""


def checksum(key: str, data: Mapping[str, str]) -> str:
    """HMAC-SHA256, in hexadecimal, of `data` in canonical JSON."""
    text = json.dumps(dict(data), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hmac.digest(key.encode(), text.encode(), "sha256").hex()


def fingerprint(key: str, name: str, value: str) -> str:
    """A short stand-in for `value`. It differs by `name`, so that equal values under two names do not show."""
    return "hmac:" + hmac.digest(key.encode(), f"{name}\0{value}".encode(), "sha256").hex()[:12]


@dataclass(frozen=True)
class Wanted:
    """The namespace with its labels, and the Secret with its labels and clear-text data."""

    namespace: str
    namespace_labels: Mapping[str, str]
    name: str
    labels: Mapping[str, str]
    data: Mapping[str, str]
    checksum_key: str
    type: str = "Opaque"

    @property
    def checksum(self) -> str:
        """The Secret's checksum."""
        return checksum(self.checksum_key, self.data)

    def namespace_manifest(self) -> dict[str, Any]:
        """The namespace."""
        return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": self.namespace, "labels": dict(self.namespace_labels)}}

    def secret_manifest(self) -> dict[str, Any]:
        """The Secret, with its values in base64."""
        return {
            "apiVersion": "v1",
            "kind": "Secret",
            "type": self.type,
            "metadata": {
                "name": self.name,
                "namespace": self.namespace,
                "labels": dict(self.labels),
                "annotations": {CHECKSUM_ANNOTATION: self.checksum},
            },
            "data": {name: base64.b64encode(value.encode()).decode("ascii") for name, value in self.data.items()},
        }


@dataclass(frozen=True)
class Actual:
    """What the cluster has."""

    namespace_labels: Mapping[str, str] | None = None
    """None where there is no namespace."""
    labels: Mapping[str, str] | None = None
    """None where there is no Secret."""
    checksum: str | None = None
    data: Mapping[str, bytes] = field(default_factory=dict)

    @classmethod
    def parse(cls, text: str, unseen: Mapping[str, str] | None = None) -> Actual:
        """Read the JSON of `kubectl get namespace/N secret/S --ignore-not-found`, which is empty where there is neither.

        ``unseen`` are the labels that a namespace is taken to have at which nobody lets one look.
        """
        if not text.strip():
            return cls(unseen)
        found: dict[str, Any] = json.loads(text)
        # kubectl gives a list, except where it found one of the two.
        items: dict[str, dict[str, Any]] = {item["kind"]: item for item in found.get("items", [found])}
        namespace: dict[str, Any] | None = items.get("Namespace", {} if unseen is None else {"metadata": {"labels": dict(unseen)}}).get("metadata")
        if namespace is None:
            return cls()
        namespace_labels: dict[str, str] = namespace.get("labels", {})
        secret = items.get("Secret")
        if secret is None:
            return cls(namespace_labels)
        return cls(
            namespace_labels=namespace_labels,
            labels=secret["metadata"].get("labels", {}),
            checksum=secret["metadata"].get("annotations", {}).get(CHECKSUM_ANNOTATION),
            data={name: decode(value) for name, value in (secret.get("data") or {}).items()},
        )


def decode(value: str) -> bytes:
    """The bytes of a live value; what is not base64, which the API server would not have taken, is taken as it is."""
    try:
        return base64.b64decode(value, validate=True)
    except binascii.Error:
        return value.encode()


def has(labels: Mapping[str, str] | None, wanted: Mapping[str, str]) -> bool:
    """Whether `wanted` is among `labels`; those that others have set are theirs."""
    return labels is not None and all(labels.get(name) == value for name, value in wanted.items())


def namespace_differs(wanted: Wanted, actual: Actual) -> bool:
    """Whether the namespace has to be applied."""
    return not has(actual.namespace_labels, wanted.namespace_labels)


def secret_differs(wanted: Wanted, actual: Actual) -> bool:
    """Whether the Secret has to be applied."""
    data = {name: value.encode() for name, value in wanted.data.items()}
    return not has(actual.labels, wanted.labels) or actual.checksum != wanted.checksum or dict(actual.data) != data


def shown(wanted: Wanted, actual: Actual) -> dict[str, dict[str, Any]]:
    """Ansible's diff {before, after}, with fingerprints for values."""
    key = wanted.checksum_key
    before: dict[str, Any] = {}
    if actual.namespace_labels is not None:
        # Only what we would set: the rest is not ours, and would only be noise.
        before["namespace"] = {name: value for name, value in actual.namespace_labels.items() if name in wanted.namespace_labels}
    if actual.labels is not None:
        before["labels"] = {name: value for name, value in actual.labels.items() if name in wanted.labels}
        before["checksum"] = actual.checksum
        before["data"] = {name: fingerprint(key, name, value.decode(errors="replace")) for name, value in sorted(actual.data.items())}
    after = {
        "namespace": dict(wanted.namespace_labels),
        "labels": dict(wanted.labels),
        "checksum": wanted.checksum,
        "data": {name: fingerprint(key, name, value) for name, value in sorted(wanted.data.items())},
    }
    return {"before": before, "after": after}
