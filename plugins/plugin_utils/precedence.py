# MIT (see LICENSE), or GNU General Public License v3.0+ (see https://www.gnu.org/licenses/gpl-3.0.txt), as you choose.
# SPDX-License-Identifier: MIT OR GPL-3.0-or-later
"""What an inventory says and Ansible passes over, as the playbooks' own group_vars/all outweigh it.

By https://docs.ansible.com/ansible/latest/playbook_guide/playbooks_variables.html#understanding-variable-precedence: of an inventory, the variables that
stand in it for any group, and the files for the group all.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ansible.vars.plugins import get_vars_from_inventory_sources

from ansible_collections.todochat.platform.plugins.module_utils.base.errors import UserError


def of_groups(inventory: Any, loader: Any) -> dict[str, tuple[str, Any]]:
    """Group and value of each variable that an inventory has for this machine where the playbooks' own outweigh it."""
    everybody = inventory.groups["all"]
    host = inventory.get_host("localhost")
    groups = sorted({everybody, *(host.get_groups() if host else ())}, key=lambda group: (group.depth, group.name))
    said = [(group.name, group.get_vars()) for group in groups]
    said.append((everybody.name, get_vars_from_inventory_sources(loader, inventory._sources, [everybody], "task")))
    return {name: (group, value) for group, variables in said for name, value in variables.items()}


def outweighed(given: Mapping[str, tuple[str, Any]], shared: Mapping[str, Any], raw: Mapping[str, Any]) -> Iterator[UserError]:
    """Of what an inventory says for groups, what does not count. ``shared`` is what the playbooks say for all hosts, ``raw`` what holds."""
    for name in sorted(given.keys() & shared.keys()):
        group, value = given[name]
        if value != shared[name] and raw.get(name) == shared[name]:
            why = f"{name} is set for the group {group} of the inventory, and does not count there: the playbooks set it for all hosts, which outweighs that"
            yield UserError(why, "Set it for the host localhost, in the inventory or in host_vars/localhost.yml beside it, or with -e.")
