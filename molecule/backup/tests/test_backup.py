"""A backup holds what was there, and a restore brings it back to a running application, or leaves everything as it is.

The order matters. Whoever starts a process meanwhile is seen: no password may show in one, nor in what is printed or logged.
"""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
import urllib.parse
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import elsewhere
import pytest
from conftest import Tester
from testinfra.host import Host

PROJECT = Path(__file__).resolve().parents[3]
SYSTEM = "todochat-backup"
BACKUPS = "/home/tester/.local/state/todochat/todo/backups"
SCHEDULE = "todochat-todo-backup"
PROCESSES = "/root/processes"
# Enough that a restore has a middle.
MESSAGES = 200_000
KUBECTL = "KUBECONFIG=/home/tester/.local/state/todochat/todo/kubeconfig /opt/todochat/bin/kubectl --namespace todo"
# Returns when the application's database has begun to take rows in from pg_restore, which is stopped there.
MIDDLE = """
pg_restore="-f [p]g_restore.*file=-"
rows="SELECT 'taken in' FROM pg_stat_progress_copy WHERE command = 'COPY FROM'"
until pkill --signal=STOP $pg_restore; do sleep 0.01; done
until docker exec todo-database psql --username=postgres --dbname=todo --tuples-only --command "$rows" | grep --quiet taken; do
  pkill --signal=CONT $pg_restore; sleep 0.01; pkill --signal=STOP $pg_restore
done
"""
said: list[str] = []
"""All that was printed."""
made: dict[str, str] = {}
"""The backups, by what they are."""


def run(tester: Tester, target: str, arguments: str = "") -> tuple[bool, str]:
    passed, output = tester.make(target, arguments)
    said.append(output)
    return passed, output


def passes(tester: Tester, target: str, arguments: str = "") -> str:
    passed, output = run(tester, target, arguments)
    assert passed, output
    return output


def refused(task: str, tester: Tester, target: str, arguments: str, *phrases: str) -> None:
    """The command fails at that task with all of this in its last lines, and the database is as before."""
    before = content(tester.host)
    passed, output = run(tester, target, arguments)
    assert not passed, output
    end = " ".join(output[output.rindex("Failed: ") :].split())
    assert end.startswith(f"Failed: {task} (after"), end
    assert [phrase for phrase in ("Why: ", "What to do: ", *phrases) if phrase not in end] == [], output
    assert content(tester.host) == before


def sql(host: Host, text: str, container: str = "todo-database", database: str = "todo") -> str:
    """What PostgreSQL answers to its administrator."""
    psql = f"psql --username=postgres --dbname={database} --no-psqlrc --quiet --tuples-only --no-align --set=ON_ERROR_STOP=1"
    return str(host.check_output(f"docker exec {container} {psql} --command %s", text))


