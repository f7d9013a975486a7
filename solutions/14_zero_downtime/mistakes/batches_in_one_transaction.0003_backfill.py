# misconception: backfill-in-one-go
# fails: test_backfill_in_batches, test_backfill_goes_on
"""The rows that were there get their points, a few hundred at a time"""

import sqlalchemy as sa
from alembic import op

revision: str = "0003"
down_revision: str | None = "0002"

NEXT = sa.text(
    "UPDATE attempts SET points = score WHERE id IN"
    " (SELECT id FROM attempts WHERE id > :after AND points IS NULL ORDER BY id LIMIT 500)"
    " RETURNING id"
)


def upgrade() -> None:
    connection, after = op.get_bind(), 0
    while done := connection.scalars(NEXT, {"after": after}).all():
        after = max(done)
    op.execute("ALTER TABLE attempts VALIDATE CONSTRAINT has_points")


def downgrade() -> None:
    """The points may stay: 0002 takes the column back."""
