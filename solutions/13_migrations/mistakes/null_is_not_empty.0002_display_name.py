# misconception: null-is-empty
# fails: test_users_without_a_name
"""Every user has a display name"""

import sqlalchemy as sa
from alembic import op

revision: str = "0002"
down_revision: str | None = "0001"


def upgrade() -> None:
    op.add_column("users", sa.Column("display_name", sa.Text()))
    op.execute("UPDATE users SET display_name = coalesce(name, split_part(email, '@', 1))")
    op.alter_column("users", "display_name", nullable=False)


def downgrade() -> None:
    op.drop_column("users", "display_name")
