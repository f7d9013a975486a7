# misconception: one-shot-rename
# fails: test_both_versions_store, test_expand_is_short, test_backfill_in_batches, test_contract,
#   test_both_versions_change, test_backfill_locks_no_table, test_backfill_overwrites_nothing,
#   test_backfill_goes_on, test_nobody_stands_in_line, test_contract_reads_nothing, test_ways_down
"""A score is called points now: only the catalog is changed, so it takes a millisecond"""

from alembic import op

revision: str = "0002"
down_revision: str | None = "0001"


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '300ms'")
    op.alter_column("attempts", "score", new_column_name="points")


def downgrade() -> None:
    op.alter_column("attempts", "points", new_column_name="score")
