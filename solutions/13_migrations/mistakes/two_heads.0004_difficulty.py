# misconception: two-heads
# fails: test_one_end
"""A type for difficulties"""

import sqlalchemy as sa
from alembic import op

revision: str = "0004"
down_revision: str | None = "0002"

difficulty = sa.Enum("beginner", "intermediate", "advanced", name="difficulty")


def upgrade() -> None:
    difficulty.create(op.get_bind())
    op.alter_column("tracks", "difficulty", server_default=None)
    op.alter_column(
        "tracks", "difficulty", type_=difficulty, postgresql_using="lower(difficulty)::difficulty"
    )
    op.alter_column("tracks", "difficulty", server_default="beginner")


def downgrade() -> None:
    op.alter_column("tracks", "difficulty", server_default=None)
    op.alter_column("tracks", "difficulty", type_=sa.Text())
    op.alter_column("tracks", "difficulty", server_default="beginner")
    difficulty.drop(op.get_bind())
