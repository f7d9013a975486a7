# misconception: default-for-everybody
# fails: test_display_names, test_users_without_a_name
"""Every user has a display name. The old rows need something, so that NOT NULL holds."""

import sqlalchemy as sa
from alembic import op

revision: str = "0002"
down_revision: str | None = "0001"


def upgrade() -> None:
    op.add_column("users", sa.Column("display_name", sa.Text(), nullable=False, server_default=""))
    op.alter_column("users", "display_name", server_default=None)


def downgrade() -> None:
    op.drop_column("users", "display_name")
