# MIT (see LICENSE), or GNU General Public License v3.0+ (see https://www.gnu.org/licenses/gpl-3.0.txt), as you choose.
# SPDX-License-Identifier: MIT OR GPL-3.0-or-later
"""What a person sees while a playbook runs: its phases, what it waits for, and how a failure is mended."""

from __future__ import annotations

DOCUMENTATION = r"""
name: progress
type: stdout
short_description: Shows a run as phases, with what it waits for and the time left
description:
  - A phase is a role, named by the short_description of its argument specification; a task outside roles is one by itself.
  - At a terminal the running phase is painted in place; elsewhere there are plain lines.
  - A failure ends in three lines that say what failed, why, and what to do. Commands of the checkout can be pasted where the caller stands.
  - With C(-v) it is Ansible's default view.
  - The environment variable TODOCHAT_EVENTS, which it sets, names a file of JSON lines to which modules append what they
    wait for.
extends_documentation_fragment: [default_callback, result_format_callback]
requirements: [set as stdout_callback]
author: todochat (@todochat)
"""

import atexit
import json
import os
import re
import shlex
import signal
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from ansible import constants as C  # noqa: N812 - Ansible's own name for it
from ansible import context
from ansible.plugins.callback.default import CallbackModule as DefaultView

from ansible_collections.todochat.platform.plugins.module_utils.base.advice import pasteable
from ansible_collections.todochat.platform.plugins.module_utils.base.errors import sentence
from ansible_collections.todochat.platform.plugins.module_utils.base.progress import VARIABLE
from ansible_collections.todochat.platform.plugins.plugin_utils.history import History
from ansible_collections.todochat.platform.plugins.plugin_utils.refusals import REFUSALS
from ansible_collections.todochat.platform.plugins.plugin_utils.screen import Screen, clock, fit

TICK_SECONDS = 0.25
PLAIN_SECONDS = 10
ANNOUNCE_SECONDS = 1
DETAIL_LINES = 40
TITLE_WIDTH = 46
REMEDY = (
    "Mend it, then run the same command again, which goes on where this one stopped; "
    "docs/troubleshooting.md goes by such messages, and -v shows more."
)
UNREACHABLE_REMEDY = "See that the machine can be reached and that you may become root there, then run the same command again."
# They run no module: not counted as such.
WITHOUT_MODULE = {"assert", "debug", "fail", "set_fact", "meta", "pause", "validate_argument_spec", "todochat.platform.options", "todochat.platform.vault_file"}
# No step of a phase.
UNSEEN = {"meta", "validate_argument_spec"}
INCLUDES = ("include_", "import_")
GATHERING = {"setup", "gather_facts"}
# Tasks whose message is written by us, with what to do in its last line.
OWN_WORDS = {"assert", "fail", "wait_for"}


@dataclass
class Phase:
    """What is being done now."""

    title: str
    role: str
    """Empty for a task outside roles."""
    listed: bool
    started: float = field(default_factory=time.monotonic)
    task: str = ""
    announced: bool = False
    failed: bool = False
    done: int = 0
    modules: int = 0
    changed: int = 0
    put_off: bool = False
    """Whether check mode had to leave something out."""
    notes: list[str] = field(default_factory=list)
    """What is to be read below the line that it ends in, at a terminal."""

    @property
    def elapsed(self) -> float:
        return time.monotonic() - self.started


@dataclass(frozen=True)
class Failure:
    """Why a host failed, and what to do about it."""

    host: str
    what: str
    why: str
    remedy: str
    details: str
    after: float
    error: Any = None

    def lines(self) -> list[str]:
        return [f"Failed:     {self.what}  (after {clock(self.after)})", f"Why:        {advised(self.why)}", f"What to do: {advised(self.remedy)}"]


