"""A score is called points now. One line, done in a millisecond."""

from alembic import op

revision: str = "0002"
down_revision: str | None = "0001"


def upgrade() -> None:
    op.alter_column("attempts", "score", new_column_name="points")


def downgrade() -> None:
    op.alter_column("attempts", "points", new_column_name="score")
