"""Somebody whose account, folder and shell are not those of the other tests, at a terminal where sudo asks for a password.

Her name has a dot and capitals, her machine speaks German, her files are hers alone, what is outside she reaches by a proxy, and she keeps
the checkout in a folder with a space and an umlaut.
"""

from __future__ import annotations

import os
import shlex
import subprocess
from collections.abc import Callable

NAME = "Jane.Doe"
PASSWORD = "Kein Wort, 3 Zeichen: $'\\"
CHECKOUT = f"/home/{NAME}/Eigene Dateien/Aufgabenübersicht"
PROMPT = f"[sudo] password for {NAME}: "
SUDOERS = f"{NAME} ALL=(ALL) ALL\n"
# Her machine has it as tinyproxy, and its address in /etc/proxy.
PROXY = "Port 3128\nTimeout 600\nLogLevel Connect\n"
SHELL = (
    "export LANG=de_DE.UTF-8 LC_ALL=de_DE.UTF-8",
    "export http_proxy=$(cat /etc/proxy)",
    "export HTTP_PROXY=$http_proxy https_proxy=$http_proxy HTTPS_PROXY=$http_proxy ALL_PROXY=$http_proxy",
    "umask 077",
)


def script(command: str, folder: str = CHECKOUT) -> str:
    """What her shell does, and then this in a folder."""
    return "\n".join((*SHELL, f"cd {shlex.quote(folder)}", command))


def at_a_terminal(command: list[str], asked: int = 1, heard: Callable[[bytes], object] = lambda _: None) -> tuple[int, str]:
    """The exit status of what runs at a terminal, and what it shows, each piece of which is ``heard``; sudo's password as often as she is asked."""
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin
        assert process.stdout
        shown = b""
        while block := os.read(process.stdout.fileno(), 4096):
            shown += block
            heard(block)
            if asked and PROMPT.encode() in shown[-len(block) - len(PROMPT) :]:
                asked -= 1
                process.stdin.write(f"{PASSWORD}\r".encode())
                process.stdin.flush()
    assert not asked, shown.decode()
    return process.returncode, shown.decode(errors="replace")
