"""Only points stay"""

from alembic import op

revision: str = "0004"
down_revision: str | None = "0003"


def upgrade() -> None:
    with op.get_context().autocommit_block():
        op.execute("SET lock_timeout = '300ms'")
        op.execute("ALTER TABLE attempts ADD CHECK (points IS NOT NULL) NOT VALID")
        op.execute("ALTER TABLE attempts VALIDATE CONSTRAINT attempts_points_check")
    op.alter_column("attempts", "points", nullable=False)
    op.drop_constraint("attempts_points_check", "attempts")
    op.drop_column("attempts", "score")


def downgrade() -> None:
    raise NotImplementedError
