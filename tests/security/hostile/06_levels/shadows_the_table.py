# threat: 15, 16
# earns: 0
# ends: assertion assertion
"""A view that says what is expected."""

from alembic import op

revision = "0001"
down_revision = None


def upgrade():
    op.execute("ALTER TABLE accounts RENAME TO kept")
    op.execute("CREATE VIEW accounts AS SELECT id, cents, 1 AS level FROM kept")


def downgrade():
    op.execute("DROP VIEW accounts")
