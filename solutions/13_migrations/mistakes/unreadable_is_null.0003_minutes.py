# misconception: unreadable-is-null
# fails: test_what_cannot_be_read
"""A lesson's duration in minutes, where there is one."""

import sqlalchemy as sa
from alembic import op

revision: str = "0003"
down_revision: str | None = "0002"


def upgrade() -> None:
    op.add_column("lessons", sa.Column("minutes", sa.Integer()))
    op.execute(
        """
        UPDATE lessons
        SET minutes = split_part(duration, ':', 1)::integer * 60
                    + split_part(duration, ':', 2)::integer
        WHERE duration ~ '^[0-9]+:[0-9]{2}$'
        """
    )
    op.drop_column("lessons", "duration")


def downgrade() -> None:
    op.add_column("lessons", sa.Column("duration", sa.Text()))
    op.execute(
        "UPDATE lessons SET duration = minutes / 60 || ':' || lpad((minutes % 60)::text, 2, '0')"
    )
    op.drop_column("lessons", "minutes")