def advised(text: str) -> str:
    """The text with its commands as this run's caller can paste them, about the same deployment."""
    own = [one for one in context.CLIARGS.get("inventory") or () if one not in C.DEFAULT_HOST_LIST]
    inventories = [os.path.relpath(one) if one.startswith(f"{os.getcwd()}/") else one for one in own]
    named = [one for one in context.CLIARGS.get("extra_vars") or () if re.fullmatch(r"deployment_name=[\w-]+", one)]
    return pasteable(text, " ".join([*(f'-i "{one}"' if " " in one else f"-i {one}" for one in inventories), *(f"-e {one}" for one in named)]))


class CallbackModule(DefaultView):  # type: ignore[misc]
    """The view."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "stdout"
    CALLBACK_NAME = "todochat.platform.progress"

    def __init__(self) -> None:
        super().__init__()
        if self._display.verbosity:
            # whoever asks for more gets all of it
            for name in [name for name in vars(CallbackModule) if name.startswith("v2_")]:
                setattr(self, name, getattr(super(), name))
            return
        self._phase: Phase | None = None
        self._task = ""
        self._names: dict[str, str] = {}

    # The run

    def v2_playbook_on_start(self, playbook: Any) -> None:
        self._screen = Screen(self._display)
        self._started = time.monotonic()
        self._checking = bool(context.CLIARGS["check"])
        self._finished: list[str] = []
        self._changing = False
        self._modules = 0
        self._failures: list[Failure] = []
        self._pending = False
        self._interrupted = False
        state = state_directory()
        self._events = Events(state / "events.jsonl")
        self._history = History(state / "history.json", kind_of_run(playbook._file_name))
        self._over = threading.Event()
        threading.Thread(target=self._look, daemon=True).start()
        atexit.register(self._broken_off, os.getpid())
        self._listen_for_interrupt()

    def _listen_for_interrupt(self) -> None:
        ansibles = signal.getsignal(signal.SIGINT)

        def interrupted(number: int, frame: Any) -> None:
            self._interrupted = True
            if callable(ansibles):
                ansibles(number, frame)

        signal.signal(signal.SIGINT, interrupted)

    def v2_playbook_on_play_start(self, play: Any) -> None:
        self._play = play

    def v2_playbook_on_stats(self, stats: Any) -> None:
        counts = [stats.summarize(host) for host in stats.processed]
        names = ("ok", "changed", "unreachable", "failures", "skipped", "rescued", "ignored")
        total = {name: sum(count[name] for count in counts) for name in names}
        failed = [host for host in stats.processed if stats.summarize(host)["failures"] or stats.summarize(host)["unreachable"]]
        failure = next((failure for failure in reversed(self._failures) if failure.host in failed), None)
        self._leave()
        self._end(complete=not failed)
        if failure:
            self._show_failure(failure)
            return
        numbers = " ".join(f"{'failed' if name == 'failures' else name}={number}" for name, number in total.items())
        what = f"{'Looked at everything' if self._checking else 'Done'} in {clock(time.monotonic() - self._started)}"
        color = C.COLOR_ERROR if failed else C.COLOR_CHANGED if total["changed"] else C.COLOR_OK
        self._say(f"\n{what}   {numbers} modules={self._modules}", color)

    def _end(self, complete: bool) -> None:
        self._over.set()
        self._history.write(self._finished if complete else None)
        with self._screen.lock:  # the other thread may just be looking
            self._events.close()
            self._screen.close()

    def _show_failure(self, failure: Failure) -> None:
        if failure.error:
            self._display._error(failure.error, stderr=False)
        if failure.details:
            self._say("\n" + advised("\n".join(failure.details.splitlines()[-DETAIL_LINES:])))
        self._say("\n" + "\n".join(failure.lines()), C.COLOR_ERROR)

    def _broken_off(self, process: int) -> None:
        """The run ends without Ansible's having said so: by Ctrl-C, or by an error of Ansible's, which it has printed."""
        if self._over.is_set() or os.getpid() != process:
            return
        what = self._what(self._phase.task if self._phase else "")
        if self._phase:
            self._phase.failed = True
        self._leave()
        self._end(complete=False)
        after = time.monotonic() - self._started
        if self._interrupted:
            self._say(
                f"\nBroken off: {what}  (after {clock(after)})\nWhy:        Ctrl-C was pressed.\n"
                "What to do: Run the same command again, which finishes what was begun."
            )
        else:
            refused = next(iter(REFUSALS), None)
            why, remedy, details = (refused.why, refused.remedy, refused.details) if refused else ("Ansible gave up with the error above.", REMEDY, "")
            self._show_failure(Failure("", what, why, remedy, details, after))

    # Tasks

    def v2_playbook_on_task_start(self, task: Any, is_conditional: bool = False) -> None:  # noqa: ARG002 - Ansible names it
        self._names[task._uuid] = str(task.name or task.action)
        if is_seen(task):
            self._enter(task)

    def v2_playbook_on_handler_task_start(self, task: Any) -> None:
        self.v2_playbook_on_task_start(task)

    def v2_runner_on_ok(self, result: Any) -> None:
        self._handle_warnings(result.result)
        task = result.task
        if not is_seen(task):
            return
        self._count(task)
        if self._phase is None:
            return
        self._phase.done += 1
        self._announce(self._phase)
        if result.result.get("changed"):
            self._phase.changed += 1
            self._changing = self._changing or not self._checking
            self._events.append("changed", self._names.get(task._uuid, ""), role=self._phase.role)
        for text in self._notes(result):
            self._note(text)

    def v2_runner_on_failed(self, result: Any, ignore_errors: bool = False) -> None:
        self._handle_warnings(result.result)
        self._count(result.task)
        self._enter(result.task)
        why, remedy, details = explain(result.result, short(result.task))
        if ignore_errors:
            if self._phase:
                self._phase.done += 1
            self._note(f"    ignored: {self._names.get(result.task._uuid, '')}: {why}")
            return
        own = "why" in result.result or short(result.task) in OWN_WORDS
        self._failed(result, why, remedy, details, None if own else result.exception)

    def v2_runner_on_unreachable(self, result: Any) -> None:
        self._handle_warnings(result.result)
        self._enter(result.task)
        why, _unused, details = explain(result.result, short(result.task))
        self._failed(result, why, UNREACHABLE_REMEDY, details, None)

    def v2_runner_on_skipped(self, result: Any) -> None:
        self._handle_warnings(result.result)

    def v2_runner_retry(self, result: Any) -> None:
        self._events.append("waiting_for", f"{self._names.get(result.task._uuid, '')}, after attempt {result.result.get('attempts')}")

    def v2_runner_item_on_ok(self, result: Any) -> None:
        self._handle_warnings(result.result)

    def v2_runner_item_on_failed(self, result: Any) -> None:
        self._handle_warnings(result.result)

    def v2_runner_item_on_skipped(self, result: Any) -> None:
        self._handle_warnings(result.result)

    def v2_playbook_on_include(self, included_file: Any) -> None:
        """Included tasks are seen when they run."""

    def v2_playbook_on_no_hosts_remaining(self) -> None:
        """The failure says it."""

    def v2_on_file_diff(self, result: Any) -> None:
        for one in result.result.get("results") or [result.result]:
            if one.get("diff") and one.get("changed") and (text := self._get_diff(one["diff"]).strip("\n")):
                self._note(text)

    def _failed(self, result: Any, why: str, remedy: str, details: str, error: Any) -> None:
        what = self._what(self._names.get(result.task._uuid, ""))
        after = time.monotonic() - self._started
        if self._phase:
            self._phase.failed = True
            self._announce(self._phase)
        self._failures.append(Failure(result.host.get_name(), what, why, remedy, details, after, error))
        self._pending = True

    def _count(self, task: Any) -> None:
        if short(task) not in WITHOUT_MODULE and not short(task).startswith(INCLUDES):
            self._modules += 1
            if self._phase:
                self._phase.modules += 1

    def _what(self, task: str) -> str:
        title = self._phase.title if self._phase else "The start of the run"
        return title if task in ("", title) else f"{title}: {task}"

    # Phases

    def _enter(self, task: Any) -> None:
        """The task's phase is the one that runs."""
        title, listed = self._title(task)
        if self._phase is None or self._phase.title != title:
            self._leave()
            self._phase = Phase(title, task._role.get_name(include_role_fqcn=False) if task._role else "", listed)
            self._events.append("phase", title)
        if self._pending:
            # tasks go on, so that one is being dealt with
            self._pending = False
            self._note(f"    failed: {self._failures[-1].what}: {self._failures[-1].why}")
        if self._task != task._uuid:
            self._task = task._uuid
            self._phase.task = self._names.get(task._uuid, str(task.name))
            self._events.append("task", self._phase.task)

    def _announce(self, phase: Phase) -> None:
        """Says that a phase has begun, once it is sure that it does something: a skipped one is passed over in silence."""
        if phase.listed and not phase.announced and not self._screen.is_terminal:
            phase.announced = True
            self._screen.line(f"{phase.title} ...")

    def _leave(self) -> None:
        """The phase that runs has ended."""
        phase, self._phase = self._phase, None
        if phase is None:
            return
        figures = {"role": phase.role, "tasks": phase.done, "modules": phase.modules, "changes": phase.changed}
        self._events.append("ended", phase.title, seconds=round(phase.elapsed, 1), **figures)
        if phase.done and not phase.failed:
            self._finished.append(phase.title)
            self._history.note(phase.title, phase.elapsed, bool(phase.changed))
        if not phase.done and not phase.failed and not phase.announced:
            return
        outcome = self._outcome(phase)
        color = C.COLOR_ERROR if phase.failed else C.COLOR_CHANGED if phase.changed else C.COLOR_OK
        if not self._screen.is_terminal:
            if phase.listed or phase.failed:
                self._say(f"{phase.title}: {int(phase.elapsed)} s, {outcome}", color)
            return
        if phase.listed or phase.failed:
            mark = "✗" if phase.failed else "~" if self._checking and (phase.changed or phase.put_off) else "✓"
            self._say(row(mark, phase.title, phase.elapsed, outcome, self._screen.width), color)
        for text in phase.notes:
            self._say(text)

    def _outcome(self, phase: Phase) -> str:
        if phase.failed:
            return "broken off" if self._interrupted else "failed"
        if not phase.done:
            return "nothing to do"
        if not phase.changed:
            return "not yet" if phase.put_off else "as it was"
        return f"would change {phase.changed}" if self._checking else f"changed {phase.changed}"

    def _title(self, task: Any) -> tuple[str, bool]:
        """What the phase of a task is called, and whether it is worth a line: gathering facts is not."""
        if task._role is not None:
            return role_title(task._role), True
        if short(task) in GATHERING:
            return str(self._play.get_name().strip()), False
        return self._names.get(task._uuid, str(task.name)), True

    # What is printed

    def _notes(self, result: Any) -> Iterator[str]:
        """What a result that went well has to say."""
        content, action = result.result, short(result.task)
        if action == "debug":
            for one in content.get("results") or [content]:
                self._clean_results(one, result.task.action)
                yield self._message(one)
            return
        for title in content.get("titles", []) if action == "todochat.platform.observation" else []:
            self._finished.append(title)  # a phase that this run passes over, in no time
            yield f"    as asked: {title}"
        if not content.get("changed"):
            # where a task has a changed_when, it only looks, and another one announces
            left_out = str(content.get("msg", "")).startswith("would ") and not result.task.changed_when
            if self._checking and self._phase and left_out:
                self._phase.put_off = True
                yield announced(content["msg"])
            return
        for text in sentences(content, str(result.task.resolved_action or ""), self._names.get(result.task._uuid, "")):
            if self._checking:
                yield announced(text)
            elif not self._screen.is_terminal:
                yield f"    changed: {text}"

    def _message(self, content: dict[str, Any]) -> str:
        """What a debug task, or one item of it, has to say."""
        message = content.get("msg")
        if isinstance(message, list):
            message = "\n".join(map(str, message))
        text = advised(str(message).rstrip()) if message is not None else self._dump_results(content)
        if "\n" in text:
            return f"\n{text}\n"
        return announced(text) if content.get("changed") and self._checking else f"    {text}"

    def _dump_results(self, *results: Any, **how: Any) -> str:
        return advised(super()._dump_results(*results, **how))

    def _note(self, text: str) -> None:
        """Shows a text with its phase: at a terminal below the line the phase ends in, elsewhere at once."""
        if self._phase is not None:
            self._announce(self._phase)
        if self._screen.is_terminal and self._phase is not None:
            self._phase.notes.append(text)
        else:
            self._say(text)

    def _say(self, text: str, color: str | None = None) -> None:
        self._display.display(text, color=color)

    # What is painted

    def _look(self) -> None:
        """Shows what is waited for, in a thread of its own, until the run is over."""
        told = ""
        last = time.monotonic()
        while not self._over.wait(TICK_SECONDS):
            with self._screen.lock:
                phase = self._phase
                waiting = self._events.latest()
                if phase is None or self._over.is_set():
                    continue
                if phase.elapsed >= ANNOUNCE_SECONDS:
                    self._announce(phase)
                if self._screen.is_terminal:
                    self._screen.paint(self._picture(phase, waiting))
                elif waiting and waiting != told and time.monotonic() - max(last, phase.started) >= PLAIN_SECONDS:
                    self._screen.line(f"    {clock(phase.elapsed)} {fit(waiting, 200)}")
                    told, last = waiting, time.monotonic()

    def _picture(self, phase: Phase, waiting: str) -> list[str]:
        expected = self._history.expected(phase.title, self._changing, phase.elapsed)
        left = self._history.left(phase.title, self._changing, phase.elapsed, self._finished)
        about = f"of about {clock(expected)}" if expected else ""
        lines = [row("▸", phase.title, phase.elapsed, about, self._screen.width)]
        lines += [f"    {text}" for text in (waiting or phase.task,) if text != phase.title]
        return [*lines, f"  about {clock(left)} left"] if left else lines


