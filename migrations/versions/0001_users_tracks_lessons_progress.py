"""Users, their tracks with lessons, and who has learned what

Revision ID: 0001
Revises:
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "0001"
down_revision: str | None = None
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

# PostgreSQL has uuidv7() of its own from version 18 on. This one also works on 15, 16 and 17.
CREATE_UUID7 = """
CREATE FUNCTION uuid7() RETURNS uuid
LANGUAGE sql VOLATILE PARALLEL SAFE
RETURN encode(
    set_bit(set_bit(
        overlay(uuid_send(gen_random_uuid())
                PLACING substring(
                    int8send((extract(epoch FROM clock_timestamp()) * 1000)::bigint) FROM 3)
                FROM 1 FOR 6),
        52, 1), 53, 1),
    'hex')::uuid
"""

CREATE_SET_UPDATED_AT = """
CREATE FUNCTION set_updated_at() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    NEW.updated_at := now();
    RETURN NEW;
END
$$
"""


def identifier() -> sa.Column[object]:
    return sa.Column("id", sa.Uuid(), server_default=sa.text("uuid7()"), nullable=False)


def timestamps() -> list[sa.Column[object]]:
    return [
        sa.Column(name, sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False)
        for name in ("created_at", "updated_at")
    ]


def touch_on_update(table: str) -> None:
    op.execute(
        f"CREATE TRIGGER set_updated_at BEFORE UPDATE ON {table} "
        "FOR EACH ROW EXECUTE FUNCTION set_updated_at()"
    )


def upgrade() -> None:
    op.execute(CREATE_UUID7)
    op.execute(CREATE_SET_UPDATED_AT)
    create_users()
    create_tracks()
    create_lessons()
    create_lesson_progress()


def create_users() -> None:
    role = postgresql.ENUM("student", "instructor", "admin", name="role")
    op.create_table(
        "users",
        identifier(),
        sa.Column("email", sa.String(254), nullable=False),
        sa.Column("username", sa.String(50), nullable=False),
        sa.Column("password_hash", sa.String(255), nullable=False),
        sa.Column("first_name", sa.String(100)),
        sa.Column("last_name", sa.String(100)),
        sa.Column("avatar", sa.String(2048)),
        sa.Column("bio", sa.Text()),
        sa.Column("is_active", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("role", role, server_default="student", nullable=False),
        *timestamps(),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_users")),
        sa.UniqueConstraint("email", name=op.f("uq_users_email")),
        sa.UniqueConstraint("username", name=op.f("uq_users_username")),
        sa.CheckConstraint("email = lower(email)", name=op.f("ck_users_email_lower_case")),
        sa.CheckConstraint("position('@' IN email) > 1", name=op.f("ck_users_email_has_at_sign")),
        sa.CheckConstraint("username = lower(username)", name=op.f("ck_users_username_lower_case")),
        sa.CheckConstraint(
            "username ~ '^[^@[:space:]]+$'", name=op.f("ck_users_username_is_one_word")
        ),
    )
    op.create_index(op.f("ix_users_is_active_role"), "users", ["is_active", "role"])
    op.create_index(op.f("ix_users_created_at_id"), "users", ["created_at", "id"])
    touch_on_update("users")


def create_tracks() -> None:
    difficulty = postgresql.ENUM("beginner", "intermediate", "advanced", name="difficulty")
    op.create_table(
        "tracks",
        identifier(),
        sa.Column("title", sa.String(200), nullable=False),
        sa.Column("description", sa.Text()),
        sa.Column("difficulty", difficulty, server_default="beginner", nullable=False),
        sa.Column(
            "tags", postgresql.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False
        ),
        sa.Column("estimated_hours", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.Column("is_published", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("author_id", sa.Uuid(), nullable=False),
        *timestamps(),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tracks")),
        sa.ForeignKeyConstraint(
            ["author_id"], ["users.id"], name=op.f("fk_tracks_author_id"), ondelete="CASCADE"
        ),
        sa.CheckConstraint("title <> ''", name=op.f("ck_tracks_title_not_empty")),
        sa.CheckConstraint("estimated_hours > 0", name=op.f("ck_tracks_estimated_hours_positive")),
    )
    op.create_index(op.f("ix_tracks_author_id"), "tracks", ["author_id"])
    op.create_index(
        op.f("ix_tracks_is_published_difficulty"), "tracks", ["is_published", "difficulty"]
    )
    op.create_index(op.f("ix_tracks_tags"), "tracks", ["tags"], postgresql_using="gin")
    touch_on_update("tracks")


def create_lessons() -> None:
    op.create_table(
        "lessons",
        identifier(),
        sa.Column("title", sa.String(200), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("video_url", sa.String(2048)),
        sa.Column("duration_minutes", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("is_preview", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("is_published", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("track_id", sa.Uuid(), nullable=False),
        *timestamps(),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_lessons")),
        sa.ForeignKeyConstraint(
            ["track_id"], ["tracks.id"], name=op.f("fk_lessons_track_id"), ondelete="CASCADE"
        ),
        sa.UniqueConstraint(
            "track_id",
            "position",
            name=op.f("uq_lessons_track_id_position"),
            deferrable=True,
            initially="IMMEDIATE",
        ),
        sa.CheckConstraint("title <> ''", name=op.f("ck_lessons_title_not_empty")),
        sa.CheckConstraint(
            "duration_minutes > 0", name=op.f("ck_lessons_duration_minutes_positive")
        ),
        sa.CheckConstraint("position > 0", name=op.f("ck_lessons_position_positive")),
    )
    touch_on_update("lessons")


def create_lesson_progress() -> None:
    op.create_table(
        "lesson_progress",
        identifier(),
        sa.Column("completed", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("completed_at", sa.DateTime(timezone=True)),
        sa.Column("time_spent_minutes", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("score", sa.Numeric(5, 2)),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("lesson_id", sa.Uuid(), nullable=False),
        *timestamps(),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_lesson_progress")),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_lesson_progress_user_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["lesson_id"],
            ["lessons.id"],
            name=op.f("fk_lesson_progress_lesson_id"),
            ondelete="CASCADE",
        ),
        sa.UniqueConstraint(
            "user_id", "lesson_id", name=op.f("uq_lesson_progress_user_id_lesson_id")
        ),
        sa.CheckConstraint(
            "completed = (completed_at IS NOT NULL)",
            name=op.f("ck_lesson_progress_completed_has_date"),
        ),
        sa.CheckConstraint(
            "time_spent_minutes >= 0",
            name=op.f("ck_lesson_progress_time_spent_minutes_not_negative"),
        ),
        sa.CheckConstraint(
            "score BETWEEN 0 AND 100", name=op.f("ck_lesson_progress_score_is_percent")
        ),
    )
    op.create_index(op.f("ix_lesson_progress_lesson_id"), "lesson_progress", ["lesson_id"])
    touch_on_update("lesson_progress")


def downgrade() -> None:
    for table in ("lesson_progress", "lessons", "tracks", "users"):
        op.drop_table(table)
    # Dropping a table leaves its enum types behind, and the next upgrade would stumble over them.
    op.execute("DROP TYPE difficulty")
    op.execute("DROP TYPE role")
    op.execute("DROP FUNCTION set_updated_at()")
    op.execute("DROP FUNCTION uuid7()")
