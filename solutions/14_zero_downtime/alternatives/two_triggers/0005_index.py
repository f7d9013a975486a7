"""As text, with another name and another column behind it."""

from alembic import op

revision = "two_triggers_0005"
down_revision = "two_triggers_0004"


def upgrade():
    with op.get_context().autocommit_block():
        op.execute("CREATE INDEX CONCURRENTLY IF NOT EXISTS who ON attempts (user_id, id DESC)")


def downgrade():
    op.execute("SET LOCAL lock_timeout = '0.2s'")
    op.execute("DROP INDEX who")
