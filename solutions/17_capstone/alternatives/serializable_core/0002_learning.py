"""From the models, which are imported."""

import sqlalchemy as sa
from alembic import op
from models import enrollments, lesson_progress

revision = "decade"
down_revision = "c0ffee"


def upgrade():
    with op.batch_alter_table("tracks") as tracks:
        tracks.add_column(sa.Column("seats", sa.Integer))
        tracks.create_check_constraint("seats", "seats > 0")
    enrollments.create(op.get_bind())
    lesson_progress.create(op.get_bind())


def downgrade():
    lesson_progress.drop(op.get_bind())
    enrollments.drop(op.get_bind())
    op.drop_constraint("seats", "tracks")
    op.drop_column("tracks", "seats")