def give(script: str, stdin: str) -> None:
    """A script of root's gets something that only it may see."""
    done = subprocess.run(["docker", "exec", "-i", SYSTEM, "sh", "-c", script], input=stdin, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    said.append(done.stdout + done.stderr)


def content(host: Host) -> str:
    """All rows, owners and rights of the tables, as a hash; empty where the database is stopped.

    Not the sequences and the attempts to sign up, which each check of the application counts up, nor the conditions, which PostgreSQL writes in
    another way once restored.
    """
    tables = "pg_dump --username=postgres --schema=public --no-unlogged-table-data todo"
    dump = f"docker exec todo-database {tables} | grep -vE 'restrict|setval|CHECK' | sort | sha256sum"
    return str(host.run("bash -c %s", f"docker exec todo-database pg_isready --quiet && {dump}").stdout)


def visitor(host: Host, visit: str) -> None:
    """A visitor signs up and leaves a todo (`begin`), or finds it again (`return`)."""
    host.check_output(f"cd /home/tester/todochat && PYTHONPATH=.ansible/collections python3 molecule/site/visitor.py {visit}")


def pods(host: Host) -> Any:
    """The name of each pod that stays, with the restarts of its containers."""
    items = json.loads(host.check_output(f"{KUBECTL} get pods --output=json"))["items"]
    staying = [item for item in items if "deletionTimestamp" not in item["metadata"]]
    return {item["metadata"]["name"]: [one["restartCount"] for one in item["status"]["containerStatuses"]] for item in staying}


def workbenches(host: Host) -> str:
    """The throwaway containers that are still there, once they had time to go."""
    ask = "docker ps --all --quiet --filter name=todochat-backup-"
    return str(host.run("timeout 20 sh -c %s", f'while [ -n "$({ask})" ]; do sleep 0.2; done; {ask}').stdout)


def newest(host: Host, pattern: str = "todo-*Z.tar") -> str:
    return str(host.check_output(f"ls -t {BACKUPS}/{pattern} | head -1"))


@pytest.fixture(scope="module", autouse=True)
def _seen(host: Host) -> Iterator[None]:
    host.check_output(f"systemd-run --quiet --unit=sampler python3 /home/tester/todochat/molecule/vault/sampler.py {PROCESSES}")
    yield
    host.run("systemctl stop sampler")


def test_the_site_with_data(host: Host) -> None:
    visitor(host, "begin")
    sql(host, "CREATE ROLE reporter NOLOGIN; GRANT SELECT ON todos TO reporter")
    conversation = "INSERT INTO conversations (id, user_id) SELECT gen_random_uuid(), id FROM users RETURNING id"
    messages = f"SELECT id, 'user', md5(n::text) || n FROM one, generate_series(1, {MESSAGES}) AS n"
    sql(host, f"WITH one AS ({conversation}) INSERT INTO messages (conversation_id, role, content) {messages}")


def test_a_backup_is_announced_and_written_for_its_owner_alone(host: Host, tester: Tester) -> None:
    output = passes(tester, "backup", "--check")
    held = rf"conversations 1, messages {MESSAGES},.* todos 1,.* users 1"
    assert re.search(rf"would back up todo at \S+ \(.*{held}\) to {BACKUPS}/todo-\w+\.tar", output), output
    assert not host.file(BACKUPS).exists
    output = passes(tester, "backup")
    made["first"] = newest(host)
    assert f"Backup       {made['first']}" in output
    assert f"make restore FILE='{made['first']}'" in output
    assert host.check_output(f"stat --format='%a %U' {BACKUPS} {made['first']}").split() == ["700", "tester", "600", "tester"]
    assert host.check_output(f"ls -A {BACKUPS}").split() == [made["first"].rpartition("/")[2]]
    assert workbenches(host) == ""
    manifest = json.loads(host.check_output(f"tar -xOf {made['first']} manifest.json"))
    assert manifest["contents"]["revision"] == sql(host, "SELECT version_num FROM alembic_version")
    assert "/todo/backend@sha256:" in manifest["application"]
    # also without us
    assert "TABLE DATA public messages" in host.check_output(f"tar -xOf {made['first']} database.dump | docker exec -i todo-database pg_restore --list")


def test_data_is_replaced_only_where_the_database_is_named(host: Host, tester: Tester) -> None:
    task = "The backup is in the place of what was there"
    made["content"] = content(host)
    sql(host, "DELETE FROM users; INSERT INTO users (id, email, password_hash) VALUES (gen_random_uuid(), 'new@x.example', 'none')")
    refused("A file is named", tester, "restore", "", "No file is named", made["first"], "make restore FILE=PATH")
    refused(task, tester, "restore", f"-e file={made['first']}", "The database todo holds data", "users 1", "-e replace=todo")
    before = content(host)
    output = passes(tester, "restore", f"--check -e file={made['first']} -e replace=todo")
    assert "would be backed up to" in output
    assert "would be restored from" in output
    assert content(host) == before
    assert host.check_output(f"ls {BACKUPS}").split() == [made["first"].rpartition("/")[2]]


def test_a_restore_whose_pg_restore_is_killed_leaves_the_old_data(host: Host, tester: Tester) -> None:
    task = "The backup is in the place of what was there"
    give("cat > /root/middle", MIDDLE)
    host.check_output(
        "systemd-run --quiet --unit=killer bash -c %s", ". /root/middle; pkill --signal=KILL -x pg_restore; pkill --signal=CONT $pg_restore; true"
    )
    said_then = "The backup was not put in place: pg_restore ended with status 137"
    refused(task, tester, "restore", f"-e file={made['first']} -e replace=todo", said_then, "Nothing was changed")
    assert host.run("systemctl is-active killer").stdout.strip() == "inactive"
    assert workbenches(host) == ""


def test_a_broken_off_run_leaves_the_old_data_and_the_next_one_restores(host: Host, tester: Tester) -> None:
    before, running = content(host), pods(host)
    command = f"make restore FILE={made['first']} ARGS='-e replace=todo'"
    broken_off = [sys.executable, str(PROJECT / "molecule/shared/break_off.py"), SYSTEM, command, "bash /root/middle"]
    done = subprocess.run(broken_off, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert workbenches(host) == ""
    assert content(host) == before

    output = passes(tester, "restore", f"-e file={made['first']} -e replace=todo")
    assert content(host) == made["content"]
    made["undo"] = newest(host, "*-before-restore.tar")
    assert f"Undo         make restore FILE='{made['undo']}' ARGS='-e replace=todo'" in output
    assert "Open         http" in output
    visitor(host, "return")
    assert pods(host) == running
    assert sql(host, "SELECT has_table_privilege('reporter', 'todos', 'SELECT'), tableowner FROM pg_tables WHERE tablename = 'todos'") == "t|todo_owner"


def test_the_undo_brings_back_what_was_there(host: Host, tester: Tester) -> None:
    passes(tester, "restore", f"-e file={made['undo']} -e replace=todo")
    assert sql(host, "SELECT email FROM users") == "new@x.example"


def test_a_backup_under_writes_is_one_moment_and_refused_where_the_application_does_not_know_its_schema(host: Host, tester: Tester) -> None:
    task = "The backup is in the place of what was there"
    known = sql(host, "SELECT version_num FROM alembic_version")
    sql(host, "UPDATE alembic_version SET version_num = 'newer'")
    user = "INSERT INTO users (id, email, password_hash) VALUES (gen_random_uuid(), gen_random_uuid() || '@writer.example', 'none')"
    loop = f"DO $$ BEGIN LOOP {user}; COMMIT; PERFORM pg_sleep(0.01); END LOOP; END $$"
    writer = "docker exec --env=PGAPPNAME=writer todo-database psql --username=postgres --dbname=todo --command"
    host.check_output(f"systemd-run --quiet --collect --unit=writer {writer} %s", loop.replace("$$", "$$$$"))  # systemd makes one of two
    # Relative to the checkout, with a space, in a folder that is not there.
    host.check_output("su --login tester --command %s", "cd todochat && make backup FILE='my backups/newer.tar'")
    assert sql(host, "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name = 'writer'") == "1"
    held = json.loads(host.check_output("tar -xOf %s manifest.json", "/home/tester/todochat/my backups/newer.tar"))["contents"]["tables"]["users"]
    assert 1 < int(held.split()[0]) < int(sql(host, "SELECT count(*) FROM users"))
    sql(host, f"DELETE FROM users WHERE email LIKE '%@writer.example'; UPDATE alembic_version SET version_num = '{known}'")
    newer = json.dumps({"file": "my backups/newer.tar", "replace": "todo"})
    refused(task, tester, "restore", f"-e {shlex.quote(newer)}", "The backup's schema is newer", f"it knows {known}", "Deploy the version that made the backup")


def test_what_is_not_what_was_written_is_refused_and_taken_back(host: Host, tester: Tester) -> None:
    task = "The backup is in the place of what was there"
    host.check_output(f"cp -p {made['first']} {BACKUPS}/damaged.tar && printf x | dd of={BACKUPS}/damaged.tar bs=1 seek=5000 conv=notrunc")
    refused(task, tester, "restore", f"-e file={BACKUPS}/damaged.tar -e replace=todo", "damaged.tar is damaged", "Use another backup")
    # One row more than will come out of the dump.
    host.check_output(f'cd /root && tar -xf {made["first"]} && sed -i \'s/"todos": "1 /"todos": "2 /\' manifest.json')
    host.check_output(f"cd /root && tar -cf {BACKUPS}/other.tar database.dump manifest.json && rm database.dump manifest.json")
    refused(task, tester, "restore", f"-e file={BACKUPS}/other.tar -e replace=todo", "is not what went into it, and was taken back: todos (2 ")


def test_a_backup_that_cannot_be_written_or_read_leaves_nothing(host: Host, tester: Tester) -> None:
    task = "A backup is written, and proven by restoring it"
    host.check_output("install -d -o tester /mnt/small && mount -t tmpfs -o size=64k,uid=tester tmpfs /mnt/small")
    refused(task, tester, "backup", "-e file=/mnt/small/todo.tar", "/mnt/small has", "are needed", "Free space there")
    assert host.check_output("ls -A /mnt/small") == ""
    files = host.check_output(f"ls -A {BACKUPS}")

    host.check_output("docker stop todo-database")
    refused(task, tester, "backup", "", "cannot be reached", "make start")
    host.check_output("docker start todo-database")
    host.check_output("timeout 60 sh -c 'until docker exec todo-database pg_isready --quiet --host=127.0.0.1; do sleep 0.2; done'")

    sql(host, "ALTER ROLE todo_app PASSWORD 'another one'")
    refused(task, tester, "backup", "", "does not take the vault's password", "Put the vault back", "database_reset_password=true")
    assert host.check_output(f"ls -A {BACKUPS}") == files
    passes(tester, "up", "--tags database -e database_reset_password=true")


def test_a_drill_names_the_backup_that_it_tried(host: Host, tester: Tester) -> None:
    task = "The backup is restored for a trial"
    assert f"would restore for a trial: {made['undo']}" in " ".join(passes(tester, "drill", f"--check -e file={made['undo']}").split())
    output = tester.sees(f"cd todochat && make drill FILE={made['first']} 2>&1")
    assert re.search(rf"The drill passed: {made['first']}, \d+ \w+ old, holds .*messages {MESSAGES},.* users 1; all of it came back in \d+ \w+", output), output
    assert tester.changed() == []
    assert workbenches(host) == ""
    refused(task, tester, "drill", f"-e file={BACKUPS}/damaged.tar", "damaged.tar is damaged")
    refused(task, tester, "drill", f"-e file={BACKUPS}/other.tar", "other.tar did not pass", "is not what went into it: todos (2 ")
    newer = json.dumps({"file": "my backups/newer.tar"})
    refused(task, tester, "drill", f"-e {shlex.quote(newer)}", "The backup's schema is newer")


def test_a_schedule_takes_backups_tries_each_and_keeps_as_many_as_it_was_told(host: Host, tester: Tester) -> None:
    task = "The schedule is as asked"
    assert host.run(f"systemctl cat {SCHEDULE}.timer").rc != 0  # nobody has asked for one
    refused(task, tester, "schedule", "-e every=nightly", "every=nightly is none of hourly, daily, weekly, monthly, off")
    refused("A backup is written, and proven by restoring it", tester, "backup", "-e keep=none", "keep=none is not how many backups are to stay")
    assert f"{SCHEDULE} would run daily as tester, and keeps 7 backups" in passes(tester, "schedule", "--check")
    assert host.run(f"systemctl cat {SCHEDULE}.timer").rc != 0
    passes(tester, "schedule", "-e every=weekly -e keep=2")
    passes(tester, "schedule", "-e every=weekly -e keep=2")
    assert tester.changed() == []
    assert f"{SCHEDULE}.timer" in host.check_output("systemctl list-timers")

    asked_for = host.check_output(f"ls {BACKUPS}").split()
    seen = []
    for _ in range(3):
        host.check_output(f"systemctl start {SCHEDULE}")
        seen.append(newest(host, "*-scheduled.tar"))
    assert host.check_output(f"ls {BACKUPS}/*-scheduled.tar").split() == seen[1:]
    assert set(host.check_output(f"ls {BACKUPS}").split()) >= set(asked_for)
    assert host.check_output(f"stat --format='%a %U' {seen[2]}") == "600 tester"
    journal = " ".join(host.check_output(f"journalctl --unit={SCHEDULE} --output=cat --no-pager").split())
    assert [file for file in seen if f"The drill passed: {file}, " not in journal] == []
    assert re.search("Backups +weekly, the last run .*", passes(tester, "status"))

    host.check_output("docker stop todo-database")
    assert host.run(f"systemctl start {SCHEDULE}").rc != 0
    assert "which failed: journalctl" in " ".join(passes(tester, "status").split())
    host.check_output("docker start todo-database")
    host.check_output("timeout 60 sh -c 'until docker exec todo-database pg_isready --quiet --host=127.0.0.1; do sleep 0.2; done'")
    passes(tester, "backup", "-e keep=2")
    assert host.check_output(f"ls {BACKUPS}/*-scheduled.tar").split() == [seen[2], newest(host, "*-scheduled.tar")]

    passes(tester, "schedule", "-e every=off")
    assert host.run(f"systemctl cat {SCHEDULE}.timer").rc != 0
    assert "Backups" not in passes(tester, "status")
    assert len(host.check_output(f"ls {BACKUPS}/*-scheduled.tar").split()) == 2


def test_another_database_is_reached_by_tls_with_this_machines_certificates(host: Host, tester: Tester) -> None:
    said.append(elsewhere.start())
    edit = "cd todochat && make vault DO=edit ARGS='-e secret=database_url'"
    give(f"su --login tester --command {shlex.quote(edit)}", elsewhere.URL + "\n")
    passed, output = run(tester, "backup")
    assert not passed
    assert "has a certificate that is not trusted here" in " ".join(output.split()), output

    host.check_output(f"cp {elsewhere.AUTHORITY} /usr/local/share/ca-certificates/elsewhere.crt && update-ca-certificates")
    passes(tester, "backup")
    made["nothing"] = newest(host)
    output = passes(tester, "restore", f"-e file={made['first']}")
    assert "The rights of other roles were left out, as this server has no role reporter" in output
    assert sql(host, "SELECT count(*) FROM messages", "elsewhere", "away") == str(MESSAGES)
    assert sql(host, "SELECT DISTINCT tableowner FROM pg_tables WHERE schemaname = 'public'", "elsewhere", "away") == "away"
    give(f"su --login tester --command {shlex.quote(edit)}", "\n")


def test_an_older_schema_is_brought_up_by_the_backends_next_start(host: Host, tester: Tester) -> None:
    """A backup of a database without any table, and then the first one again."""
    before = pods(host)
    output = passes(tester, "restore", f"-e file={made['nothing']} -e replace=todo")
    assert "brings the older schema up to its own" in output
    assert sql(host, "SELECT count(*) FROM users") == "0"
    assert not {name for name in before if name.startswith("backend")} & set(pods(host))
    passes(tester, "restore", f"-e file={made['first']}")
    assert content(host) == made["content"]
    visitor(host, "return")


def test_no_password_shows_anywhere(host: Host, tester: Tester) -> None:
    host.check_output("systemctl stop sampler")
    assert int(host.check_output(f"grep --count 'pg_dump.*service=database' {PROCESSES}")) > 0
    vault = tester.vault()
    logs = host.check_output(
        "for name in todo-database elsewhere; do docker logs $name 2>&1; done; journalctl --no-pager; cat /home/tester/.local/state/todochat/events.jsonl"
    )
    for name, value in {"the vault's": vault["vault_database_password"], "the other one's": elsewhere.PASSWORD}.items():
        for form in {value, urllib.parse.quote(value, safe=""), value.replace("'", "''")}:
            assert form not in "\n".join(said), f"{name} password is printed"
            assert form not in logs, f"{name} password is logged"
            seen = host.run(f"grep --fixed-strings --count --regexp=%s {PROCESSES}", form).stdout
            assert int(seen) == 0 or form == "", f"{name} password was in a process"
