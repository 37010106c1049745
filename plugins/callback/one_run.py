# MIT (see LICENSE), or GNU General Public License v3.0+ (see https://www.gnu.org/licenses/gpl-3.0.txt), as you choose.
# SPDX-License-Identifier: MIT OR GPL-3.0-or-later
"""Callback plugin: what a run has to itself, whatever shows it."""

from __future__ import annotations

DOCUMENTATION = r"""
name: one_run
type: aggregate
short_description: One run at a time changes a deployment, by its caller's settings
description:
  - Holds a lock in the deployment's state folder for as long as the run lives, whatever ends it. A second run says who holds it since when,
    and waits, or ends where it is told so; it waits as well for what an ended run has left at work.
    Runs that only look (check mode, and the playbooks that change nothing) need none.
  - Keeps what programs are to know of the caller's environment (package indexes, proxies, certificates) in a private file, which the environment
    variable TODOCHAT_ENVIRONMENT names, for whoever becomes another user on the way. As variables they would stand in arguments.
options:
  wait:
    description: Seconds to wait for another run to end. With 0 this one ends at once.
    type: int
    default: 3600
    env: [{name: TODOCHAT_WAIT}]
"""

import atexit
import json
import os
import time
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import yaml
from ansible import context
from ansible.plugins.callback import CallbackBase
from ansible.template import Templar, trust_as_template

from ansible_collections.todochat.platform.plugins.module_utils.base import environment
from ansible_collections.todochat.platform.plugins.module_utils.base.errors import UserError, together
from ansible_collections.todochat.platform.plugins.module_utils.base.locks import is_locked, is_there, opened
from ansible_collections.todochat.platform.plugins.module_utils.base.turn import left_at_work
from ansible_collections.todochat.platform.plugins.module_utils.machine.files import remove_empty
from ansible_collections.todochat.platform.plugins.plugin_utils.precedence import of_groups, outweighed
from ansible_collections.todochat.platform.plugins.plugin_utils.refusals import REFUSALS

SHARED = Path(__file__).resolve().parents[2] / "group_vars/all/main.yml"
LOOKS = ("status.yml", "logs.yml", "open.yml", "drill.yml", "vault/list.yml")
LOCK = "run.lock"
STATE = trust_as_template("{{ deployment_state_dir }}")
POLL_SECONDS = 0.5
GONE = "Another run has just ended on this deployment."
MINE: dict[Path, int] = {}
"""The locks that this process has open, by their paths."""


class CallbackModule(CallbackBase):  # type: ignore[misc]
    """Begins with the first play, since only then it is known which deployment this is about."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NAME = "todochat.platform.one_run"
    CALLBACK_NEEDS_ENABLED = True

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._playbook = ""
        self._begun = False

    def v2_playbook_on_start(self, playbook: Any) -> None:
        self._playbook = str(playbook._file_name)

    def v2_playbook_on_play_start(self, play: Any) -> None:
        manager = play.get_variable_manager()
        variables = manager.get_vars(play=play, host=manager._inventory.get_host("localhost"))
        if self._begun or "deployment_state_dir" not in variables:
            return
        self._begun = True
        os.umask(0o022)  # for what others have to read; what nobody else may has a mode of its own
        self._require_what_counts(manager._inventory, play.get_loader(), variables)
        looks = context.CLIARGS["check"] or self._playbook.endswith(LOOKS)
        folder = Path(str(Templar(play.get_loader(), variables).template(STATE)))
        try:
            atexit.register(leave, folder, os.getpid())
            keep_environment(folder)
            if not looks:
                self._take_turn(folder / LOCK)
        except OSError as error:
            if not looks:
                self._refuse(UserError(f"{error.filename} cannot be used: {error.strerror}", "Mend that, then run the same command again."))
        except UserError as error:
            self._refuse(error)

    def _require_what_counts(self, inventory: Any, loader: Any, variables: dict[str, Any]) -> None:
        """Nothing is done to another deployment than the inventory means."""
        shared = yaml.safe_load(SHARED.read_bytes())
        if found := [*outweighed(of_groups(inventory, loader), shared, variables)]:
            self._refuse(together(found))

    def _refuse(self, error: UserError) -> None:
        REFUSALS.append(error)
        raise SystemExit(str(error) if self._display.verbosity else 1)

    def _take_turn(self, path: Path) -> None:
        lock = MINE[path] = opened(path)
        began, said, seconds = time.monotonic(), "", self.get_option("wait")
        while holder := self._holder(lock, path):
            if time.monotonic() - began >= seconds:
                raise UserError(f"{holder} Nothing was done.", "Wait until that has ended, or end it, then run the same command again.")
            if holder != said:
                self._display.display(f"{holder} This one waits for it, {seconds} s at most; Ctrl-C ends this one alone (and TODOCHAT_WAIT=0 at once).")
                said = holder
            time.sleep(POLL_SECONDS)
            if not is_there(lock, path):
                os.close(lock)
                keep_environment(path.parent)  # who leaves takes a deployment's folder with all that is in it
                lock = MINE[path] = opened(path)

    def _holder(self, lock: int, path: Path) -> str:
        """Who is in the way; empty where the lock is this run's, which it says in it, and nothing else is at work."""
        if not is_locked(lock):
            return holder_of(lock)
        if not is_there(lock, path):
            return GONE
        os.truncate(lock, 0)
        mine = {"command": command_of(self._playbook), "pid": os.getpid(), "since": time.time(), "wait": self.get_option("wait")}
        os.pwrite(lock, json.dumps(mine).encode(), 0)
        return left_at_work(path.parent)


def keep_environment(folder: Path) -> None:
    """Writes what is kept of the caller's for as long as this process lives."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = folder / f"environment-{os.getpid()}.json"
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        json.dump(environment.kept(os.environ), file)
    os.environ[environment.VARIABLE] = str(path)


def leave(folder: Path, process: int) -> None:
    """Nothing of the run stays; a worker of Ansible's that ends is not the run."""
    if os.getpid() != process or not folder.is_dir():
        return
    for kept in environment.past(folder):
        kept.unlink(missing_ok=True)
    if [entry.name for entry in folder.iterdir()] == [LOCK]:  # a deployment that is no more, or never was
        with suppress(OSError, UserError):  # a file system that nothing can be written to any more
            lock = MINE.get(folder / LOCK) or opened(folder / LOCK)
            if is_locked(lock) and is_there(lock, folder / LOCK):
                (folder / LOCK).unlink()
    if folder.parent.name == "todochat":  # else somebody has chosen it
        remove_empty(folder, folder.parent)


def holder_of(lock: int) -> str:
    """Who holds a lock, in a sentence."""
    try:
        held = json.loads(os.pread(lock, 1 << 12, 0))
        since = datetime.fromtimestamp(held["since"], UTC).astimezone().strftime("%H:%M:%S")
        return f"`{held['command']}`, process {held['pid']}, is at work on this deployment since {since}."
    except (ValueError, KeyError, TypeError):
        return "Another run has just begun on this deployment."


def command_of(playbook: str) -> str:
    """The command that people know a playbook by."""
    path = Path(playbook)
    if path.parent.name == "vault":
        return f"make vault DO={path.stem}"
    return f"make {'up' if path.stem == 'site' else path.stem}"
