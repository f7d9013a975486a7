# misconception: functions-are-not-looked-into
# fails: test_contract
"""Only points stay"""

from alembic import op

revision: str = "0004"
down_revision: str | None = "0003"


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '300ms'")
    # From has_points PostgreSQL knows that no row has NULL, and reads none of them again.
    op.alter_column("attempts", "points", nullable=False)
    op.drop_constraint("has_points", "attempts")
    op.drop_column("attempts", "score")


def downgrade() -> None:
    raise NotImplementedError("From here on the way is forward: the old version is gone.")
