# MIT (see LICENSE), or GNU General Public License v3.0+ (see https://www.gnu.org/licenses/gpl-3.0.txt), as you choose.
# SPDX-License-Identifier: MIT OR GPL-3.0-or-later
"""Documentation of the action plugin vault_rekey, which does the work on the controller."""

DOCUMENTATION = r"""
module: vault_rekey
short_description: Makes a new vault password, and encrypts the vaults with it
description:
  - The new password takes the place of the one in force, in the file it is read from. All vaults that the old one opens are
    encrypted with it, those of all deployments and a team's; others are left alone and named.
  - All is written beside its place first. Broken off, either nothing has changed, or the next use of the password finishes it.
  - A password that comes from a program other than O(script), from a prompt or from several sources cannot be changed.
options:
  script:
    description: The program that prints the password kept in the home directory.
    type: path
    required: true
  team_path:
    description: The vault that a team may keep with its variables.
    type: path
    required: true
attributes:
  check_mode:
    support: full
    description: In check mode, says what would be changed, and changes nothing.
author: todochat (@todochat)
"""

EXAMPLES = r"""
- name: The vaults have a new password
  todochat.platform.vault_rekey:
    script: scripts/vault-password
    team_path: group_vars/all/vault.yml
"""
