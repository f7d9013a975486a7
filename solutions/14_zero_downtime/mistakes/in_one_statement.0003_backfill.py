# misconception: backfill-in-one-go
# fails: test_backfill_in_batches, test_backfill_goes_on
"""The rows that were there get their points, outside of the big transaction"""

from alembic import op

revision: str = "0003"
down_revision: str | None = "0002"


def upgrade() -> None:
    with op.get_context().autocommit_block():
        op.execute("UPDATE attempts SET points = score WHERE points IS NULL")
        op.execute("ALTER TABLE attempts VALIDATE CONSTRAINT has_points")


def downgrade() -> None:
    pass
