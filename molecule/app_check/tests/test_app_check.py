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


def test_what_is_not_available_is_named(tester: Tester) -> None:
    tester.sees("docker stop todo-database")
    tester.refused(TAGS, "backend: 0 of 2 pods are available")
    tester.sees("docker start todo-database")
    tester.sees(f"{KUBECTL} wait --for=condition=Available --timeout=120s deployment/backend deployment/frontend")


def test_a_pod_that_runs_another_image_is_named(tester: Tester) -> None:
    image = tester.kubectl("get deployment backend")["spec"]["template"]["spec"]["containers"][0]["image"]
    tester.sees(f"{KUBECTL} set image deployment/frontend frontend={image} && {KUBECTL} rollout pause deployment/frontend")
    tester.refused(TAGS, "What runs is not what was built", image.split("@")[1], "app_release")
