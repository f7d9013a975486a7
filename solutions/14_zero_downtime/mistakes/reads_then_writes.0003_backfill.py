# misconception: read-modify-write
# fails: test_backfill_overwrites_nothing
"""The rows that were there get their points, a few hundred at a time"""

import sqlalchemy as sa
from alembic import op

revision: str = "0003"
down_revision: str | None = "0002"

READ = sa.text(
    "SELECT id, score FROM attempts WHERE id > :id AND points IS NULL ORDER BY id LIMIT 200"
)
WRITE = sa.text("UPDATE attempts SET points = :score WHERE id = :id")


def upgrade() -> None:
    with op.get_context().autocommit_block():
        connection, last = op.get_bind(), 0
        while rows := connection.execute(READ, {"id": last}).mappings().all():
            connection.execute(WRITE, [dict(row) for row in rows])
            last = rows[-1]["id"]
        op.execute("ALTER TABLE attempts VALIDATE CONSTRAINT has_points")


def downgrade() -> None:
    pass
