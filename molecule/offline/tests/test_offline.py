"""The application runs on a machine that never reached anything outside since its network was cut."""

from __future__ import annotations

import pytest
from conftest import Tester
from testinfra.host import Host


@pytest.mark.parametrize("address", ["192.0.2.1", "2001:db8::1"])
def test_no_way_leads_outside(host: Host, address: str) -> None:
    assert "unreachable" in host.run("ip route get %s", address).stderr.lower()


def test_the_package_index_is_out_of_reach(tester: Tester) -> None:
    result = tester.host.run("su --login tester --command %s", "cd todochat && .venv/bin/pip download --retries 1 --no-deps --dest /tmp pip")
    assert result.rc != 0, result.stdout
    assert "connection" in result.stderr.lower(), result.stderr


def test_debian_13_runs_the_application(tester: Tester, host: Host) -> None:
    assert host.file("/etc/debian_version").content_string.startswith("13")
    passed, output = tester.up("--tags app_check")
    assert passed, output
    assert "Open         http://127.0.0.1:30000" in output


@pytest.mark.parametrize("name", ["backend", "frontend"])
def test_both_services_run_from_the_registry_beside_the_cluster(tester: Tester, name: str) -> None:
    assert tester.kubectl(f"get deployment {name}")["status"]["availableReplicas"] == 2
    for pod in tester.kubectl(f"get pods --selector app.kubernetes.io/instance={name}")["items"]:
        assert pod["spec"]["containers"][0]["image"].startswith(f"127.0.0.1:5000/todo/{name}@sha256:")
