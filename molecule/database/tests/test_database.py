"""The application's login works with the vault's password, two logins take turns, and data stays."""

from __future__ import annotations

import json
import urllib.parse
from typing import Any

import pytest
from conftest import Tester
from neighbour import neighbour, reached
from testinfra.host import Host

__all__ = ["neighbour"]


def ask(tester: Tester, sql: str, vault: dict[str, Any] | None = None) -> str:
    """What PostgreSQL answers to the login of a vault, that in force where none is given, over TCP and with the vault's password."""
    vault = vault or tester.vault()
    password = urllib.parse.quote(vault["vault_database_password"], safe="")
    url = f"postgresql://{vault.get('vault_database_login', 'todo_app')}:{password}@127.0.0.1/todo"
    return tester.sees(f"docker exec todo-database psql '{url}' --tuples-only --no-align --quiet --command \"{sql}\"")


def alter(tester: Tester, login: str, what: str) -> None:
    tester.sees(f'docker exec todo-database psql --quiet --username=postgres --command "ALTER ROLE {login} {what}"')


def over_the_network(tester: Tester, login: str, password: str, database: str) -> str:
    """What one who is beside it in its network is told who asks who they are."""
    url = f"postgresql://{login}:{urllib.parse.quote(password, safe='')}@192.168.85.251/{database}"
    beside = "docker run --rm --pull never --network todo --entrypoint psql $(docker inspect --format '{{.Config.Image}}' todo-database)"
    return tester.sees(f"{beside} '{url}' --tuples-only --no-align --command 'SELECT session_user' 2>&1 || true")


def lock(tester: Tester) -> str:
    """What the playbook prints that locks the other login."""
    return tester.sees("cd todochat && python3 bootstrap -- ansible-playbook molecule/database/lock.yml 2>&1")


def test_the_application_can_make_tables_and_the_owner_has_them(tester: Tester) -> None:
    ask(tester, "CREATE TABLE notes (text text); INSERT INTO notes VALUES ('kept')")
    assert ask(tester, "SELECT tableowner FROM pg_tables WHERE tablename = 'notes'") == "todo_owner"


def test_data_outlives_the_container(tester: Tester) -> None:
    ask(tester, "CREATE TABLE IF NOT EXISTS kept AS SELECT 'here' AS text")
    tester.sees("docker rm --force todo-database")
    passed, output = tester.up("--tags database")
    assert passed, output
    assert ask(tester, "SELECT text FROM kept") == "here"


def test_it_comes_back_after_a_restart_of_docker(host: Host, tester: Tester) -> None:
    host.check_output("systemctl restart docker")
    tester.sees("timeout 60 sh -c 'until docker exec todo-database pg_isready --quiet --host=127.0.0.1; do sleep 0.2; done'")
    assert ask(tester, "SELECT 1") == "1"


def test_nothing_of_it_is_published(tester: Tester) -> None:
    assert tester.sees("docker port todo-database") == ""


def test_it_may_little_and_what_it_writes_is_bounded(tester: Tester) -> None:
    found = json.loads(tester.sees("docker inspect --format '{{json .HostConfig}}' todo-database"))
    assert (found["CapDrop"], found["CapAdd"] or [], found["SecurityOpt"], found["ReadonlyRootfs"]) == (["ALL"], [], ["no-new-privileges:true"], True)
    assert tester.sees("docker exec todo-database sed --quiet 's/^Cap[PE].*:.//p; s/^[UG]id:.//p' /proc/1/status").split() == ["70"] * 8 + ["0" * 16] * 2
    assert found["Memory"] > 0
    assert found["PidsLimit"] > 0
    assert found["LogConfig"]["Config"].keys() == {"max-size", "max-file"}


def test_over_the_network_the_applications_logins_alone_come_in_and_into_its_database(tester: Tester) -> None:
    vault = tester.vault()
    login, password = vault.get("vault_database_login", "todo_app"), vault["vault_database_password"]
    # one that is nobody's but has a password, and the superuser, whose password is made known for this
    psql = "docker exec todo-database psql --quiet --username=postgres --command"
    tester.sees(f"{psql} \"CREATE ROLE stranger LOGIN PASSWORD 'known'\" && {psql} \"ALTER ROLE postgres PASSWORD 'known'\"")
    assert over_the_network(tester, login, password, "todo") == login
    for who in (("postgres", "known", "todo"), ("postgres", "known", "postgres"), ("stranger", "known", "todo"), (login, password, "postgres")):
        assert "no pg_hba.conf entry" in over_the_network(tester, *who), who[::2]
    tester.sees(f"{psql} 'ALTER ROLE postgres PASSWORD NULL' && {psql} 'DROP ROLE stranger'")


