# MIT (see LICENSE), or GNU General Public License v3.0+ (see https://www.gnu.org/licenses/gpl-3.0.txt), as you choose.
# SPDX-License-Identifier: MIT OR GPL-3.0-or-later
"""Documentation of the action plugin vault_accounts, which does the work on the controller."""

DOCUMENTATION = r"""
module: vault_accounts
short_description: Gives a vault the secrets of another one by which sessions and tokens stay valid
description:
  - Takes the ring of keys that sign sessions, and the language model's key where there is one. What is of a deployment's own, such as the
    database's address and the registry's login, stays.
  - Both vaults open with the vault password in force. No value is shown.
  - Runs on the controller, as the person who called Ansible.
options:
  path:
    description: The vault that gets them.
    type: path
    required: true
  team_path:
    description: A vault that a team keeps with its variables. Where it exists, it counts instead of O(path).
    type: path
  source:
    description: The vault that they are taken from.
    type: path
    required: true
attributes:
  check_mode:
    support: full
    description: In check mode, says what would be changed, and changes nothing.
author: todochat (@todochat)
"""

EXAMPLES = r"""
- name: Sessions stay valid
  todochat.platform.vault_accounts:
    path: ~/.config/todochat/work@work/vault.yml
    source: ~/.config/todochat/todo/vault.yml
"""

RETURN = r"""
msg:
  description: Which variables were taken; never their values.
  returned: always
  type: str
"""
