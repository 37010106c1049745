# MIT (see LICENSE), or GNU General Public License v3.0+ (see https://www.gnu.org/licenses/gpl-3.0.txt), as you choose.
# SPDX-License-Identifier: MIT OR GPL-3.0-or-later
"""Documentation of the action plugin options, which does the work on the controller."""

DOCUMENTATION = r"""
module: options
short_description: Every option of every role of this collection has a value that its role takes
description:
  - Looks at the play's variables before the first role, and fails with all that is wrong at once. Type and choices are those
    of the roles' argument specifications; the format goes by what an option is for, such as a port, a subnet or a path.
  - A list or a mapping that is given as text, as by C(-e name=value), is refused with the JSON to give instead, as roles would use the text.
  - A variable that is named like an option but is none, as after a slip of the pen, is refused too.
  - Runs on the controller, touches nothing, and never shows the value of a secret.
options:
  shared:
    description: A file of variables that the options are made with. Others that begin with C(deployment_) are then refused.
    type: path
  before_preflight:
    description: Whether role preflight comes next. What it says itself, together with what it finds on the machine, is left to it.
    type: bool
    default: false
attributes:
  check_mode:
    support: full
    description: Touches nothing in any mode.
author: todochat (@todochat)
"""

EXAMPLES = r"""
- name: Every setting is one that its role takes
  todochat.platform.options:
"""

RETURN = r""" # """
