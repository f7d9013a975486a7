"""The columns go first, the triggers with CASCADE."""

from alembic import op

revision = "two_triggers_0004"
down_revision = "two_triggers_0003"


def upgrade():
    op.execute("SET LOCAL lock_timeout = '0.5s'")
    op.execute("DROP FUNCTION score_follows, points_follow CASCADE")
    op.execute("ALTER TABLE attempts DROP COLUMN score, ALTER COLUMN points SET NOT NULL")


def downgrade():
    raise NotImplementedError
