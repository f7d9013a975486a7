"""A user's attempts are found quickly."""

from alembic import op

revision: str = "0005"
down_revision: str | None = "0004"


def upgrade() -> None:
    op.create_index("attempts_of_user", "attempts", ["user_id"])


def downgrade() -> None:
    op.drop_index("attempts_of_user")
