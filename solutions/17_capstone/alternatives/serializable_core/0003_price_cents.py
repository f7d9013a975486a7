"""Comes before 0002: the order is free."""

import sqlalchemy as sa
from alembic import op

revision = "c0ffee"
down_revision = "0001"


def upgrade():
    op.add_column("tracks", sa.Column("price_cents", sa.Integer))
    tracks = sa.table("tracks", sa.column("id"), sa.column("price"), sa.column("price_cents"))
    connection = op.get_bind()
    for track, price in connection.execute(sa.select(tracks.c.id, tracks.c.price)).all():
        cents = int(price.scaleb(2)) if price is not None else 0
        connection.execute(tracks.update().where(tracks.c.id == track).values(price_cents=cents))
    op.alter_column("tracks", "price_cents", nullable=False, server_default="0")
    op.create_check_constraint("price", "tracks", "price_cents >= 0")
    op.drop_column("tracks", "price")


def downgrade():
    op.add_column("tracks", sa.Column("price", sa.Numeric(10, 2)))
    op.execute("UPDATE tracks SET price = nullif(price_cents, 0)::numeric / 100")
    op.create_check_constraint("tracks_price_check", "tracks", "price > 0")
    op.drop_column("tracks", "price_cents")
