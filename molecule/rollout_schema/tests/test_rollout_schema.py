"""What a rollback does about the database's schema: it goes on with a newer one that leaves room, and else brings the data of before."""

from __future__ import annotations

from pathlib import Path

from deployed import CHECKOUT, PROJECT, RELEASES, Deployment
from old_pods import assert_old_pods_serve

pytest_plugins = ["deployed"]
SOURCE = "apps/backend/src/todo_backend"
VERSIONS = f"{SOURCE}/migrations/versions"
BUILD = "--tags app_images,app_release,app_check"
BACKUPS = "/home/tester/.local/state/todochat/todo/backups"
HEAD = max(path.name[:4] for path in (PROJECT / VERSIONS).glob("0*.py"))
WITH_ROOM, WITHOUT_ROOM = f"{int(HEAD) + 1:04}", f"{int(HEAD) + 2:04}"
MIGRATION = '''"""A migration of this test's."""

import sqlalchemy as sa
from alembic import op

revision = "{revision}"
down_revision = "{before}"
branch_labels = None
depends_on = None
breaks_previous = {breaks}


def upgrade() -> None:
    """Apply."""
    op.add_column("todos", sa.Column("of_{revision}", sa.Text()))
'''


def migrate(deployment: Deployment, revision: str, before: str, breaks: bool) -> None:
    """The sources have one migration more."""
    deployment.give(f"{CHECKOUT}/{VERSIONS}/{revision}_of_a_test.py", MIGRATION.format(revision=revision, before=before, breaks=breaks))


def sql(deployment: Deployment, text: str) -> str:
    psql = "docker exec todo-database psql --username=postgres --dbname=todo --no-psqlrc --quiet --tuples-only --no-align"
    return str(deployment.host.check_output(f"{psql} --command %s", text))


def images(deployment: Deployment) -> list[set[str]]:
    return [set(deployment.pods(release).values()) for release in RELEASES]


def visitor(deployment: Deployment, visit: str) -> None:
    """A visitor signs up and leaves a todo (`begin`), or finds it as it was (`return`)."""
    deployment.passes(f"PYTHONPATH=.ansible/collections python3 molecule/site/visitor.py {visit}")


def backups(deployment: Deployment, pattern: str) -> set[str]:
    found = deployment.host.run("sh -c %s", f"ls {BACKUPS}/{pattern}").stdout.split()
    return {Path(name).name for name in found}


def without_a_backup_nothing_is_rolled_out(deployment: Deployment) -> None:
    before = images(deployment)
    deployment.host.check_output(f"[ ! -d {BACKUPS} ] || mv {BACKUPS} {BACKUPS}.kept; touch {BACKUPS}")
    passed, output = deployment.run(f'make up ARGS="{BUILD}"')
    deployment.host.check_output(f"rm {BACKUPS}; [ ! -d {BACKUPS}.kept ] || mv {BACKUPS}.kept {BACKUPS}")
    assert not passed, output
    end = " ".join(output[output.rindex("Failed: ") :].split())
    assert "The database is backed up before it is migrated" in end
    assert BACKUPS in end
    assert images(deployment) == before


def test_older_code_goes_on_with_a_newer_schema_that_leaves_room_for_it(deployment: Deployment) -> None:
    before, had = images(deployment), backups(deployment, "todo-*-before-[0-9]*.tar")
    migrate(deployment, WITH_ROOM, HEAD, breaks=False)
    with deployment.load("schema-with-room", per_second=1.5):  # what two pods bear on two cores beside a build and a roll-back
        without_a_backup_nothing_is_rolled_out(deployment)
        deployment.up(BUILD)
        assert images(deployment)[0] != before[0]
        output = deployment.passes("make rollback")
    assert "again, at http://127.0.0.1:30000" in output
    assert images(deployment) == before
    assert sql(deployment, "SELECT version_num FROM alembic_version") == WITH_ROOM
    assert len(backups(deployment, "todo-*-before-[0-9]*.tar") - had) == 1


def test_an_upgrade_that_fails_and_has_left_no_room_is_not_taken_back_and_the_way_is_named(deployment: Deployment) -> None:
    before = deployment.all_pods()
    visitor(deployment, "begin")
    migrate(deployment, WITHOUT_ROOM, WITH_ROOM, breaks=True)
    deployment.give(f"{CHECKOUT}/{SOURCE}/__main__.py", 'raise SystemExit("broken on purpose")\n')
    passed, output = deployment.run(f'make up ARGS="{BUILD}"')
    assert not passed, output
    end = " ".join(output[output.rindex("Failed: ") :].split())
    for words in ("The rollout of backend fails: ", "was not put back: ", f"schema is {WITHOUT_ROOM}", "-e restore=true"):
        assert words in end
    assert_old_pods_serve(deployment, before, besides=1)
    sql(deployment, "UPDATE todos SET title = 'written since' WHERE title = 'survive the reboot'")


def test_code_that_cannot_work_with_the_schema_is_refused_before_anything_is_touched(deployment: Deployment) -> None:
    before = deployment.all_pods()
    passed, output = deployment.run("make rollback")
    assert not passed
    assert "cannot serve with this database" in output
    assert "-e restore=true" in output
    output = deployment.passes("make rollback ARGS='--check -e restore=true'")
    assert "would: release backend is stopped, and the database restored from" in output
    assert_old_pods_serve(deployment, before)


def test_told_to_it_brings_the_data_of_before_and_keeps_what_was_there(deployment: Deployment) -> None:
    deployment.passes("make rollback ARGS='-e restore=true'")
    visitor(deployment, "return")
    assert sql(deployment, "SELECT version_num FROM alembic_version") == WITH_ROOM
    assert len(backups(deployment, "todo-*-before-restore.tar")) == 1
    deployment.settle()


def test_what_runs_then_is_what_these_sources_say(deployment: Deployment) -> None:
    deployment.passes(f"rm {VERSIONS}/*_of_a_test.py")
    deployment.give(f"{CHECKOUT}/{SOURCE}/__main__.py", (PROJECT / SOURCE / "__main__.py").read_text(encoding="utf-8"))
    pods = deployment.all_pods()
    assert "changed=0" in deployment.up("")
    assert deployment.all_pods() == pods
