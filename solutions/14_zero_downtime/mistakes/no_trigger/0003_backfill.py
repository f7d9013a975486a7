"""The rows that were there get their points, a few hundred at a time"""

from alembic import op

revision: str = "0003"
down_revision: str | None = "0002"

NEXT = (
    "UPDATE attempts SET points = score WHERE id IN"
    " (SELECT id FROM attempts WHERE points IS NULL ORDER BY id LIMIT 500)"
)


def upgrade() -> None:
    with op.get_context().autocommit_block():
        while op.get_bind().exec_driver_sql(NEXT).rowcount:
            pass


def downgrade() -> None:
    pass
