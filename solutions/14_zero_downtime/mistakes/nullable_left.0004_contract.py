# misconception: filled-is-required
# fails: test_contract
"""Only points stay"""

from alembic import op

revision: str = "0004"
down_revision: str | None = "0003"


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '300ms'")
    op.execute("DROP TRIGGER in_step ON attempts")
    op.execute("DROP FUNCTION attempts_in_step")
    op.drop_constraint("has_points", "attempts")
    op.drop_column("attempts", "score")


def downgrade() -> None:
    raise NotImplementedError("From here on the way is forward: the old version is gone.")
