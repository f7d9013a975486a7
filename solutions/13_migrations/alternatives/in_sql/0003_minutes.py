"""By way of an interval, and a new column."""

from alembic import op

revision = "77c0"
down_revision = "9b21"


def upgrade():
    op.execute("ALTER TABLE lessons ADD minutes integer")
    op.execute("UPDATE lessons SET minutes = extract(epoch FROM duration::interval) / 60")
    op.execute("ALTER TABLE lessons DROP duration")


def downgrade():
    op.execute("ALTER TABLE lessons ADD duration text")
    op.execute("UPDATE lessons SET duration = to_char(make_interval(mins => minutes), 'FMHH24:MI')")
    op.execute("ALTER TABLE lessons DROP minutes")
