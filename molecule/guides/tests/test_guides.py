"""Who follows a guide gets where it leads: each command as it stands there, in order, and what is shown below it."""

from __future__ import annotations

import re
import shlex

import pytest
from conftest import OUTPUT, SYSTEM
from guide import missing, steps
from testinfra.host import Host

GUIDES = ("docs/tutorial.md", "docs/upgrade.md", "docs/first-day.md", "docs/rotation.md", "docs/troubleshooting.md", "docs/own-playbook.md")
"""In this order on one system."""
# What they run, in words that dependencies.py reads.
COMMANDS = {"make up", "make plan", "make rollback", "make status", "make backup", "make schedule", "make diagnose", "make mcp", "make vault DO=rotate"}
COMMANDS |= {"ansible-galaxy collection build", "ansible-galaxy collection install"}
COMMAND = r"\bmake [a-z-]+(?: DO=\w+)?|\bansible-galaxy \w+ \w+"
SAY = "PYTHONPATH=.ansible/collections python3 molecule/guides/said.py"


def test_it_is_known_what_decides_the_outcome() -> None:
    assert {command for document in GUIDES for step in steps(document) for command in re.findall(COMMAND, step.runs)} == COMMANDS


@pytest.mark.parametrize("document", GUIDES)
def test_a_guide_leads_where_it_says(host: Host, document: str, capsys: pytest.CaptureFixture[str]) -> None:
    OUTPUT.mkdir(exist_ok=True)
    exported = ""
    followed = [step for step in steps(document) if not step.not_run]
    for number, step in enumerate(followed):
        commands = step.runs or f"{SAY} {shlex.quote(step.says)}"
        result = host.run("su --login tester --command %s", f"cd todochat\nexec < /dev/null 2>&1\nset -e\n{exported}{commands}")
        seen = str(result.stdout)
        (OUTPUT / f"{SYSTEM}-{document.partition('/')[2]}-{number:02}.log").write_text(f"{commands}\n{seen}", encoding="utf-8")
        assert result.rc == 0, f"{step.place}: {commands}\n{seen[-8000:]}"
        assert missing(step.shown, seen) == "", f"{step.place}: {commands}\n{seen[-8000:]}"
        # one shell for the whole page, as its reader has
        exported += "".join(f"{line}\n" for line in step.runs.splitlines() if line.startswith("export "))
    with capsys.disabled():
        print(f"\n{len([step for step in followed if step.runs])} blocks of {document}")
