# misconception: filled-is-required
# fails: test_display_names, test_no_drift
"""Every user has a display name: added, and filled for those who are there."""

import sqlalchemy as sa
from alembic import op

revision: str = "0002"
down_revision: str | None = "0001"


def upgrade() -> None:
    op.add_column("users", sa.Column("display_name", sa.Text()))
    op.execute(
        "UPDATE users SET display_name = CASE WHEN name <> '' THEN name"
        " ELSE split_part(email, '@', 1) END"
    )


def downgrade() -> None:
    op.drop_column("users", "display_name")
