# misconception: old-copy-is-the-way-back
# fails: test_later_lessons, test_no_drift
"""A lesson's duration in minutes. The old values are kept, for the way back."""

import sqlalchemy as sa
from alembic import op

revision: str = "0003"
down_revision: str | None = "0002"


def upgrade() -> None:
    op.execute("CREATE TABLE durations_of_0002 AS SELECT id, duration FROM lessons")
    op.alter_column(
        "lessons",
        "duration",
        new_column_name="minutes",
        type_=sa.Integer(),
        postgresql_using=(
            "split_part(duration, ':', 1)::integer * 60 + split_part(duration, ':', 2)::integer"
        ),
    )


def downgrade() -> None:
    op.drop_column("lessons", "minutes")
    op.add_column("lessons", sa.Column("duration", sa.Text()))
    op.execute(
        "UPDATE lessons SET duration = old.duration FROM durations_of_0002 AS old"
        " WHERE old.id = lessons.id"
    )
    op.drop_table("durations_of_0002")