class Events:
    """The file of JSON lines that modules append to, this run's alone; ``path`` leads to that of the run that began last."""

    def __init__(self, path: Path) -> None:
        self._writer = self._reader = -1
        self._rest = b""
        self._waiting = ""
        os.environ.pop(VARIABLE, None)
        with suppressed():
            path.parent.mkdir(parents=True, exist_ok=True)
            for left in path.parent.glob(f"{path.stem}-*"):
                if not Path("/proc", left.stem.rpartition("-")[2]).exists():
                    left.unlink(missing_ok=True)
            own = path.with_stem(f"{path.stem}-{os.getpid()}")
            own.unlink(missing_ok=True)
            self._writer = os.open(own, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_EXCL, 0o600)
            self._reader = os.open(own, os.O_RDONLY)
            os.environ[VARIABLE] = str(own)
            link = own.with_suffix(".new")
            link.symlink_to(own.name)
            link.replace(path)

    def append(self, kind: str, text: str, **more: Any) -> None:
        with suppressed():
            os.write(self._writer, (json.dumps({"time": round(time.time(), 3), kind: text, **more}) + "\n").encode())

    def latest(self) -> str:
        """What is waited for now, empty where nothing is since the task began."""
        with suppressed():
            while block := os.read(self._reader, 1 << 16):
                *lines, self._rest = (self._rest + block).split(b"\n")
                for line in lines:
                    with suppressed():
                        self._waiting = str(json.loads(line).get("waiting_for", ""))
        return self._waiting

    def close(self) -> None:
        for file in (self._writer, self._reader):
            with suppressed():
                os.close(file)
        self._writer = self._reader = -1