def test_the_rules_of_a_volume_from_before_are_replaced(tester: Tester) -> None:
    rules = "/var/lib/postgresql/data/pgdata/pg_hba.conf"
    alter(tester, "postgres", "PASSWORD 'known'")
    tester.sees(f"docker exec todo-database sh -c 'echo host all all all scram-sha-256 >> {rules}' && docker restart todo-database")
    tester.sees("timeout 60 sh -c 'until docker exec todo-database pg_isready --quiet --host=127.0.0.1; do sleep 0.2; done'")
    assert over_the_network(tester, "postgres", "known", "todo") == "postgres"
    passed, output = tester.up("--tags database")
    assert passed, output
    assert "no pg_hba.conf entry" in over_the_network(tester, "postgres", "known", "todo")
    tester.up_changes_nothing("--tags database")
    alter(tester, "postgres", "PASSWORD NULL")


def test_no_container_of_another_network_reaches_it(tester: Tester) -> None:
    image = tester.sees("docker inspect --format '{{.Config.Image}}' todo-database")
    asks = f"--rm --pull never --entrypoint pg_isready {image} --host=192.168.85.251 --timeout=3"
    tester.sees("docker network create other")
    assert "accepting connections" in tester.sees(f"docker run --network todo {asks}")
    assert "no response" in tester.sees(f"docker run --network other {asks} || true")
    tester.sees("docker network rm other")


def test_no_machine_of_the_network_reaches_it_which_routes_its_address_by_this_one(host: Host, neighbour: str) -> None:
    """On a machine that forwarded nothing before Docker began, as a fresh one; this system is told by the one around it."""
    host.check_output("sysctl --quiet --write net.ipv4.ip_forward=0 && systemctl restart docker")
    host.check_output("timeout 60 sh -c 'until docker exec todo-database pg_isready --quiet --host=127.0.0.1; do sleep 0.2; done'")
    assert reached(host, "", 5432, "192.168.85.251") == ["192.168.85.251"]
    assert reached(host, neighbour, 5432, "192.168.85.251") == []


def test_two_logins_take_turns(tester: Tester) -> None:
    for used in ("todo_app_2", "todo_app"):
        before = tester.vault()
        passed, output = tester.make("vault DO=rotate", "-e secret=database_password")
        assert passed, output
        after = tester.vault()
        assert after["vault_database_login"] == used
        assert ask(tester, "SELECT 1", before) == "1"
        passed, output = tester.up("--tags database")
        assert passed, output
        tester.up_changes_nothing("--tags database")
        # until the one before is locked, both have what is there
        assert [ask(tester, "SELECT session_user, current_user", vault) for vault in (before, after)] == [
            f"{vault.get('vault_database_login', 'todo_app')}|todo_owner" for vault in (before, after)
        ]
        assert "changed=1 " in lock(tester)
        assert "changed=0 " in lock(tester)
        assert ask(tester, "SELECT 1") == "1"
        with pytest.raises(AssertionError, match="password authentication failed"):
            ask(tester, "SELECT 1", before)


def test_a_login_in_use_keeps_its_password_and_another_gets_the_vaults(tester: Tester) -> None:
    login = tester.vault()["vault_database_login"]
    alter(tester, login, "PASSWORD 'somebody uses it'")
    tester.refused("--tags database", f"{login} has another password", "database_reset_password=true")
    alter(tester, login, "NOLOGIN")
    passed, output = tester.up("--tags database")
    assert passed, output
    assert ask(tester, "SELECT 1") == "1"


def test_the_password_is_reset_when_that_is_asked_for(tester: Tester) -> None:
    tester.sees("mv ~/.config/todochat ~/.config/kept")
    tester.refused("--tags database", "database_reset_password=true")
    passed, output = tester.up("--tags database -e database_reset_password=true")
    assert passed, output
    assert ask(tester, "SELECT 1") == "1"
    assert tester.vault()["vault_database_password"] not in output
