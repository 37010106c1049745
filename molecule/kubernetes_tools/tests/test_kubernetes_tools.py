"""The programs run in the pinned versions, and nobody's own program is replaced."""

from __future__ import annotations

import pytest
import yaml
from conftest import Tester
from testinfra.host import Host

COMMANDS = {"kubectl": "kubectl version --client", "helm": "helm version --short", "minikube": "minikube version"}


@pytest.mark.parametrize("name", COMMANDS)
def test_the_pinned_version_runs(tester: Tester, name: str) -> None:
    locked = yaml.safe_load(tester.sees("cat todochat/artifacts.lock.yml"))["artifacts"]
    assert locked[name]["version"] in tester.sees(COMMANDS[name])


def test_somebody_elses_program_stays(host: Host, tester: Tester) -> None:
    host.check_output("rm /usr/local/bin/helm && printf '#!/bin/sh\\necho mine\\n' > /usr/local/bin/helm && chmod +x /usr/local/bin/helm")
    tester.up_changes_nothing("--tags kubernetes_tools")
    assert tester.sees("helm") == "mine"


def test_a_damaged_program_is_replaced(host: Host, tester: Tester) -> None:
    host.check_output("echo damaged > /opt/todochat/bin/kubectl")
    passed, output = tester.up("--tags kubernetes_tools")
    assert passed, output
    assert "gitVersion" in tester.sees("kubectl version --client --output json")


def test_nothing_unfinished_is_left(host: Host) -> None:
    assert sorted(host.file("/opt/todochat/bin").listdir()) == ["helm", "kubectl", "minikube"]
