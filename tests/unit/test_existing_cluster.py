"""A kubeconfig of somebody's becomes one by which all else reaches the cluster."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.todochat.platform.plugins.module_utils.base.errors import UserError
from ansible_collections.todochat.platform.plugins.module_utils.cluster.kubectl import Cluster
from ansible_collections.todochat.platform.plugins.modules.existing_cluster import extracted, keep


def kubectl(folder: Path, user: dict[str, Any]) -> str:
    """One that shows a kubeconfig with this user."""
    program = folder / "kubectl"
    shown = json.dumps({"kind": "Config", "clusters": [], "users": [{"name": "me", "user": user}]})
    program.write_text(f"#!/bin/sh\ncat <<'end'\n{shown}\nend\n")
    program.chmod(0o755)
    (folder / "source").touch()
    return str(program)


def test_what_is_kept_says_that_others_run_the_cluster(tmp_path: Path) -> None:
    target = tmp_path / "me/kubeconfig"
    keep(target, extracted(kubectl(tmp_path, {"token": "t"}), tmp_path / "source", ""))
    assert target.stat().st_mode & 0o777 == 0o600
    assert json.loads(target.read_text())["users"] == [{"name": "me", "user": {"token": "t"}}]
    assert Cluster("", "", str(target), "todo").of_others
    for content in ("apiVersion: v1\nkind: Config\n", "{}", "[]"):
        target.write_text(content)
        assert not Cluster("", "", str(target), "todo").of_others
    assert not Cluster("", "", str(tmp_path / "none"), "todo").of_others


@pytest.mark.parametrize("way", [{"exec": {"command": "aws"}}, {"tokenFile": "/token"}, {"auth-provider": {"name": "gcp"}}])
def test_a_login_that_does_not_come_along_is_refused(way: dict[str, Any], tmp_path: Path) -> None:
    with pytest.raises(UserError, match=f"the user me logs in by .* .{next(iter(way))}., which does not come along") as caught:
        extracted(kubectl(tmp_path, way), tmp_path / "source", "")
    assert "docs/existing-cluster.md" in caught.value.remedy


def test_others_wait_for_their_own_pods_themselves(tmp_path: Path) -> None:
    target = tmp_path / "kubeconfig"
    keep(target, extracted(kubectl(tmp_path, {"token": "t"}), tmp_path / "source", ""))
    (tmp_path / "kubectl").write_text("#!/bin/sh\nexit 1\n")
    cluster = Cluster("", str(tmp_path / "kubectl"), str(target), "todo")
    cluster.wait_for_its_own()
    with pytest.raises(UserError, match="failed") as caught:
        cluster.run("kubectl", "get", "pods")
    assert "--tags existing_cluster" in caught.value.remedy
