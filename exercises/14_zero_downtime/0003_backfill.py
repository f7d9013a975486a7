"""What was there already gets points."""

from alembic import op  # noqa: F401 - you will want it

revision: str = "0003"
down_revision: str | None = "0002"


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass
