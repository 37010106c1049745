"""Which heads' code works with the schema as it is; migrate.py writes it."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0002"
down_revision: str | None = "0001"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None
# Code made for 0001 does not look into this table: it refuses every revision after its own.
breaks_previous: bool = True


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "schema_readers",
        sa.Column("revision", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("revision", name=op.f("pk_schema_readers")),
    )


def downgrade() -> None:
    """Take back."""
    op.drop_table("schema_readers")
