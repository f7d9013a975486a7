# misconception: autogenerate-knows
# fails: test_difficulties, test_one_end, test_nothing_is_left, test_no_drift, test_capital_letters,
#   test_a_full_school
"""A type for difficulties"""

import sqlalchemy as sa
from alembic import op

revision: str = "0004"
down_revision: str | None = "0003"


def upgrade() -> None:
    difficulty = sa.Enum("beginner", "intermediate", "advanced", name="difficulty")
    difficulty.create(op.get_bind())
    op.alter_column(
        "tracks",
        "difficulty",
        existing_type=sa.TEXT(),
        type_=difficulty,
        existing_nullable=False,
        existing_server_default=sa.text("'beginner'::text"),
    )


def downgrade() -> None:
    difficulty = sa.Enum("beginner", "intermediate", "advanced", name="difficulty")
    op.alter_column(
        "tracks",
        "difficulty",
        existing_type=difficulty,
        type_=sa.TEXT(),
        existing_nullable=False,
        existing_server_default=sa.text("'beginner'::text"),
    )
    difficulty.drop(op.get_bind())
