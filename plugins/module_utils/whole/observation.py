"""What is there, compared with what is asked by the modules that would make it so: each in its own process, in check mode, all at once.

    python -m ansible_collections.todochat.platform.plugins.module_utils.whole.observation < {"NAME": [{"module": ..., "args": {...}}, ...]}

prints, as JSON, for each name what its modules returned, in their order. What a module would change here it would change there, so nothing says
"as asked" that a module does not say itself; and where one cannot say, its part of the run goes on as if nobody had asked.
"""

from __future__ import annotations

import importlib
import io
import json
import os
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import redirect_stdout, suppress
from typing import Any

from ansible.module_utils import basic

Check = Mapping[str, Any]
"""``module``, with its collection's name, and its ``args``."""


def observe(parts: Mapping[str, Sequence[Check]]) -> dict[str, list[dict[str, Any]]]:
    """What the checks of each part return; those that follow one that failed are left out."""
    running = []
    for name, checks in parts.items():
        output = tempfile.TemporaryFile("w+", encoding="utf-8")  # noqa: SIM115 - it is read when the process has ended
        process = os.fork()
        if process == 0:
            try:
                output.writelines(json.dumps(result) + "\n" for result in answers(checks))
                output.flush()
            finally:
                os._exit(0)
        running.append((name, process, output))
    found = {}
    for name, process, output in running:
        os.waitpid(process, 0)
        output.seek(0)
        found[name] = [json.loads(line) for line in output]
    return found


def answers(checks: Sequence[Check]) -> Iterator[dict[str, Any]]:
    """What each module returns, up to the first that fails."""
    for check in checks:
        result = answer(check)
        yield result
        if result.get("failed"):
            return


def answer(check: Check) -> dict[str, Any]:
    """What a module returns in check mode: it prints that, and ends."""
    settings = {"_ansible_check_mode": True, "_ansible_no_log": True}
    basic._ANSIBLE_ARGS = json.dumps({"ANSIBLE_MODULE_ARGS": {**check["args"], **settings}}).encode()
    basic._ANSIBLE_PROFILE = "legacy"
    collection, _, name = check["module"].rpartition(".")
    with redirect_stdout(io.StringIO()) as printed, suppress(SystemExit):
        importlib.import_module(f"ansible_collections.{collection}.plugins.modules.{name}").main()
    try:
        result: dict[str, Any] = json.loads(printed.getvalue())
    except ValueError:
        return {"failed": True, "msg": "it did not say"}
    # arguments may be secrets
    return {name: value for name, value in result.items() if name != "invocation"}


if __name__ == "__main__":
    print(json.dumps(observe(json.load(sys.stdin))))
