# misconception: autogenerate-knows
# fails: test_minutes, test_durations_come_back, test_later_lessons, test_what_cannot_be_read,
#   test_a_full_school
"""A lesson's duration in minutes"""

import sqlalchemy as sa
from alembic import op

revision: str = "0003"
down_revision: str | None = "0002"


def upgrade() -> None:
    op.add_column("lessons", sa.Column("minutes", sa.Integer(), nullable=True))
    op.drop_column("lessons", "duration")


def downgrade() -> None:
    op.add_column("lessons", sa.Column("duration", sa.Text(), nullable=True))
    op.drop_column("lessons", "minutes")
