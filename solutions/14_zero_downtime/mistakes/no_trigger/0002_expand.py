# misconception: one-version-at-a-time
# fails: test_both_versions_store, test_both_versions_change
"""A second column, for the new version"""

import sqlalchemy as sa
from alembic import op

revision: str = "0002"
down_revision: str | None = "0001"


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '300ms'")
    op.add_column("attempts", sa.Column("points", sa.Integer()))
    op.alter_column("attempts", "score", nullable=True)  # the new version does not give it


def downgrade() -> None:
    raise NotImplementedError
