# misconception: autogenerate-knows
# fails: test_prices_become_cents, test_prices_come_back, test_up_down_up
"""Prices are whole cents"""

import sqlalchemy as sa
from alembic import op

revision: str = "0003"
down_revision: str | None = "0002"


def upgrade() -> None:
    op.add_column(
        "tracks",
        sa.Column("price_cents", sa.Integer, nullable=False, server_default=sa.text("0")),
    )
    op.create_check_constraint("tracks_price_cents_check", "tracks", "price_cents >= 0")
    op.drop_column("tracks", "price")


def downgrade() -> None:
    op.add_column("tracks", sa.Column("price", sa.Numeric(10, 2)))
    op.execute("UPDATE tracks SET price = price_cents / 100.0 WHERE price_cents > 0")
    op.create_check_constraint("tracks_price_check", "tracks", "price > 0")
    op.drop_column("tracks", "price_cents")
