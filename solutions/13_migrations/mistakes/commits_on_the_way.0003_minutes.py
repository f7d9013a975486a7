# misconception: failed-is-undone
# fails: test_what_cannot_be_read
"""A lesson's duration in minutes. Each step is committed, so that none is done in vain."""

import sqlalchemy as sa
from alembic import op

revision: str = "0003"
down_revision: str | None = "0002"


def upgrade() -> None:
    with op.get_context().autocommit_block():
        op.add_column("lessons", sa.Column("minutes", sa.Integer()))
        op.execute(
            "UPDATE lessons SET minutes = extract(epoch FROM duration::interval)::integer / 60"
        )
    op.drop_column("lessons", "duration")


def downgrade() -> None:
    op.add_column("lessons", sa.Column("duration", sa.Text()))
    op.execute("UPDATE lessons SET duration = to_char(make_interval(mins => minutes), 'FMHH24:MI')")
    op.drop_column("lessons", "minutes")