@contextmanager
def suppressed() -> Iterator[None]:
    """A view that cannot read or write its events must not stop the work."""
    try:
        yield
    except (OSError, ValueError, AttributeError):
        return


def state_directory() -> Path:
    """Where runs are remembered, by the XDG specification, which lets relative paths be ignored."""
    base = os.environ.get("XDG_STATE_HOME", "")
    return (Path(base) if os.path.isabs(base) else Path.home() / ".local/state") / "todochat"


def kind_of_run(playbook: str) -> str:
    """The playbook with what decides which phases it has."""
    words = [os.path.basename(playbook)]
    words += ["--check"] if context.CLIARGS["check"] else []
    for option, default in (("tags", "all"), ("skip_tags", "")):
        values = sorted(set(context.CLIARGS[option]) - {default})
        words += [f"--{option.replace('_', '-')}={','.join(values)}"] if values else []
    return " ".join(words)


def short(task: Any) -> str:
    """The name of a task's action, without that of Ansible's own collections."""
    name = str(task.resolved_action or task.action)
    return name.removeprefix("ansible.builtin.").removeprefix("ansible.legacy.")


def is_seen(task: Any) -> bool:
    return short(task) not in UNSEEN and not short(task).startswith(INCLUDES)


def role_title(role: Any) -> str:
    """The short description of a role's argument specification, else its name."""
    for name in ("argument_specs.yml", "argument_specs.yaml"):
        try:
            content = yaml.safe_load((Path(role._role_path) / "meta" / name).read_text(encoding="utf-8"))
            return str(content["argument_specs"]["main"]["short_description"])
        except (OSError, yaml.YAMLError, KeyError, TypeError):
            continue
    return str(role.get_name())


