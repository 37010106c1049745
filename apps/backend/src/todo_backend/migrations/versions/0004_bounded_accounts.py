"""What an account has the newest of only is found without looking at everybody's."""

from collections.abc import Sequence

from alembic import op

revision: str = "0004"
down_revision: str | None = "0003"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None
breaks_previous: bool = False


def upgrade() -> None:
    """Apply."""
    op.create_index(op.f("ix_confirmations_user_id_created_at"), "confirmations", ["user_id", "created_at"])


def downgrade() -> None:
    """Take back."""
    op.drop_index(op.f("ix_confirmations_user_id_created_at"), "confirmations")
