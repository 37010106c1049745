"""What is there, compared with what is asked by the modules that would make it so: each in its own process, in check mode, all at once.

    python -m ansible_collections.todochat.platform.plugins.module_utils.whole.observation < {"NAME": [{"module": ..., "args": {...}}, ...]}

prints, as JSON, for each name what its modules returned, in their order. What a module would change here it would change there, so nothing says
"as asked" that a module does not say itself; and where one cannot say, its part of the run goes on as if nobody had asked.
"""

from __future__ import annotations

import importlib
import io
import json
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import redirect_stdout, suppress
from multiprocessing import get_context
from typing import Any

from ansible.module_utils import basic
from ansible.module_utils.common.warnings import get_deprecation_messages, get_warning_messages

Check = Mapping[str, Any]
"""``module``, with its collection's name, and its ``args``."""


def observe(parts: Mapping[str, Sequence[Check]]) -> dict[str, list[dict[str, Any]]]:
    """What the checks of each part return; those that follow one that failed are left out."""
    for name in {check["module"] for checks in parts.values() for check in checks}:
        with suppress(Exception):  # read once here, and not in each process; what is wrong with one is said there
            module(name)
    with ProcessPoolExecutor(max(1, len(parts)), mp_context=get_context("fork")) as pool:
        asked = {name: pool.submit(answers, checks) for name, checks in parts.items()}
        return {name: one.result() for name, one in asked.items()}


def answers(checks: Sequence[Check]) -> list[dict[str, Any]]:
    """What each module returns, up to the first that fails."""
    found: list[dict[str, Any]] = []
    for check in checks:
        if not found or not found[-1].get("failed"):
            found.append(answer(check))
    return found


def answer(check: Check) -> dict[str, Any]:
    """What a module returns in check mode: it prints that, and ends."""
    settings = {"_ansible_check_mode": True, "_ansible_no_log": True}
    basic._ANSIBLE_ARGS = json.dumps({"ANSIBLE_MODULE_ARGS": {**check["args"], **settings}}).encode()
    basic._ANSIBLE_PROFILE = "legacy"
    printed = io.StringIO()
    try:
        with redirect_stdout(printed), suppress(SystemExit):
            module(check["module"]).main()
        result: dict[str, Any] = json.loads(printed.getvalue())
    except Exception as error:  # noqa: BLE001 - whatever it is, the role that asks by itself will meet it and say so
        return {"failed": True, "msg": repr(error)}
    # Arguments may be secrets. Warnings are this process's, and come as texts.
    kept = {name: value for name, value in result.items() if name not in ("invocation", "warnings", "deprecations")}
    said = [*get_warning_messages(), *(one["msg"] for one in get_deprecation_messages())]
    return {**kept, "warnings": said} if said else kept


def module(named: str) -> Any:
    """A module, named with its collection."""
    collection, _unused, name = named.rpartition(".")
    return importlib.import_module(f"ansible_collections.{collection}.plugins.modules.{name}")


if __name__ == "__main__":
    sys.stdout.write(json.dumps(observe(json.load(sys.stdin))))
