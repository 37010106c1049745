# MIT (see LICENSE), or GNU General Public License v3.0+ (see https://www.gnu.org/licenses/gpl-3.0.txt), as you choose.
# SPDX-License-Identifier: MIT OR GPL-3.0-or-later
"""Documentation of the action plugin vault_file, which does the work on the controller."""

DOCUMENTATION = r"""
module: vault_file
short_description: Makes sure that a deployment's vault exists, opens and is complete
description:
  - Where the file is missing, it is made with random values and encrypted as a whole with Ansible's own vault password,
    however that one was given. An existing file is never written to.
  - An existing file is opened and held against the schema. Missing, unknown, malformed and placeholder variables
    are named in one message; values never are.
  - Runs on the controller, as the person who called Ansible.
options:
  path:
    description: The deployment's vault. Made with mode 0600, its directory with 0700.
    type: path
    required: true
  team_path:
    description: A vault that a team keeps with its variables. Where it exists, it is checked, and O(path) is neither made nor read.
    type: path
attributes:
  check_mode:
    support: full
    description: In check mode, says what would be changed, and changes nothing.
  diff_mode:
    support: full
    description: Shows names, and no value.
author: todochat (@todochat)
"""

EXAMPLES = r"""
- name: The vault of this deployment exists and is complete
  todochat.platform.vault_file:
    path: ~/.config/todochat/todo/vault.yml
"""

RETURN = r"""
path:
  description: The vault in force.
  returned: always
  type: str
exists:
  description: Whether it is there now.
  returned: always
  type: bool
listing:
  description: A line for each variable, that says whether it is empty, random or set, and where it is used.
  returned: always
  type: list
  elements: str
"""
