"""The Docker network carries what the way out of this machine carries."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar, trust_as_template

ROLE = Path(__file__).resolve().parents[2] / "roles/network"
MTU = "com.docker.network.driver.mtu"


def of_the_role(expression: str, **variables: Any) -> Any:
    """What an expression of the role's becomes."""
    own = yaml.safe_load((ROLE / "vars/main.yml").read_text(encoding="utf-8"))
    trusted = {name: trust_as_template(value) if isinstance(value, str) else value for name, value in own.items()}
    return Templar(DataLoader(), variables={**trusted, **variables}).template(trust_as_template(expression))


@pytest.mark.parametrize(
    ("facts", "options"),
    [
        ({"default_ipv4": {"interface": "wg0", "mtu": 1400}}, {MTU: "1400"}),
        ({"default_ipv4": {"interface": "eth0", "mtu": 1500}}, {}),
        ({"default_ipv4": {"interface": "eth0", "mtu": 9001}}, {}),
        ({"default_ipv4": {}}, {}),
        ({}, {}),
    ],
    ids=["a tunnel", "Ethernet", "larger frames", "no default route", "no `ip` to ask"],
)
def test_a_new_network_carries_what_the_default_route_carries(facts: dict[str, Any], options: dict[str, str]) -> None:
    [made] = [task for task in yaml.safe_load((ROLE / "tasks/main.yml").read_text(encoding="utf-8")) if "community.docker.docker_network" in task]
    assert of_the_role(made["community.docker.docker_network"].get("driver_options", "{{ {} }}"), ansible_facts=facts) == options


@pytest.mark.parametrize(("options", "told"), [({}, True), (None, True), ({MTU: "1400"}, False), ({MTU: "1300"}, False)])
def test_one_that_carries_more_is_kept_and_told_of(options: dict[str, str] | None, told: bool) -> None:
    [task] = [task for task in yaml.safe_load((ROLE / "tasks/main.yml").read_text(encoding="utf-8")) if "larger packets" in task["name"]]
    found = {"exists": True, "network": {"Options": options}}
    facts = {"default_ipv4": {"mtu": 1400}}
    assert of_the_role(f"{{{{ {task['when']} }}}}", __network_found=found, ansible_facts=facts) is told
