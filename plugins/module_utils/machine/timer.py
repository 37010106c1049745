"""What systemd does again and again: commands that run as a user without a terminal, by a service with its timer."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from ansible_collections.todochat.platform.plugins.module_utils.base.commands import must, run
from ansible_collections.todochat.platform.plugins.module_utils.base.errors import UserError
from ansible_collections.todochat.platform.plugins.module_utils.machine.files import take
from ansible_collections.todochat.platform.plugins.module_utils.machine.host import ROOT

UNITS = "etc/systemd/system"
SERVICE = """# {made}
[Unit]
Description={title}
Wants=network-online.target
After=network-online.target docker.service

[Service]
Type=oneshot
User={user}
WorkingDirectory={folder}
{lines}
"""
# What was missed while the machine was off is made up for; several machines do not begin at once.
TIMER = """# {made}
[Unit]
Description={title}

[Timer]
OnCalendar={every}
RandomizedDelaySec=10min
Persistent=true

[Install]
WantedBy=timers.target
"""


@dataclass(frozen=True)
class Task:
    """What is to be done, each of the commands where the one before it succeeded."""

    title: str
    made: str
    """Who wrote the units, and how they go."""
    every: str
    """In systemd's words, such as daily."""
    user: str
    folder: Path
    variables: Mapping[str, str]
    commands: Sequence[Sequence[str]]
    group: str = ""
    """One that the commands have besides the user's own."""


@dataclass(frozen=True)
class Timer:
    """The units of a name. ``root`` is a test's own folder, ``/`` otherwise."""

    name: str
    root: Path = ROOT

    @property
    def service(self) -> Path:
        return self.root / UNITS / f"{self.name}.service"

    @property
    def timer(self) -> Path:
        return self.root / UNITS / f"{self.name}.timer"

    def is_there(self) -> bool:
        return self.service.exists() or self.timer.exists()

    def does(self, task: Task) -> bool:
        """Whether systemd has just this task, and waits for its time."""
        return all(path.exists() and path.read_text(encoding="utf-8") == text for path, text in self._units(task).items()) and self._waits()

    def let_do(self, task: Task) -> None:
        """Raises UserError."""
        for path, text in self._units(task).items():
            path.write_text(text, encoding="utf-8")
            path.chmod(0o644)
        must("systemctl", "daemon-reload")
        must("systemctl", "enable", "--quiet", self.timer.name)
        must("systemctl", "restart", self.timer.name)

    def remove(self) -> None:
        """What runs goes on to its end. Raises UserError."""
        if self.timer.exists():
            must("systemctl", "disable", "--quiet", "--now", self.timer.name)
        take(self.timer)
        take(self.service)
        take(self.root / "var/lib/systemd/timers" / f"stamp-{self.timer.name}")
        must("systemctl", "daemon-reload")
        run("systemctl", "reset-failed", self.service.name)  # it need not have failed

    def line(self) -> str:
        """How it is, for a person; empty where there is none."""
        if not self.timer.exists():
            return ""
        every = re.search("^OnCalendar=(.*)$", self.timer.read_text(encoding="utf-8"), re.MULTILINE)
        said: dict[str, str] = {}
        with suppress(OSError, UserError):
            shown = run("systemctl", "show", "--property=ActiveState,Result,ExecMainStartTimestamp", self.service.name).stdout
            said = dict(line.split("=", 1) for line in shown.splitlines() if "=" in line)
        when = said.get("ExecMainStartTimestamp") or "not known"
        how = "runs now, since" if said.get("ActiveState") == "activating" else "the last run"
        failed = f", which failed: journalctl -u {self.name}" if said.get("ActiveState") == "failed" or said.get("Result", "success") != "success" else ""
        return f"{every[1] if every else 'unknown'}, {how} {when}{failed}"

    def _units(self, task: Task) -> dict[Path, str]:
        lines = [f"SupplementaryGroups={task.group}"] if task.group else []
        lines += [f"Environment={word(f'{name}={value}')}" for name, value in task.variables.items()]
        lines += [f"ExecStart={' '.join(word(one).replace('$', '$$') for one in command)}" for command in task.commands]
        common = {"made": task.made, "title": plain(task.title)}
        service = SERVICE.format(**common, user=plain(task.user), folder=plain(str(task.folder)), lines="\n".join(lines))
        return {self.service: service, self.timer: TIMER.format(**common, every=task.every)}

    def _waits(self) -> bool:
        return all(run("systemctl", question, "--quiet", self.timer.name).returncode == 0 for question in ("is-enabled", "is-active"))


def plain(text: str) -> str:
    """A value that is one whole, as systemd reads it."""
    return text.replace("%", "%%")


def word(text: str) -> str:
    """A word among others, as systemd reads it."""
    if re.fullmatch(r"[\w./=:@+-]+", text, re.ASCII):
        return text
    return '"' + plain(text).replace("\\", "\\\\").replace('"', '\\"') + '"'


def backups(deployment: str, root: Path = ROOT) -> Timer:
    """The timer that backs a deployment's database up."""
    return Timer(f"todochat-{deployment}-backup", root)