def row(mark: str, title: str, elapsed: float, outcome: str, width: int) -> str:
    """A line of the list of phases."""
    room = max(min(TITLE_WIDTH, width - 30), 10)
    return f"{mark} {fit(title, room):<{room}} {clock(elapsed):>6}  {outcome}".rstrip()


def announced(text: str) -> str:
    """A sentence of check mode."""
    return f"    {text}" if text.startswith("would") else f"    would: {text}"


def sentences(result: Mapping[str, Any], action: str, name: str) -> list[str]:
    """What changed, in the module's own words where it is ours, else by the task's name and the items that changed."""
    if action.startswith("todochat.platform."):
        own = result.get("would") or result.get("steps") or [result.get("msg")]
        if own and all(own):
            return [str(text) for text in own]
    items = [one.get("_ansible_item_label", one.get("item")) for one in result.get("results", []) if one.get("changed")]
    return [f"{name} ({', '.join(map(str, items))})" if items else name]


def explain(result: Mapping[str, Any], action: str) -> tuple[str, str, str]:
    """Why a task failed in one sentence, what to do in another, and the lines that explain it."""
    result = next((one for one in result.get("results", []) if isinstance(one, Mapping) and one.get("failed")), result)
    if "why" in result and "remedy" in result:
        return sentence(str(result["why"])), sentence(str(result["remedy"])), str(result.get("details") or "")
    if result.get("argument_errors"):
        return sentence("; ".join(map(str, result["argument_errors"]))), "Correct it where it is set, then run the same command again.", ""
    lines = [line.strip() for line in str(result.get("msg") or result.get("censored") or "").splitlines() if line.strip()]
    if action in OWN_WORDS and len(lines) > 1:
        return sentence(" ".join(lines[:-1])), sentence(lines[-1]), ""
    streams = [str(result[name]).strip() for name in ("stdout", "module_stdout", "stderr", "module_stderr") if result.get(name)]
    said = "\n".join(streams)
    if "cmd" in result and result.get("rc"):
        command = shlex.join(result["cmd"]) if isinstance(result["cmd"], list) else result["cmd"]
        last = f": {said.splitlines()[-1]}" if said else ""
        return sentence(f"`{fit(command, 80)}` ended with exit status {result['rc']}{last}"), REMEDY, said
    lines[:1] = [line.removeprefix("Task failed: ").removeprefix("Module failed: ") for line in lines[:1]]
    why = lines[0] if lines else (said.splitlines() or ["It did not say why"])[-1]
    if why.endswith(":") and len(lines) > 1:
        why = f"{why} {lines[1]}"
    rest = "\n".join(lines) if len(lines) > 1 else ""
    return sentence(why), REMEDY, "\n".join(text for text in (rest, said) if text)
