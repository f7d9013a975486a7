# misconception: down-is-only-structure
# fails: test_durations_come_back, test_later_lessons, test_a_full_school
"""A lesson's duration in minutes"""

import sqlalchemy as sa
from alembic import op

revision: str = "0003"
down_revision: str | None = "0002"


def upgrade() -> None:
    op.add_column("lessons", sa.Column("minutes", sa.Integer()))
    op.execute(
        "UPDATE lessons SET minutes = split_part(duration, ':', 1)::integer * 60"
        " + split_part(duration, ':', 2)::integer"
    )
    op.drop_column("lessons", "duration")


def downgrade() -> None:
    op.drop_column("lessons", "minutes")
    op.add_column("lessons", sa.Column("duration", sa.Text()))
