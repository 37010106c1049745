"""What a deleted account has used of the deployment's budget still counts: by nobody's id."""

from collections.abc import Sequence

from alembic import op

revision: str = "0010"
down_revision: str | None = "0009"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None
breaks_previous: bool = False


def upgrade() -> None:
    """Apply."""
    op.drop_constraint("fk_usage_user_id_users", "usage", type_="foreignkey")


def downgrade() -> None:
    """Take back."""
    op.execute("DELETE FROM usage WHERE user_id NOT IN (SELECT id FROM users)")
    op.create_foreign_key("fk_usage_user_id_users", "usage", "users", ["user_id"], ["id"], ondelete="CASCADE")
