"""Notes, dates, priority, numbers and versions of todos, and what of them is searched.

Code made for 0002 names no number and no version, and keeps titles as they come, so the database sees to all that,
whoever writes.
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0004"
down_revision: str | None = "0003"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None
breaks_previous: bool = False

# What `text.comparable` is in Python. In upper case, since PostgreSQL folds case from version 18 on only; by ICU's
# rules ß is SS then.
SEARCHABLE = """
CREATE FUNCTION searchable(value text) RETURNS text LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT upper(translate(normalize(value, NFKC), chr(65038) || chr(65039), '') COLLATE "und-x-icu")
$$
"""
WRITTEN = """
CREATE FUNCTION todo_written() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' AND NEW.number IS NULL THEN
        -- stays NULL where the user's other todos have no numbers yet: 0005 gives them theirs together
        UPDATE users SET last_number = last_number + 1 WHERE id = NEW.user_id RETURNING last_number INTO NEW.number;
        IF NOT FOUND THEN
            NEW.number := 0; -- there is no such user: the foreign key says so
        END IF;
    ELSIF TG_OP = 'UPDATE' AND OLD.number IS NOT NULL THEN
        NEW.version := OLD.version + 1;
    END IF;
    -- a few characters are composed of more than one, and so a title may be too long then
    IF NEW.title IS NOT NFC NORMALIZED AND length(normalize(NEW.title, NFC)) <= 200 THEN
        NEW.title := normalize(NEW.title, NFC);
    END IF;
    NEW.search := searchable(NEW.title || chr(10) || NEW.notes);
    RETURN NEW;
END
$$
"""


def upgrade() -> None:
    """Apply."""
    op.add_column("todos", sa.Column("number", sa.Integer(), nullable=True))
    op.add_column("todos", sa.Column("version", sa.Integer(), server_default="1", nullable=False))
    op.add_column("todos", sa.Column("notes", sa.Text(), server_default="", nullable=False))
    op.add_column("todos", sa.Column("priority", sa.SmallInteger(), server_default="0", nullable=False))
    op.add_column("todos", sa.Column("due_on", sa.Date(), nullable=True))
    op.add_column("todos", sa.Column("due_at", sa.Time(), nullable=True))
    op.add_column("todos", sa.Column("due_zone", sa.String(length=64), nullable=True))
    op.add_column("todos", sa.Column("due_instant", sa.DateTime(timezone=True), nullable=True))
    op.add_column("todos", sa.Column("search", sa.Text(), server_default="", nullable=False))
    for name, condition in (
        ("priority", "priority BETWEEN 0 AND 3"),
        ("due", "(due_at IS NULL OR due_on IS NOT NULL)"),
    ):
        op.create_check_constraint(op.f(f"ck_todos_{name}"), "todos", condition, postgresql_not_valid=True)
    op.execute(SEARCHABLE)
    op.execute(WRITTEN)
    op.execute(
        "CREATE TRIGGER todo_written BEFORE INSERT OR UPDATE ON todos FOR EACH ROW EXECUTE FUNCTION todo_written()"
    )


def downgrade() -> None:
    """Take back."""
    op.execute("DROP TRIGGER todo_written ON todos")
    op.execute("DROP FUNCTION todo_written()")
    op.execute("DROP FUNCTION searchable(text)")
    for column in ("search", "due_instant", "due_zone", "due_at", "due_on", "priority", "notes", "version", "number"):
        op.drop_column("todos", column)
