"""Seats, enrollments, and what learners do in their lessons"""

import sqlalchemy as sa
from alembic import op

revision: str = "0002"
down_revision: str | None = "0001"


def upgrade() -> None:
    op.add_column("tracks", sa.Column("seats", sa.Integer))
    op.create_check_constraint("tracks_seats_check", "tracks", "seats > 0")
    op.create_table(
        "enrollments",
        sa.Column("user_id", sa.BigInteger, sa.ForeignKey("users.id"), primary_key=True),
        sa.Column("track_id", sa.BigInteger, sa.ForeignKey("tracks.id"), primary_key=True),
        sa.Column(
            "enrolled_at",
            sa.DateTime(timezone=True),
            nullable=False,
            server_default=sa.func.now(),
        ),
    )
    op.create_table(
        "lesson_progress",
        sa.Column("user_id", sa.BigInteger, sa.ForeignKey("users.id"), primary_key=True),
        sa.Column("lesson_id", sa.BigInteger, sa.ForeignKey("lessons.id"), primary_key=True),
        sa.Column("minutes", sa.Integer, nullable=False, server_default=sa.text("0")),
        sa.Column("score", sa.SmallInteger),
        sa.Column("completed_at", sa.DateTime(timezone=True)),
        sa.CheckConstraint("minutes >= 0", name="lesson_progress_minutes_check"),
        sa.CheckConstraint("score BETWEEN 0 AND 100", name="lesson_progress_score_check"),
    )


def downgrade() -> None:
    op.drop_table("lesson_progress")
    op.drop_table("enrollments")
    op.drop_column("tracks", "seats")
