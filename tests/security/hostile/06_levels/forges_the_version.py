# threat: 16, 18
# earns: 0
# ends: raised raised
"""The version is written down, and nothing else is done."""

from alembic import op

revision = "0001"
down_revision = None


def upgrade():
    op.execute("INSERT INTO alembic_version VALUES ('0001')")


def downgrade():
    pass
