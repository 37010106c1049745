"""The view of a run: what a person reads at a terminal and in a log, and what the next run knows of this one."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import re
import signal
import struct
import subprocess
import sys
import termios
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.todochat.platform.plugins.callback.progress import REMEDY, explain
from ansible_collections.todochat.platform.plugins.module_utils.base.commands import follow
from ansible_collections.todochat.platform.plugins.module_utils.base.progress import VARIABLE, copy, waiting_for
from ansible_collections.todochat.platform.plugins.plugin_utils.history import History
from ansible_collections.todochat.platform.plugins.plugin_utils.screen import clock, fit

ROOT = Path(__file__).resolve().parents[2]

SPECIFICATION = """
argument_specs:
  main:
    short_description: The oven is hot
    options:
      oven_degrees: {type: int, description: How hot., default: 200}
"""
OVEN = """
- name: The oven's file says how hot
  ansible.builtin.lineinfile:
    path: "{{ work }}/heat"
    line: "{{ oven_degrees }}"
    create: true
    mode: "0644"
  environment: {SECRET: never-shown}

- name: "The oven is warm at {{ oven_degrees }}"
  ansible.builtin.command:
    argv: [sh, -c, "{{ warm }}"]
  changed_when: false
  check_mode: false
"""
PLAYBOOK = """
- name: A cake
  hosts: localhost
  gather_facts: false
  environment: "{{ deployment_environment }}"
  vars: {warm: "true", work: WORK, spoil: ""}
  tasks:
    - name: The oven
      ansible.builtin.import_role:
        name: ROLE
    - name: The rest is left
      ansible.builtin.meta: end_play
      when: spoil == 'rest'
    - name: What may fail
      ansible.builtin.command: "false"
      ignore_errors: true
      changed_when: false
    - name: A way out
      block:
        - name: The mixer works
          ansible.builtin.command: "false"
          changed_when: false
      rescue:
        - name: A spoon does as well
          ansible.builtin.debug:
            msg: "{{ item }}"
          loop: [by hand, slowly]
    - name: A tool that breaks
      ansible.builtin.command:
        argv: [sh, -c, "echo halfway; echo 'no such bowl' >&2; exit 3"]
      when: spoil == 'tool'
    - name: A rule that is broken
      ansible.builtin.assert:
        that: spoil != 'rule'
        fail_msg: |-
          The sugar is salt.
          Take the other jar.
        quiet: true
    - name: A name that does not exist
      ansible.builtin.debug:
        msg: "{{ no_such_name }}"
      when: spoil == 'name'
    - name: A file that is no vault
      todochat.platform.vault_file:
        path: "{{ work }}/cake.yml"
      when: spoil == 'vault'
    - name: The cake is served
      ansible.builtin.debug:
        msg: |
          Cake     on the table
          Coffee   hot
