#!/usr/bin/env python3
"""How many everyday requests the built-in assistant gets right: apps/backend/tests/test_utterances.py on a real PostgreSQL.

It runs all of the backend's tests, in Docker; `python3 bootstrap --test -- python bench/utterances.py`.
"""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def main() -> int:
    run = subprocess.run([sys.executable, "tests/run.py", "backend"], cwd=ROOT, stdout=subprocess.PIPE, text=True, check=False)
    print("\n".join(line for line in run.stdout.splitlines() if line.startswith("utterances")) or run.stdout)
    return run.returncode


if __name__ == "__main__":
    sys.exit(main())
