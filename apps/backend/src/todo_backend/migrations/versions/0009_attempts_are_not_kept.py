"""The counts of attempts are no data of anybody's: no backup holds them, and a crash of the server forgets them."""

from collections.abc import Sequence

from alembic import op

revision: str = "0009"
down_revision: str | None = "0008"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None
breaks_previous: bool = False


def upgrade() -> None:
    """Apply."""
    op.execute("ALTER TABLE attempts SET UNLOGGED")


def downgrade() -> None:
    """Take back."""
    op.execute("ALTER TABLE attempts SET LOGGED")
