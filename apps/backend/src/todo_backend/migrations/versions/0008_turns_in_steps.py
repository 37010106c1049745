"""Turns of a language model, step by step, so that each is done once. Additive, as 0003 is."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision: str = "0008"
down_revision: str | None = "0007"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None
breaks_previous: bool = False


def upgrade() -> None:
    """Apply."""
    op.add_column("conversations", sa.Column("title", sa.String(length=100), nullable=True))
    op.add_column("turns", sa.Column("conversation_id", sa.Uuid(), nullable=True))
    op.add_column("turns", sa.Column("epoch", sa.Integer(), server_default="0", nullable=False))
    op.add_column("turns", sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True))
    op.add_column("turns", sa.Column("stopped_at", sa.DateTime(timezone=True), nullable=True))
    op.create_foreign_key(
        op.f("fk_turns_conversation_id_conversations"),
        "turns",
        "conversations",
        ["conversation_id"],
        ["id"],
        ondelete="CASCADE",
    )
    at_work = sa.text("reply IS NULL")
    op.create_index("ix_turns_at_work", "turns", ["lease_until"], postgresql_where=at_work)
    op.create_index(
        "uq_turns_one_in_a_conversation", "turns", ["conversation_id"], unique=True, postgresql_where=at_work
    )
    op.create_table(
        "steps",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("turn_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.SmallInteger(), nullable=False),
        sa.Column("call", sa.SmallInteger(), nullable=False),
        sa.Column("payload", JSONB(), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id", "turn_id"],
            ["turns.user_id", "turns.id"],
            name=op.f("fk_steps_user_id_turns"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("user_id", "turn_id", "number", "call", name=op.f("pk_steps")),
    )


def downgrade() -> None:
    """Take back."""
    op.drop_table("steps")
    op.drop_index("uq_turns_one_in_a_conversation", table_name="turns")
    op.drop_index("ix_turns_at_work", table_name="turns")
    for column in ("stopped_at", "lease_until", "epoch", "conversation_id"):
        op.drop_column("turns", column)
    op.drop_column("conversations", "title")
