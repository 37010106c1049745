"""The Docker network carries what the way out of this machine carries."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar, trust_as_template
from role_variables import arguments

ROLE = Path(__file__).resolve().parents[2] / "roles/network"
MTU = "com.docker.network.driver.mtu"


def of_the_role(expression: str, **variables: Any) -> Any:
    """What an expression of the role's becomes."""
    own = yaml.safe_load((ROLE / "vars/main.yml").read_text(encoding="utf-8"))
    trusted = {name: trust_as_template(value) if isinstance(value, str) else value for name, value in own.items()}
    return Templar(DataLoader(), variables={**trusted, **variables}).template(trust_as_template(expression))


@pytest.mark.parametrize(("mtu", "options"), [("1400", {MTU: "1400"}), ("1500", {}), ("9001", {})], ids=["a tunnel", "Ethernet", "larger frames"])
def test_a_new_network_carries_what_the_default_route_carries(mtu: str, options: dict[str, str]) -> None:
    [made] = [task for task in yaml.safe_load((ROLE / "tasks/main.yml").read_text(encoding="utf-8")) if "community.docker.docker_network" in task]
    assert of_the_role(arguments(made["community.docker.docker_network"]).get("driver_options", "{{ {} }}"), __network_uplink_mtu=mtu) == options


def test_the_default_route_is_this_machines() -> None:
    routes = [line.split() for line in Path("/proc/net/route").read_text(encoding="utf-8").splitlines()[1:]]
    way_out = next((route[0] for route in routes if route[1] == "00000000"), "")
    carries = Path("/sys/class/net", way_out, "mtu").read_text(encoding="utf-8").strip() if way_out else "1500"
    asked = [sys.executable, "-m", "ansible", "adhoc", "localhost", f"--extra-vars=@{ROLE}/vars/main.yml", "--module-name=ansible.builtin.debug"]
    said = subprocess.run([*asked, "--args=msg={{ __network_uplink }}:{{ __network_uplink_mtu }}"], capture_output=True, text=True, check=True).stdout
    assert f"{way_out}:{carries}" in said


@pytest.mark.parametrize(("options", "told"), [({}, True), (None, True), ({MTU: "1400"}, False), ({MTU: "1300"}, False)])
def test_one_that_carries_more_is_kept_and_told_of(options: dict[str, str] | None, told: bool) -> None:
    [task] = [task for task in yaml.safe_load((ROLE / "tasks/main.yml").read_text(encoding="utf-8")) if "larger packets" in task["name"]]
    found = {"exists": True, "network": {"Options": options}}
    assert of_the_role(f"{{{{ {task['when']} }}}}", __network_found=found, __network_uplink_mtu="1400") is told
