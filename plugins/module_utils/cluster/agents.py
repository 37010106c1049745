"""How an assistant for operations reaches a cluster: a kubeconfig that holds the short-lived token of a service account, and nothing else."""

from __future__ import annotations

import base64
import json
import os
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ansible_collections.todochat.platform.plugins.module_utils.base.errors import UserError
from ansible_collections.todochat.platform.plugins.module_utils.cluster.kubectl import Cluster

LEAST_SECONDS = 600
"""Kubernetes makes no token for less."""
MOST_SECONDS = 86400


@dataclass(frozen=True)
class Account:
    """A service account, in the namespace of a cluster that is reached as its administrator."""

    cluster: Cluster
    name: str

    @property
    def user(self) -> str:
        """What Kubernetes calls it."""
        return f"system:serviceaccount:{self.cluster.namespace}:{self.name}"

    def is_there(self) -> bool:
        """Whether the cluster knows it. Raises ClusterError where that cannot be asked."""
        return bool(self.cluster.run("kubectl", "get", "serviceaccount", self.name, "--ignore-not-found", "--output=name").stdout.strip())

    def wanted(self) -> dict[str, Any]:
        """The kubeconfig but for the token: where the cluster is, whose certificate it has, and which namespace is meant."""
        said = self.cluster.run("kubectl", "config", "view", "--raw", "--minify", "--flatten", "--output=json").stdout
        there = json.loads(said)["clusters"][0]["cluster"]
        context = {"cluster": "cluster", "user": self.name, "namespace": self.cluster.namespace}
        return {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "cluster", "cluster": there}],
            "contexts": [{"name": self.name, "context": context}],
            "current-context": self.name,
        }

    def token(self, seconds: int) -> str:
        """A new one, good for so long. Raises ClusterError."""
        return self.cluster.run("kubectl", "create", "token", self.name, f"--duration={seconds}s").stdout.strip()

    def is_taken(self, path: Path) -> bool:
        """Whether the cluster takes whoever comes with this kubeconfig for the account."""
        asked = Cluster("", self.cluster.kubectl, str(path), self.cluster.namespace)
        said = asked.run("kubectl", "auth", "whoami", "--output=json", "--request-timeout=10s", check=False)
        return said.returncode == 0 and json.loads(said.stdout)["status"]["userInfo"].get("username") == self.user


@dataclass(frozen=True)
class Kubeconfig:
    """The file at a path."""

    path: Path

    def content(self) -> dict[str, Any]:
        """What is in it; nothing where it is not there, is none of ours, or can be read by others."""
        try:
            if self.path.stat().st_mode & 0o077:
                return {}
            found = json.loads(self.path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return found if isinstance(found, dict) else {}

    def expires(self) -> float:
        """Until when its token is good, in seconds since 1970; 0 where there is none."""
        try:
            return float(claims(self.content()["users"][0]["user"]["token"])["exp"])
        except (KeyError, IndexError, ValueError, TypeError):
            return 0.0

    def serves(self, wanted: dict[str, Any], account: Account, seconds: int) -> bool:
        """Whether it is as wanted, its token has half of its time left, and the cluster takes it."""
        kept = {key: value for key, value in self.content().items() if key != "users"}
        left = self.expires() - time.time()
        return kept == wanted and seconds / 2 <= left <= seconds and account.is_taken(self.path)

    def write(self, wanted: dict[str, Any], account: Account, seconds: int) -> None:
        """It is as wanted, with a new token."""
        users = [{"name": account.name, "user": {"token": account.token(seconds)}}]
        write(self.path, json.dumps({**wanted, "users": users}, indent=1) + "\n")


def claims(token: str) -> dict[str, Any]:
    """What a token says of itself; whether that is true only the cluster knows. Raises ValueError."""
    parts = token.split(".")
    if len(parts) != 3:
        raise ValueError("a token has three parts")
    found = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    if not isinstance(found, dict):
        raise ValueError("a token says something of itself")
    return found


def lifetime(seconds: int) -> int:
    """The seconds that a token is to be good for. Raises UserError."""
    if not LEAST_SECONDS <= seconds <= MOST_SECONDS:
        raise UserError(
            f"A token cannot be good for {seconds} seconds.", f"Give ai_devops_token_timeout between {LEAST_SECONDS} and {MOST_SECONDS}, such as 3600."
        )
    return seconds


def write(path: Path, content: str) -> None:
    """A file of its owner's alone has this content, at once. Raises UserError where the folder takes none."""
    try:
        with tempfile.NamedTemporaryFile("w", dir=path.parent, prefix=".new-", encoding="utf-8", delete=False) as new:
            new.write(content)
    except PermissionError as error:
        raise UserError(f"{path.parent} cannot be written: {error.strerror}.", f"Make it yours again: chmod u+rwx {path.parent}") from None
    os.replace(new.name, path)
