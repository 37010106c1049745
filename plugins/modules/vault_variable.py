# MIT (see LICENSE), or GNU General Public License v3.0+ (see https://www.gnu.org/licenses/gpl-3.0.txt), as you choose.
# SPDX-License-Identifier: MIT OR GPL-3.0-or-later
"""Documentation of the action plugin vault_variable, which does the work on the controller."""

DOCUMENTATION = r"""
module: vault_variable
short_description: Gives one variable of a deployment's vault another value
description:
  - The value is asked for at the terminal, unseen. Without a terminal it is read from standard input, or from O(from_file).
  - It is held against the schema first. The file is then written whole or not at all, with mode 0600; comments in it stay.
  - No value is ever an argument or part of a result.
options:
  path:
    description: The deployment's vault.
    type: path
    required: true
  team_path:
    description: A vault that a team keeps with its variables. Where it exists, it is the one that is written.
    type: path
  name:
    description: The variable, with or without C(vault_) before it.
    type: str
    required: true
  random:
    description:
      - Whether it gets a new random value. A key of the ring stays as long as what it has signed may be valid. A new password of
        the database is that of its other login, which is written with it.
      - The address of an external database, and a language model's key, cannot be made up.
    type: bool
    default: false
  from_file:
    description: A file that holds the value alone.
    type: path
attributes:
  check_mode:
    support: full
    description: In check mode, says what would be changed, and changes nothing.
author: todochat (@todochat)
"""

EXAMPLES = r"""
- name: The sessions are signed with a new key
  todochat.platform.vault_variable:
    path: ~/.config/todochat/todo/vault.yml
    name: jwt_keys
    random: true
"""
