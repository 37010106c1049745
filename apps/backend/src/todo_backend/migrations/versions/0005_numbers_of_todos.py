"""The todos that were there get their numbers, titles in Unicode's composed form, and what is searched.

Each user's in a transaction of its own: broken off, it goes on with whom it has not come to. Waiting for one of their
rows it gives up before PostgreSQL would break off somebody else for its sake.
"""

from collections.abc import Sequence

from alembic import op

revision: str = "0005"
down_revision: str | None = "0004"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None
breaks_previous: bool = False

NUMBER_ALL = """
DO $$
DECLARE
    somebody uuid;
BEGIN
    FOR somebody IN SELECT id FROM users WHERE last_number IS NULL LOOP
        SET LOCAL lock_timeout = '500ms';
        SET LOCAL synchronous_commit = off; -- the last transaction, which says that this is done, waits for all of them
        -- whoever adds a todo for them waits, and so does another one like this, which then finds it done
        PERFORM FROM users WHERE id = somebody AND last_number IS NULL FOR NO KEY UPDATE;
        IF FOUND THEN
            UPDATE todos SET number = counted.number FROM (
                SELECT id, row_number() OVER (ORDER BY created_at, id) AS number FROM todos WHERE user_id = somebody
            ) AS counted WHERE todos.id = counted.id; -- the trigger sees to the rest
            UPDATE users SET last_number = (SELECT COALESCE(max(number), 0) FROM todos WHERE user_id = somebody)
                WHERE id = somebody;
        END IF;
        COMMIT;
    END LOOP;
END
$$
"""


def upgrade() -> None:
    """Apply."""
    with op.get_context().autocommit_block():
        op.execute(NUMBER_ALL)
    op.alter_column("users", "last_number", nullable=False)


def downgrade() -> None:
    """Take back."""
    op.alter_column("users", "last_number", nullable=True)
