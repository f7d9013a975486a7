# misconception: not-null-at-once
# fails: test_display_names, test_users_without_a_name, test_a_full_school
"""Every user has a display name"""

import sqlalchemy as sa
from alembic import op

revision: str = "0002"
down_revision: str | None = "0001"


def upgrade() -> None:
    op.add_column("users", sa.Column("display_name", sa.Text(), nullable=False))
    op.execute(
        "UPDATE users SET display_name = coalesce(nullif(name, ''), split_part(email, '@', 1))"
    )


def downgrade() -> None:
    op.drop_column("users", "display_name")
