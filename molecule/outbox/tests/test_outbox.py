"""Of the backend's changes none gets lost on its way to a Kafka broker, and none counts twice, though the relay between them is killed."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
from conftest import OUTPUT, SYSTEM, Tester
from testinfra.host import Host

CHANGES, DEATHS = 10_000, 5
CHECKOUT = "/home/tester/todochat"
OUTBOX = "bench/outbox"
INSTALL = """
export DEBIAN_FRONTEND=noninteractive
apt-get -qq update
apt-get -qq install --no-install-recommends default-jre-headless maven postgresql python3-venv > /dev/null
su postgres --command 'createuser --superuser tester'
"""
LOCKS = (f"{CHECKOUT}/apps/backend/requirements.txt", f"{CHECKOUT}/{OUTBOX}/requirements.txt")
PIP = "~/outbox/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes"
# By a socket, where PostgreSQL knows who asks.
RUN = (
    f"cd {CHECKOUT} && TEST_DATABASE_URL=postgresql:///postgres?host=/run/postgresql PYTHONPATH=apps/backend/src"
    f" ~/outbox/bin/python {OUTBOX}/scenario.py {CHANGES} {DEATHS}"
)
COUNTED = r"^(\d+) changes; the relay died (\d+) times, (\d+) of them between telling and noting it; (\d+) messages told again$"
NOTHING_WRONG = "0 lost, 0 doubled effects, 0 that no change stands behind, 0 out of their user's order"


@pytest.fixture
def said(host: Host, tester: Tester) -> str:
    """What bench/outbox says at its end, with a PostgreSQL and a broker of its own."""
    host.check_output("sh -ec %s", INSTALL)
    # Maven's mirrors, where this machine has some.
    if (settings := Path.home() / ".m2/settings.xml").is_file():
        keep = ["docker", "exec", "-i", "--user=tester", SYSTEM, "sh", "-ec", "umask 077; mkdir /home/tester/.m2; cat > /home/tester/.m2/settings.xml"]
        subprocess.run(keep, input=settings.read_bytes(), check=True)
    tester.sees(f"python3 -m venv ~/outbox && {PIP} {' '.join(f'--requirement {lock}' for lock in LOCKS)}")
    result = host.run("su --login tester --command %s", f"{{ {RUN}; }} 2>&1")
    OUTPUT.mkdir(exist_ok=True)
    (OUTPUT / f"{SYSTEM}-said.log").write_text(result.stdout, encoding="utf-8")
    assert result.succeeded, result.stdout[-8000:]
    return str(result.stdout)


def test_no_change_is_lost_and_none_counts_twice(said: str, capsys: pytest.CaptureFixture[str]) -> None:
    with capsys.disabled():
        print(said)
    found = re.search(COUNTED, said, re.MULTILINE)
    assert found, said
    changes, died, between, again = map(int, found.groups())
    assert changes >= CHANGES
    assert died >= between >= DEATHS
    assert again > 0, "then nothing came twice that could have counted twice"
    assert NOTHING_WRONG in said.splitlines()
