"""The column itself becomes another one."""

from alembic import op

revision = "cents"
down_revision = "learning"


def upgrade():
    op.execute("""
        ALTER TABLE tracks DROP CONSTRAINT tracks_price_check;
        ALTER TABLE tracks ALTER price TYPE integer USING coalesce(price * 100, 0),
            ALTER price SET NOT NULL, ALTER price SET DEFAULT 0;
        ALTER TABLE tracks RENAME price TO price_cents;
        ALTER TABLE tracks ADD CONSTRAINT nobody_is_paid CHECK (price_cents >= 0);
    """)


def downgrade():
    op.execute("""
        ALTER TABLE tracks DROP CONSTRAINT nobody_is_paid;
        ALTER TABLE tracks RENAME price_cents TO price;
        ALTER TABLE tracks ALTER price DROP DEFAULT, ALTER price DROP NOT NULL,
            ALTER price TYPE numeric(10, 2) USING nullif(price, 0) / 100.0;
        ALTER TABLE tracks ADD CONSTRAINT tracks_price_check CHECK (price > 0);
    """)