"""


class Kitchen:
    """A playbook with a role, run with this project's configuration and a home of its own."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.playbook = directory / "cake.yml"
        role = directory / "oven"
        for name, text in (("meta/argument_specs.yml", SPECIFICATION), ("defaults/main.yml", "oven_degrees: 200\n"), ("tasks/main.yml", OVEN)):
            (role / name).parent.mkdir(parents=True, exist_ok=True)
            (role / name).write_text(text)
        self.playbook.write_text(PLAYBOOK.replace("ROLE", str(role)).replace("WORK", str(directory)))
        self.history = directory / "state/todochat/history.json"
        self.environment = {name: value for name, value in os.environ.items() if not name.startswith("ANSIBLE_")}
        self.environment |= {"XDG_CONFIG_HOME": str(directory / "config"), "XDG_STATE_HOME": str(directory / "state"), "TERM": "xterm"}
        self.command = [str(Path(sys.executable).parent / "ansible-playbook"), str(self.playbook)]

    def plain(self, *options: str, status: int = 0, **variables: str) -> str:
        """What a run prints into a pipe."""
        command = [*self.command, *options, "--extra-vars", json.dumps(variables)]
        done = subprocess.run(command, cwd=ROOT, env=self.environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
        assert done.returncode == status, done.stdout
        assert "Callback dispatch" not in done.stdout
        return done.stdout

    def at_terminal(self, *, columns: int = 80, react: Callable[[bytes, int], None] = lambda _raw, _process: None, **variables: str) -> bytes:
        """All that a run writes to a terminal. ``react`` is called with it, and with the process, whenever there is more."""
        process, terminal = pty.fork()
        if process == 0:
            os.chdir(ROOT)
            os.execve(self.command[0], [*self.command, "--extra-vars", json.dumps(variables)], self.environment)
        fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
        raw = b""
        try:
            while more := os.read(terminal, 1 << 16):
                raw += more
                react(raw, process)
        except OSError:  # the other side has closed it
            pass
        os.waitpid(process, 0)
        os.close(terminal)
        return raw


@pytest.fixture
def kitchen(tmp_path: Path) -> Kitchen:
    """A playbook to look at."""
    return Kitchen(tmp_path)


def screen(raw: bytes) -> list[str]:
    """What stands on a terminal that was sent these bytes and never had to scroll."""
    rows: list[str] = [""]
    row = column = 0
    for part in re.findall(r"\x1b\[[0-9;]*[A-Za-z]|\r|\n|[^\x1b\r\n]+", raw.decode()):
        if part == "\r":
            column = 0
        elif part == "\n":
            row += 1
            rows += [""] * (row + 1 - len(rows))
        elif part.endswith("A") and part.startswith("\x1b"):
            row -= int(part[2:-1])
        elif part == "\x1b[K":
            rows[row] = rows[row][:column]
        elif part == "\x1b[J":
            rows[row:] = [rows[row][:column]]
        elif part.startswith("\x1b"):
            assert part.endswith("m"), part
        else:
            rows[row] = f"{rows[row]:<{column}}"[:column] + part + rows[row][column + len(part) :]
            column += len(part)
    return [text.rstrip() for text in rows]


def without_times(text: str) -> str:
    return re.sub(r"\d+ s,|\d+:\d\d", "T", text)


# Into a pipe


def test_a_log_names_each_phase_with_what_changed_and_has_no_control_characters(kitchen: Kitchen) -> None:
    text = kitchen.plain(warm="echo '{\"time\": 1, \"waiting_for\": \"butter\"}' >> $TODOCHAT_EVENTS")
    events = kitchen.directory / "state/todochat/events.jsonl"
    ended = next(event for event in map(json.loads, events.read_text().splitlines()) if "ended" in event)
    lines = without_times(text).splitlines()
    if ended["seconds"] >= 10:  # on a machine that is so slow it may be told what is waited for
        lines = [line for line in lines if line != "    T butter"]
    # nor is it known of one that is slow to be skipped that it does nothing
    lines = [line for line in lines if not line.startswith(("A name that does not exist", "A file that is no vault"))]
    assert lines == [
        "The oven is hot ...",
        "    changed: The oven's file says how hot",
        "The oven is hot: T changed 1",
        "What may fail ...",
        "    ignored: What may fail: `false` ended with exit status 1.",
        "What may fail: T as it was",
        "The mixer works ...",
        "The mixer works: T failed",
        "A spoon does as well ...",
        "    failed: The mixer works: `false` ended with exit status 1.",
        "    by hand",
        "    slowly",
        "A spoon does as well: T as it was",
        "A rule that is broken ...",
        "A rule that is broken: T as it was",
        "The cake is served ...",
        "",
        "Cake     on the table",
        "Coffee   hot",
        "The cake is served: T as it was",
        "",
        "Done in T   ok=7 changed=1 unreachable=0 failed=0 skipped=3 rescued=1 ignored=1 modules=4",
    ]
    assert not re.search(r"[^\n -~]", text)

    told = [next(item for item in json.loads(line).items() if item[0] != "time") for line in events.read_text().splitlines()]
    told = [(kind, text) for kind, text in told if kind != "changed"]
    assert told[:4] == [
        ("phase", "The oven is hot"),
        ("task", "The oven's file says how hot"),
        ("task", "The oven is warm at 200"),
        ("waiting_for", "butter"),
    ]
    assert events.stat().st_mode & 0o777 == 0o600
    written = [json.loads(line) for line in events.read_text().splitlines()]
    assert [(event["changed"], Path(event["role"]).name) for event in written if "changed" in event] == [("The oven's file says how hot", "oven")]
    assert ended["seconds"] >= 0
    assert {key: ended[key] for key in ("ended", "tasks", "modules", "changes")} == {
        "ended": "The oven is hot",
        "tasks": 2,
        "modules": 2,
        "changes": 1,
    }

    again = kitchen.plain(spoil="rest")
    assert re.search(r"changed=0 .* failed=0", again)
    assert "    changed" not in again
    assert "butter" not in events.read_text()


def test_check_mode_says_what_would_change(kitchen: Kitchen) -> None:
    kitchen.playbook.write_text(kitchen.playbook.read_text().replace("gather_facts: false", "gather_facts: true"))
    text = kitchen.plain("--check", "--diff")
    assert text.startswith("The oven is hot ...\n")  # gathering facts is no news
    assert "    would: The oven's file says how hot" in text.splitlines()
    assert "+200" in text.splitlines()
    assert "The oven is hot: T would change 1" in without_times(text)


@pytest.mark.parametrize(
    ("spoil", "above", "lines"),
    [
        ("tool", "no such bowl", ["A tool that breaks", "ended with exit status 3: no such bowl.", REMEDY]),
        ("rule", "", ["A rule that is broken", "The sugar is salt.", "Take the other jar."]),
        ("name", "no_such_name", ["A name that does not exist", "'no_such_name' is undefined", REMEDY]),
        ("vault", "", ["A file that is no vault", "cake.yml is not encrypted.", "Run `ansible-vault encrypt "]),
    ],
)
def test_a_failure_ends_in_three_lines_below_what_explains_it(kitchen: Kitchen, spoil: str, above: str, lines: list[str]) -> None:
    *before, what, why, remedy = kitchen.plain("--start-at-task", lines[0], status=2, spoil=spoil).splitlines()
    assert re.fullmatch(rf"Failed:     {lines[0]}  \(after \d+:\d\d\)", what)
    assert why.startswith("Why:        ")
    assert lines[1] in why
    assert remedy.startswith(f"What to do: {lines[2]}")
    assert above in "\n".join(before)
    assert not [line for line in before if line.startswith(("Failed:", "Why:"))]


def test_a_role_is_named_with_the_task_that_failed_and_wrong_arguments_are_told(kitchen: Kitchen) -> None:
    what, why, _ = kitchen.plain(status=2, oven_degrees="hot").splitlines()[-3:]
    assert what.startswith("Failed:     The oven is hot: Validating arguments")
    assert "oven_degrees" in why


def test_what_is_asked_for_with_v_is_ansibles_own_view(kitchen: Kitchen) -> None:
    text = kitchen.plain("-v", status=2, oven_degrees="hot")
    for words in ("Validating arguments against arg spec 'main' - The oven is hot] ***", "fatal: [localhost]: FAILED!", "PLAY RECAP"):
        assert words in text


# At a terminal

TELL = """echo '{"time": 1, "waiting_for": "the thermostat"}' >> $TODOCHAT_EVENTS; while [ ! -e WORK/go ]; do sleep 0.1; done"""


def test_the_running_phase_is_painted_with_what_it_waits_for_and_becomes_one_line(kitchen: Kitchen) -> None:
    seen: list[list[str]] = []

    def react(raw: bytes, _process: int) -> None:
        if b"the thermostat" in raw and not seen:
            seen.append(screen(raw))
            (kitchen.directory / "go").touch()

    kitchen.history.parent.mkdir(parents=True)
    kitchen.history.write_text('{"cake.yml": {"The oven is hot": {"unchanged": 90, "changed": 200}, "The cake is served": {"unchanged": 60}}}')
    raw = kitchen.at_terminal(react=react, warm=TELL.replace("WORK", str(kitchen.directory)))
    [picture] = seen
    running = picture.index("    the thermostat")
    assert re.fullmatch(r"▸ The oven is hot +0:\d\d  of about 3:20", picture[running - 1])
    assert re.fullmatch(r"  about 4:\d\d left", picture[running + 1])
    final = screen(raw)
    assert not [line for line in final if "thermostat" in line or "left" in line or line.startswith("▸")]
    assert re.fullmatch(r"✓ The oven is hot +0:\d\d  changed 1", final[0])
    assert "Cake     on the table" in final
    assert b"\x1b[0;32m" in raw  # green


def test_a_narrow_terminal_is_kept_to_and_colours_are_left_out_where_nobody_wants_them(kitchen: Kitchen) -> None:
    kitchen.environment["NO_COLOR"] = "1"
    raw = kitchen.at_terminal(columns=50, spoil="rest", warm="echo '{\"waiting_for\": \"" + "long " * 30 + "\"}' >> $TODOCHAT_EVENTS; sleep 0.6")
    painted = [line for line in re.split(r"\x1b\[\d*[A-Z]|[\r\n]", raw.decode()) if line.startswith(("▸", "    long"))]
    assert painted
    assert max(map(len, painted)) < 50
    assert not re.search(rb"\x1b\[[0-9;]*m", raw)


def test_ctrl_c_says_what_was_broken_off_and_keeps_what_was_learnt(kitchen: Kitchen) -> None:
    pressed: list[int] = []

    def react(raw: bytes, process: int) -> None:
        if b"the thermostat" in raw and not pressed:
            pressed.append(process)
            os.kill(process, signal.SIGINT)

    first = "    - name: Hands are clean\n      ansible.builtin.debug:\n"
    kitchen.playbook.write_text(kitchen.playbook.read_text().replace("  tasks:\n", f"  tasks:\n{first}"))
    final = screen(kitchen.at_terminal(react=react, warm=TELL.replace("WORK", str(kitchen.directory))))
    what, why, remedy = [line for line in final if line][-3:]
    assert re.match(r"Broken off: The oven is hot: The oven is warm at 200  \(after", what)
    assert "Ctrl-C" in why
    assert "same command again" in remedy
    assert list(json.loads(kitchen.history.read_text())["cake.yml"]) == ["Hands are clean"]


def test_a_pipe_that_is_closed_ends_quietly_and_the_work_goes_on(kitchen: Kitchen) -> None:
    variables = json.dumps({"warm": f"while [ ! -e {kitchen.directory}/closed ]; do sleep 0.05; done; touch {kitchen.directory}/done"})
    command = [*kitchen.command, "--extra-vars", variables]
    with subprocess.Popen(command, cwd=ROOT, env=kitchen.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout
        assert process.stderr
        assert process.stdout.readline()
        process.stdout.close()
        (kitchen.directory / "closed").touch()
        assert "Broken" not in (said := process.stderr.read()), said
        assert process.wait() == 0
    assert (kitchen.directory / "done").exists()


# What is kept


def test_a_state_that_cannot_be_used_breaks_no_run_that_only_looks(kitchen: Kitchen) -> None:
    (kitchen.directory / "state").write_text("in the way")
    kitchen.plain("--start-at-task", "The cake is served", "--check")
    assert "state/todochat/todo cannot be used: Not a directory." in kitchen.plain(status=1)


@pytest.fixture
def history(tmp_path: Path) -> History:
    """Three phases; the cluster has once been made, the check never changes anything."""
    known = {"docker": {"unchanged": 2, "changed": 60}, "cluster": {"unchanged": 3, "changed": 90}, "check": {"unchanged": 4}}
    (tmp_path / "history.json").write_text(json.dumps({"site.yml": known, "down.yml": {"docker": {"unchanged": 1}}}))
    return History(tmp_path / "history.json", "site.yml")


def test_a_run_is_expected_to_change_nothing_until_it_does(history: History) -> None:
    assert history.left("docker", False, 0.5, []) == 1.5 + 3 + 4
    assert history.left("cluster", True, 10, ["docker"]) == 80 + 4
    assert history.left("cluster", False, 1, ["docker"]) == 2 + 4


def test_a_phase_that_takes_longer_than_leaving_all_as_it_was_is_one_that_changes(history: History) -> None:
    assert history.left("docker", False, 10, []) == 50 + 90 + 4
    assert history.expected("docker", False, 100) == 60


def test_nothing_is_made_up(history: History) -> None:
    assert history.expected("new", False) is None
    assert history.left("new", False, 1, []) is None


def test_figures_are_kept_by_what_a_phase_did_and_go_with_phases_that_are_gone(history: History) -> None:
    history.note("docker", 2.54, False)
    history.note("new", 7, True)
    history.write()
    kept = json.loads(history.file.read_text())
    assert kept["site.yml"]["docker"] == {"unchanged": 2.5, "changed": 60}
    assert kept["site.yml"]["new"] == {"changed": 7}
    history.write(only=["docker", "new"])
    kept = json.loads(history.file.read_text())
    assert list(kept["site.yml"]) == ["docker", "new"]
    assert kept["down.yml"] == {"docker": {"unchanged": 1}}
    assert [path.name for path in history.file.parent.iterdir()] == ["history.json"]


@pytest.mark.parametrize("content", ["", "[]", '{"site.yml": []}', '{"site.yml": {"docker": 3}}', '{"site.yml": {"docker": {"changed": "x"}}}', "\udcff"])
def test_a_damaged_history_counts_as_none(tmp_path: Path, content: str) -> None:
    (tmp_path / "history.json").write_bytes(content.encode(errors="surrogateescape"))
    assert History(tmp_path / "history.json", "site.yml").phases == {}


# The parts


@pytest.mark.parametrize(
    ("result", "action", "expected"),
    [
        ({"why": "a", "remedy": "b", "details": "c\n", "msg": "d"}, "x", ("a.", "b.", "c\n")),
        ({"msg": "one\ntwo\nthree"}, "assert", ("one two.", "three.", "")),
        ({"msg": "one"}, "assert", ("one.", REMEDY, "")),
        ({"msg": "E: broken\nrest", "stderr": "more"}, "apt", ("E: broken.", REMEDY, "E: broken\nrest\nmore")),
        ({"msg": "items failed", "results": [{"failed": False}, {"failed": True, "msg": "second"}]}, "x", ("second.", REMEDY, "")),
        ({"msg": "Found errors:\nthis one"}, "x", ("Found errors: this one.", REMEDY, "Found errors:\nthis one")),
        ({"module_stderr": "Traceback\nValueError: 3"}, "x", ("ValueError: 3.", REMEDY, "Traceback\nValueError: 3")),
        ({"censored": "the output has been hidden", "failed": True}, "x", ("the output has been hidden.", REMEDY, "")),
        ({}, "x", ("It did not say why.", REMEDY, "")),
    ],
)
def test_a_reason_is_found_in_whatever_a_module_says(result: dict[str, Any], action: str, expected: tuple[str, str, str]) -> None:
    assert explain(result, action) == expected


def test_times_and_lines_are_short() -> None:
    assert [clock(seconds) for seconds in (0, 59.9, 61, 3661)] == ["0:00", "0:59", "1:01", "61:01"]
    assert [fit(text, 8) for text in ("short", "a\tb\x1b[2J", "much too long")] == ["short", "a b [2J", "much ..."]


def events(path: Path) -> list[str]:
    return [json.loads(line)["waiting_for"] for line in path.read_text().splitlines()]


def test_a_module_tells_what_it_waits_for_without_anybodys_password(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    waiting_for("nobody listens")
    file = tmp_path / "events"
    monkeypatch.setenv(VARIABLE, str(file))
    waiting_for("there is no file")
    assert not file.exists()
    file.touch()
    assert follow(["sh", "-c", "echo from https://me:canary@example.org/x; echo err >&2; exit 3"], waiting_for) == (
        3,
        ["from https://me:canary@example.org/x", "err"],
    )
    assert events(file) == ["from https://example.org/x", "err"]


def test_a_download_tells_how_far_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "events").touch()
    monkeypatch.setenv(VARIABLE, str(tmp_path / "events"))
    (tmp_path / "source").write_bytes(bytes(3_000_000))
    with (tmp_path / "source").open("rb") as source, (tmp_path / "target").open("wb") as target:
        copy(source, target, "downloading it", 3_000_000)
    assert (tmp_path / "target").stat().st_size == 3_000_000
    assert events(tmp_path / "events") == ["downloading it: 1 of 3 MB"]
