#!/usr/bin/env python3
"""How many everyday requests a language model gets right, through the application's own tools: prints those that it does not, and the score.

    evaluation.py URL MODEL [COUNT]    the key is read from standard input; COUNT requests of the 200 that nobody has looked at, all without it

Each is said to the backend in a container, with a PostgreSQL of its own; the provider sees the requests and a made-up list of 12 todos, and
counts the tokens of one or more requests for each:
`python3 bootstrap --test -- python bench/evaluation.py https://api.groq.com/openai/v1 openai/gpt-oss-120b < key`
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CERTIFICATES = "/etc/ssl/certs/ca-certificates.crt"
INSIDE = "/run/certificates.crt"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("url")
    parser.add_argument("model")
    parser.add_argument("count", type=int, nargs="?", default=200)
    given = parser.parse_args()
    if given.count < 1:
        parser.error(f"COUNT is 1 or more, not {given.count}")
    key = sys.stdin.readline().strip()
    if not key:
        parser.error("no key on standard input: give a line of it, as in `... < key`; for a server that asks for none make one up")
    sys.path.insert(0, str(ROOT / "tests"))
    import run

    run.prepare()
    asked = json.dumps({"url": given.url, "model": given.model, "count": given.count, "key": key})
    # a company's own authority signs what its proxy lets through
    options = [f"--volume={CERTIFICATES}:{INSIDE}:ro", f"--env=SSL_CERT_FILE={INSIDE}"] if Path(CERTIFICATES).is_file() else []
    tests = ("python3", "-m", "pytest", "--no-cov", "-q", "tests/test_evaluation.py", "-k", "test_a_provider")
    run.run_backend_tests("bridge", *tests, options=options, evaluation=asked)


if __name__ == "__main__":
    main()
