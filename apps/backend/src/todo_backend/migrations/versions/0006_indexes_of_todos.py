"""Each order in which todos are listed has its index, and every todo has a number.

Made and looked at while others read and write; broken off, it makes again what was not made whole.
"""

from collections.abc import Mapping, Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0006"
down_revision: str | None = "0005"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None
breaks_previous: bool = False

DUE = sa.text("COALESCE(due_instant, 'infinity'::timestamp with time zone)")
INDEXES: Mapping[str, Sequence[str | sa.TextClause]] = {
    "number": ["number"],
    "due": [DUE, "number"],
    "priority": [sa.text("priority DESC"), DUE, "number"],
    "title": [sa.text("lower(title)"), "number"],
    "completed": [sa.text("COALESCE(completed_at, '-infinity'::timestamp with time zone)"), "number"],
}
BROKEN_OFF = "SELECT indexrelid::regclass::text FROM pg_index WHERE indrelid = 'todos'::regclass AND NOT indisvalid"


def upgrade() -> None:
    """Apply."""
    op.execute(
        "ALTER TABLE todos DROP CONSTRAINT IF EXISTS number_given, "
        "ADD CONSTRAINT number_given CHECK (number IS NOT NULL) NOT VALID"
    )
    with op.get_context().autocommit_block():
        for index in op.get_bind().scalars(sa.text(BROKEN_OFF)).all():
            op.execute(f"DROP INDEX CONCURRENTLY {index}")
        for name, columns in INDEXES.items():
            op.create_index(
                f"ix_todos_user_id_{name}",
                "todos",
                ["user_id", *columns],
                unique=name == "number",
                postgresql_concurrently=True,
                if_not_exists=True,
            )
        for constraint in ("number_given", "ck_todos_priority", "ck_todos_due"):
            op.execute(f"ALTER TABLE todos VALIDATE CONSTRAINT {constraint}")
    op.alter_column("todos", "number", nullable=False)  # looks at no row: the constraint has
    op.drop_constraint("number_given", "todos")


def downgrade() -> None:
    """Take back."""
    op.alter_column("todos", "number", nullable=True)
    for name in INDEXES:
        op.drop_index(f"ix_todos_user_id_{name}", "todos")
