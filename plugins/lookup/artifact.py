# MIT (see LICENSE), or GNU General Public License v3.0+ (see https://www.gnu.org/licenses/gpl-3.0.txt), as you choose.
# SPDX-License-Identifier: MIT OR GPL-3.0-or-later
"""What the lock file says of an artifact, without a look at the store."""

from __future__ import annotations

DOCUMENTATION = r"""
name: artifact
short_description: What the lock file says of an artifact
description:
  - The version of an artifact and, of an image, the name under which it is in Docker.
options:
  _terms: {description: Names of artifacts., required: true}
  lock: {description: The lock file., type: path, required: true}
author: todochat (@todochat)
"""

EXAMPLES = r"""
- name: PostgreSQL's image is named
  ansible.builtin.debug:
    msg: "{{ lookup('todochat.platform.artifact', 'postgres', lock='artifacts.lock.yml').reference }}"
"""

RETURN = r"""
_raw: {description: "For each its C(version) and C(reference)."}
"""

from pathlib import Path
from typing import Any

from ansible.plugins.lookup import LookupBase

from ansible_collections.todochat.platform.plugins.module_utils.store.lock import Lock


class LookupModule(LookupBase):  # type: ignore[misc]
    """The lookup."""

    def run(self, terms: list[str], variables: dict[str, Any] | None = None, **options: Any) -> list[dict[str, str]]:
        self.set_options(var_options=variables, direct=options)
        lock = Lock(Path(self.get_option("lock")))
        return [{"version": lock[name].version, "reference": lock[name].reference} for name in terms]
