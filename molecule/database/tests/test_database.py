"""The application's login works with the vault's password, and data stays."""

from __future__ import annotations

import urllib.parse

from conftest import Tester
from testinfra.host import Host


def ask(tester: Tester, sql: str) -> str:
    """What PostgreSQL answers to the application's own login, over TCP and with the vault's password."""
    password = urllib.parse.quote(tester.vault()["vault_database_password"], safe="")
    url = f"postgresql://todo_app:{password}@127.0.0.1/todo"
    return tester.sees(f"docker exec todo-database psql '{url}' --tuples-only --no-align --quiet --command \"{sql}\"")


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


def test_the_password_is_reset_when_that_is_asked_for(tester: Tester) -> None:
    tester.sees("mv ~/.config/todochat ~/.config/kept")
    tester.refused("--tags database", "database_reset_password=true")
    passed, output = tester.up("--tags database -e database_reset_password=true")
    assert passed, output
    assert ask(tester, "SELECT 1") == "1"
    assert tester.vault()["vault_database_password"] not in output
