"""Prices are whole cents"""

revision: str = "0003"
down_revision: str | None = "0002"


def upgrade() -> None:
    raise NotImplementedError


def downgrade() -> None:
    raise NotImplementedError
