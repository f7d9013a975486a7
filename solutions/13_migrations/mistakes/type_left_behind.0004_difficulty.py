# misconception: type-goes-with-the-column
# fails: test_nothing_is_left, test_a_full_school
"""A type for difficulties"""

import sqlalchemy as sa
from alembic import op

revision: str = "0004"
down_revision: str | None = "0003"


def upgrade() -> None:
    op.execute("CREATE TYPE difficulty AS ENUM ('beginner', 'intermediate', 'advanced')")
    op.execute("ALTER TABLE tracks ALTER COLUMN difficulty DROP DEFAULT")
    op.execute(
        "ALTER TABLE tracks ALTER COLUMN difficulty TYPE difficulty"
        " USING lower(difficulty)::difficulty"
    )
    op.alter_column("tracks", "difficulty", server_default="beginner")


def downgrade() -> None:
    op.alter_column("tracks", "difficulty", server_default=None)
    op.alter_column("tracks", "difficulty", type_=sa.Text())
    op.alter_column("tracks", "difficulty", server_default="beginner")
