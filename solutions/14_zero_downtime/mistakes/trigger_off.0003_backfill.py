# misconception: lock-until-commit
# fails: test_backfill_in_batches, test_backfill_locks_no_table, test_backfill_goes_on
"""The rows that were there get their points. The trigger would only slow it down."""

from alembic import op

revision: str = "0003"
down_revision: str | None = "0002"


def upgrade() -> None:
    op.execute("ALTER TABLE attempts DISABLE TRIGGER in_step")
    for rest in range(10):
        op.execute(f"UPDATE attempts SET points = score WHERE id % 10 = {rest}")
    op.execute("ALTER TABLE attempts ENABLE TRIGGER in_step")
    op.execute("ALTER TABLE attempts VALIDATE CONSTRAINT has_points")


def downgrade() -> None:
    pass
