"""Notes, dates, priority, numbers and versions of todos; changes, confirmations and turns; sessions and throttling.

Additive: code made for 0002 goes on working with it, during a rollout and after a rollback. It names no number and no
version, so the database gives them, whoever writes.
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision: str = "0003"
down_revision: str | None = "0002"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None
breaks_previous: bool = False

NUMBERED = """
CREATE FUNCTION todo_written() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' AND NEW.number IS NULL THEN
        UPDATE users SET last_number = last_number + 1 WHERE id = NEW.user_id RETURNING last_number INTO NEW.number;
        NEW.number := COALESCE(NEW.number, 0); -- there is no such user: the foreign key says so
    ELSIF TG_OP = 'UPDATE' THEN
        NEW.version := OLD.version + 1;
    END IF;
    RETURN NEW;
END
$$
"""


def upgrade() -> None:
    """Apply."""
    op.add_column("users", sa.Column("last_number", sa.Integer(), server_default="0", nullable=False))
    op.add_column("users", sa.Column("time_zone", sa.String(length=64), server_default="UTC", nullable=False))
    op.add_column("users", sa.Column("password_changed_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("todos", sa.Column("number", sa.Integer(), nullable=True))
    op.add_column("todos", sa.Column("version", sa.Integer(), server_default="1", nullable=False))
    op.add_column("todos", sa.Column("notes", sa.Text(), server_default="", nullable=False))
    op.add_column("todos", sa.Column("priority", sa.SmallInteger(), server_default="0", nullable=False))
    op.add_column("todos", sa.Column("due_on", sa.Date(), nullable=True))
    op.add_column("todos", sa.Column("due_at", sa.Time(), nullable=True))
    op.add_column("todos", sa.Column("due_zone", sa.String(length=64), nullable=True))
    op.execute(
        "UPDATE todos SET number = counted.number FROM (SELECT id, row_number() OVER "
        "(PARTITION BY user_id ORDER BY created_at, id) AS number FROM todos) AS counted WHERE todos.id = counted.id"
    )
    op.execute(
        "UPDATE users SET last_number = counted.last FROM (SELECT user_id, max(number) AS last FROM todos "
        "GROUP BY user_id) AS counted WHERE users.id = counted.user_id"
    )
    op.alter_column("todos", "number", nullable=False)
    op.create_check_constraint(op.f("ck_todos_priority"), "todos", "priority BETWEEN 0 AND 3")
    op.create_check_constraint(op.f("ck_todos_due"), "todos", "(due_at IS NULL OR due_on IS NOT NULL)")
    op.create_index(op.f("ix_todos_user_id_number"), "todos", ["user_id", "number"], unique=True)
    op.create_index(
        "ix_todos_user_id_due",
        "todos",
        [
            "user_id",
            sa.text("COALESCE(due_on, 'infinity'::date)"),
            sa.text("COALESCE(due_at, '24:00:00'::time without time zone)"),
            "number",
        ],
    )
    op.create_index(
        "ix_todos_user_id_priority",
        "todos",
        [
            "user_id",
            sa.text("priority DESC"),
            sa.text("COALESCE(due_on, 'infinity'::date)"),
            sa.text("COALESCE(due_at, '24:00:00'::time without time zone)"),
            "number",
        ],
    )
    op.create_index("ix_todos_user_id_title", "todos", ["user_id", sa.text("lower(title)"), "number"])
    op.create_index(
        "ix_todos_user_id_completed",
        "todos",
        ["user_id", sa.text("COALESCE(completed_at, '-infinity'::timestamp with time zone)"), "number"],
    )
    op.execute(NUMBERED)
    op.execute(
        "CREATE TRIGGER todo_written BEFORE INSERT OR UPDATE ON todos FOR EACH ROW EXECUTE FUNCTION todo_written()"
    )
    op.create_table(
        "changes",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("todo_id", sa.Uuid(), nullable=False),
        sa.Column("actor", sa.String(length=16), nullable=False),
        sa.Column("actor_name", sa.String(length=100), nullable=True),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("before", JSONB(), nullable=True),
        sa.Column("after", JSONB(), nullable=True),
        sa.Column("turn_id", sa.Uuid(), nullable=True),
        sa.Column("undone_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_changes_user_id_users"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_changes")),
    )
    op.create_index(op.f("ix_changes_user_id_id"), "changes", ["user_id", "id"])
    op.create_index(op.f("ix_changes_todo_id"), "changes", ["todo_id"])
    op.create_index(op.f("ix_changes_created_at"), "changes", ["created_at"])
    op.create_table(
        "confirmations",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("actor", sa.String(length=16), nullable=False),
        sa.Column("actor_name", sa.String(length=100), nullable=True),
        sa.Column("todos", JSONB(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_confirmations_user_id_users"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_confirmations")),
    )
    op.create_index(op.f("ix_confirmations_created_at"), "confirmations", ["created_at"])
    op.create_table(
        "turns",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("reply", JSONB(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_turns_user_id_users"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("user_id", "id", name=op.f("pk_turns")),
    )
    op.create_index(op.f("ix_turns_created_at"), "turns", ["created_at"])
    op.create_table(
        "sessions",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("user_agent", sa.String(length=200), nullable=False),
        sa.Column("refresh_hash", sa.LargeBinary(), nullable=True),
        sa.Column("family_hash", sa.LargeBinary(), nullable=True),
        sa.Column("rotated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_sessions_user_id_users"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sessions")),
    )
    op.create_index(op.f("ix_sessions_user_id_created_at"), "sessions", ["user_id", "created_at"])
    op.create_index(op.f("ix_sessions_expires_at"), "sessions", ["expires_at"])
    op.create_table(
        "browsers",
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_browsers_user_id_users"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("hash", name=op.f("pk_browsers")),
    )
    op.create_index(op.f("ix_browsers_user_id"), "browsers", ["user_id"])
    op.create_table(
        "attempts",
        sa.Column("key", sa.LargeBinary(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_attempts")),
    )
    op.create_index(op.f("ix_attempts_ends_at"), "attempts", ["ends_at"])


def downgrade() -> None:
    """Take back."""
    for table in ("attempts", "browsers", "sessions", "turns", "confirmations", "changes"):
        op.drop_table(table)
    op.execute("DROP TRIGGER todo_written ON todos")
    op.execute("DROP FUNCTION todo_written()")
    for index in ("completed", "title", "priority", "due"):
        op.drop_index(f"ix_todos_user_id_{index}", table_name="todos")
    op.drop_index(op.f("ix_todos_user_id_number"), table_name="todos")
    for column in ("due_zone", "due_at", "due_on", "priority", "notes", "version", "number"):
        op.drop_column("todos", column)
    for column in ("password_changed_at", "time_zone", "last_number"):
        op.drop_column("users", column)
