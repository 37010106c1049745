"""The check passes where all is well, leaves nothing behind, and names the step that fails."""

from __future__ import annotations

from conftest import Tester

KUBECTL = "KUBECONFIG=~/.local/state/todochat/todo/kubeconfig kubectl --namespace todo"
TAGS = "--tags app_check"


def rows(tester: Tester, sql: str) -> str:
    return tester.sees(f'docker exec todo-database psql --username=postgres --dbname=todo --tuples-only --no-align --command "{sql}"')


def test_no_account_is_left_not_even_that_of_a_check_that_was_killed(tester: Tester) -> None:
    assert rows(tester, "SELECT count(*) FROM users") == "0"
    assert rows(tester, "SELECT count(*) FROM todos") == "0"


def test_other_accounts_are_left_alone(tester: Tester) -> None:
    rows(tester, "INSERT INTO users (id, email, password_hash) VALUES (gen_random_uuid(), 'someone@example.com', 'x')")
    passed, output = tester.up(TAGS)
    assert passed, output
    assert rows(tester, "SELECT email FROM users") == "someone@example.com"


def test_a_database_that_is_away_is_named(tester: Tester) -> None:
    tester.sees("docker stop todo-database")
    tester.refused(TAGS, "todo-database", "is not running", "Run `make up`")
    tester.sees("docker start todo-database")
    tester.sees(f"{KUBECTL} wait --for=condition=Available --timeout=120s deployment/backend deployment/frontend")


def test_what_was_built_and_not_rolled_out_is_named(tester: Tester) -> None:
    tester.sees("echo '# edited' >> todochat/apps/backend/src/todo_backend/text.py")
    passed, output = tester.up("--tags app_images")
    assert passed, output
    tester.refused(TAGS, "What runs is not what was built", "app_release")
