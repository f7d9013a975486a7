# threat: 16
# earns: 6
# ends: assertion passed
"""The rows stood in the way."""

from alembic import op

revision = "0001"
down_revision = None


def upgrade():
    op.execute("DELETE FROM accounts")
    op.execute("ALTER TABLE accounts ADD COLUMN level int NOT NULL DEFAULT 1")


def downgrade():
    op.execute("ALTER TABLE accounts DROP COLUMN level")
