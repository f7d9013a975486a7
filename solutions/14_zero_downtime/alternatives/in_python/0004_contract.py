"""Checked beside those who write, then required."""

from alembic import op

revision = "in_python_0004"
down_revision = "in_python_0003"


def upgrade():
    with op.get_context().autocommit_block():
        op.execute("SET lock_timeout = '400ms'")
        op.execute(
            "ALTER TABLE attempts ADD CONSTRAINT filled CHECK (points IS NOT NULL) NOT VALID"
        )
        op.execute("ALTER TABLE attempts VALIDATE CONSTRAINT filled")
    op.execute("DROP TRIGGER both_columns ON attempts; DROP FUNCTION both_columns")
    op.execute("ALTER TABLE attempts ALTER points SET NOT NULL, DROP CONSTRAINT filled, DROP score")


def downgrade():
    raise NotImplementedError
