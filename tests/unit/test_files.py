"""Files that nobody else may read: they go with the block that needs them, and with the next one where that was killed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from ansible_collections.todochat.platform.plugins.module_utils.machine.files import private

KILLED = """
import os, signal, sys
from pathlib import Path
from ansible_collections.todochat.platform.plugins.module_utils.machine.files import private
with private(Path(sys.argv[1])) as folder:
    (folder / "login").touch()
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_private_folder_is_its_owners_alone_and_goes(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        with private(tmp_path / "run") as folder, private(tmp_path / "run") as other:
            assert (folder.is_dir(), other.is_dir(), folder != other) == (True, True, True)
            assert [path.stat().st_mode & 0o777 for path in (folder, folder.parent)] == [0o700, 0o700]
    finally:
        os.umask(before)
    assert [*(tmp_path / "run").iterdir()] == []


def test_what_a_killed_process_left_goes_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "theirs").touch()
    killed = subprocess.Popen([sys.executable, "-c", KILLED, str(tmp_path)], env=os.environ | {"PYTHONPATH": ":".join(sys.path)})
    assert os.waitid(os.P_PID, killed.pid, os.WEXITED | os.WNOWAIT)  # nobody has asked yet how it ended
    assert len([*tmp_path.glob("*/login")]) == 1
    with private(tmp_path):
        assert [*tmp_path.glob("*/login")] == []
        assert (tmp_path / "theirs").exists()
    killed.wait()
