"""Enrollments, and progress by track

Revision ID: 0007
Revises: 0006
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0007"
down_revision: str | None = "0006"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

# A CHECK sees only the new row; which status may follow which is a question about the old row too.
CREATE_REQUIRE_TRANSITION = """
CREATE FUNCTION require_transition() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.status <> OLD.status AND OLD.status || '>' || NEW.status <> ALL (TG_ARGV) THEN
        RAISE EXCEPTION 'the status of % cannot go from % to %',
            TG_TABLE_NAME, OLD.status, NEW.status
            USING ERRCODE = 'check_violation', CONSTRAINT = 'status_transition';
    END IF;
    RETURN NEW;
END
$$
"""

# Who had a progress record in a track was enrolled in it, from the first record on; who had
# completed them all had completed the track.
FILL_IN_ENROLLMENTS = """
INSERT INTO enrollments
    (user_id, track_id, enrolled_at, status, completed_at, created_at, updated_at)
SELECT user_id, track_id, min(p.created_at),
       CASE WHEN bool_and(completed) THEN 'completed' ELSE 'active' END::enrollment_status,
       CASE WHEN bool_and(completed)
            THEN greatest(max(completed_at), min(p.created_at)) END,
       min(p.created_at), max(p.updated_at)
  FROM lesson_progress p JOIN lessons l ON l.id = p.lesson_id
 GROUP BY user_id, track_id
"""

FILL_IN_TRACK_PROGRESS = """
INSERT INTO track_progress
    (user_id, track_id, completed_lessons, total_lessons,
     started_at, last_accessed_at, completed_at, created_at, updated_at)
SELECT p.user_id, l.track_id, count(*) FILTER (WHERE p.completed), count(*),
       e.enrolled_at, greatest(max(p.updated_at), e.enrolled_at), e.completed_at,
       e.created_at, e.updated_at
  FROM lesson_progress p JOIN lessons l ON l.id = p.lesson_id
  JOIN enrollments e ON (e.user_id, e.track_id) = (p.user_id, l.track_id)
 GROUP BY p.user_id, l.track_id, e.id
"""


def upgrade() -> None:
    op.execute(CREATE_REQUIRE_TRANSITION)
    op.create_table(
        "enrollments",
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuid7()"), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("track_id", sa.Uuid(), nullable=False),
        sa.Column(
            "status",
            sa.Enum("active", "completed", "expired", "cancelled", name="enrollment_status"),
            server_default="active",
            nullable=False,
        ),
        sa.Column(
            "enrolled_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column("completed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column(
            "updated_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.CheckConstraint(
            "(status = 'completed') = (completed_at IS NOT NULL)",
            name=op.f("ck_enrollments_completed_has_date"),
        ),
        sa.CheckConstraint(
            "completed_at >= enrolled_at", name=op.f("ck_enrollments_completed_after_enrolled")
        ),
        sa.CheckConstraint(
            "expires_at > enrolled_at", name=op.f("ck_enrollments_expires_after_enrolled")
        ),
        sa.ForeignKeyConstraint(
            ["track_id"], ["tracks.id"], name=op.f("fk_enrollments_track_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_enrollments_user_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_enrollments")),
        sa.UniqueConstraint("user_id", "track_id", name=op.f("uq_enrollments_user_id_track_id")),
    )
    op.create_index(
        op.f("ix_enrollments_expires_at"),
        "enrollments",
        ["expires_at"],
        postgresql_where=sa.text("status = 'active'"),
    )
    op.create_index(op.f("ix_enrollments_track_id_status"), "enrollments", ["track_id", "status"])
    op.create_table(
        "track_progress",
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuid7()"), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("track_id", sa.Uuid(), nullable=False),
        sa.Column("completed_lessons", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("total_lessons", sa.Integer(), nullable=False),
        sa.Column(
            "percent",
            sa.Integer(),
            sa.Computed("100 * completed_lessons / GREATEST(total_lessons, 1)", persisted=True),
            nullable=False,
        ),
        sa.Column(
            "started_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column(
            "last_accessed_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column("completed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column(
            "updated_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.CheckConstraint(
            "completed_at >= started_at", name=op.f("ck_track_progress_completed_after_started")
        ),
        sa.CheckConstraint(
            "completed_lessons BETWEEN 0 AND total_lessons",
            name=op.f("ck_track_progress_completed_lessons_in_range"),
        ),
        sa.CheckConstraint(
            "last_accessed_at >= started_at",
            name=op.f("ck_track_progress_last_accessed_after_started"),
        ),
        sa.ForeignKeyConstraint(
            ["user_id", "track_id"],
            ["enrollments.user_id", "enrollments.track_id"],
            name=op.f("fk_track_progress_user_id_track_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_track_progress")),
        sa.UniqueConstraint("user_id", "track_id", name=op.f("uq_track_progress_user_id_track_id")),
    )
    op.create_index(
        op.f("ix_track_progress_last_accessed_at"),
        "track_progress",
        ["last_accessed_at"],
        postgresql_where=sa.text("completed_at IS NULL"),
    )
    op.create_index(op.f("ix_track_progress_track_id"), "track_progress", ["track_id"])
    op.create_index(
        op.f("ix_track_progress_user_id_last_accessed_at"),
        "track_progress",
        ["user_id", "last_accessed_at"],
    )
    op.add_column(
        "lesson_progress",
        sa.Column(
            "last_accessed_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
    )
    for table in ("enrollments", "track_progress"):
        op.execute(
            f"CREATE TRIGGER set_updated_at BEFORE UPDATE ON {table} "
            "FOR EACH ROW EXECUTE FUNCTION set_updated_at()"
        )
    op.execute(
        "CREATE TRIGGER require_transition BEFORE UPDATE OF status ON enrollments "
        "FOR EACH ROW EXECUTE FUNCTION require_transition("
        "'active>completed', 'active>expired', 'active>cancelled')"
    )
    op.execute(FILL_IN_ENROLLMENTS)
    op.execute(FILL_IN_TRACK_PROGRESS)
    op.execute("ALTER TABLE lesson_progress DISABLE TRIGGER set_updated_at")  # nobody edits here
    op.execute("UPDATE lesson_progress SET last_accessed_at = updated_at")
    op.execute("ALTER TABLE lesson_progress ENABLE TRIGGER set_updated_at")


def downgrade() -> None:
    op.drop_column("lesson_progress", "last_accessed_at")
    op.drop_table("track_progress")
    op.drop_table("enrollments")
    op.execute("DROP TYPE enrollment_status")
    op.execute("DROP FUNCTION require_transition()")
