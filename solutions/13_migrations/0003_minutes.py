"""A lesson's duration in minutes"""

import sqlalchemy as sa
from alembic import op

revision: str = "0003"
down_revision: str | None = "0002"


def upgrade() -> None:
    # One column that is changed, and not two: so no value is ever without a place.
    op.alter_column(
        "lessons",
        "duration",
        type_=sa.Integer(),
        postgresql_using=(
            "split_part(duration, ':', 1)::integer * 60 + split_part(duration, ':', 2)::integer"
        ),
        new_column_name="minutes",
    )


def downgrade() -> None:
    op.alter_column(
        "lessons",
        "minutes",
        type_=sa.Text(),
        postgresql_using="minutes / 60 || ':' || lpad(mod(minutes, 60)::text, 2, '0')",
        new_column_name="duration",
    )
