"""Modules above lessons, sections below them, and their media

Revision ID: 0006
Revises: 0005
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "0006"
down_revision: str | None = "0005"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        "modules",
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuid7()"), nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("content", sa.Text(), nullable=True),
        sa.Column("video_url", sa.String(length=2048), nullable=True),
        sa.Column("duration_minutes", sa.Integer(), nullable=True),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("track_id", sa.Uuid(), nullable=False),
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
        sa.CheckConstraint("title <> ''", name=op.f("ck_modules_title_not_empty")),
        sa.CheckConstraint(
            "duration_minutes > 0", name=op.f("ck_modules_duration_minutes_positive")
        ),
        sa.CheckConstraint("position > 0", name=op.f("ck_modules_position_positive")),
        sa.ForeignKeyConstraint(
            ["track_id"], ["tracks.id"], name=op.f("fk_modules_track_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_modules")),
        sa.UniqueConstraint("track_id", "id", name=op.f("uq_modules_track_id_id")),
        sa.UniqueConstraint(
            "track_id",
            "position",
            deferrable=True,
            initially="IMMEDIATE",
            name=op.f("uq_modules_track_id_position"),
        ),
    )
    op.create_table(
        "media",
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuid7()"), nullable=False),
        sa.Column("kind", sa.Enum("video", "image", "document", name="media_kind"), nullable=False),
        sa.Column("url", sa.String(length=2048), nullable=False),
        sa.Column("provider", sa.String(length=50), nullable=True),
        sa.Column("provider_id", sa.String(length=255), nullable=True),
        sa.Column("title", sa.String(length=200), nullable=True),
        sa.Column("mime_type", sa.String(length=127), nullable=True),
        sa.Column("duration_seconds", sa.Integer(), nullable=True),
        sa.Column("size_bytes", sa.BigInteger(), nullable=True),
        sa.Column("lesson_id", sa.Uuid(), nullable=True),
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
        sa.CheckConstraint("duration_seconds > 0", name=op.f("ck_media_duration_seconds_positive")),
        sa.CheckConstraint("size_bytes >= 0", name=op.f("ck_media_size_bytes_not_negative")),
        sa.ForeignKeyConstraint(
            ["lesson_id"], ["lessons.id"], name=op.f("fk_media_lesson_id"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_media")),
    )
    op.create_index(op.f("ix_media_lesson_id"), "media", ["lesson_id"])
    op.create_table(
        "sections",
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuid7()"), nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum("text", "video", "quiz", "activity", "assessment", name="section_kind"),
            server_default="text",
            nullable=False,
        ),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("is_required", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("lesson_id", sa.Uuid(), nullable=False),
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
        sa.CheckConstraint("title <> ''", name=op.f("ck_sections_title_not_empty")),
        sa.CheckConstraint("position > 0", name=op.f("ck_sections_position_positive")),
        sa.ForeignKeyConstraint(
            ["lesson_id"], ["lessons.id"], name=op.f("fk_sections_lesson_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sections")),
        sa.UniqueConstraint(
            "lesson_id",
            "position",
            deferrable=True,
            initially="IMMEDIATE",
            name=op.f("uq_sections_lesson_id_position"),
        ),
    )
    # create_table makes the enum types of its columns; add_column does not.
    op.execute("CREATE TYPE lesson_kind AS ENUM ('text', 'video', 'quiz')")
    op.add_column(
        "lessons",
        sa.Column(
            "kind",
            sa.Enum("text", "video", "quiz", name="lesson_kind"),
            server_default="text",
            nullable=False,
        ),
    )
    op.add_column(
        "lessons",
        sa.Column(
            "learning_objectives",
            postgresql.ARRAY(sa.Text()),
            server_default=sa.text("'{}'"),
            nullable=False,
        ),
    )
    op.add_column("lessons", sa.Column("module_id", sa.Uuid(), nullable=True))
    op.create_index(op.f("ix_lessons_module_id"), "lessons", ["module_id"])
    op.create_foreign_key(
        op.f("fk_lessons_track_id_module_id"),
        "lessons",
        "modules",
        ["track_id", "module_id"],
        ["track_id", "id"],
        ondelete="CASCADE",
    )
    for table in ("modules", "media", "sections"):
        op.execute(
            f"CREATE TRIGGER set_updated_at BEFORE UPDATE ON {table} "
            "FOR EACH ROW EXECUTE FUNCTION set_updated_at()"
        )


def downgrade() -> None:
    op.drop_constraint("fk_lessons_track_id_module_id", "lessons")
    op.drop_index("ix_lessons_module_id", table_name="lessons")
    op.drop_column("lessons", "module_id")
    op.drop_column("lessons", "learning_objectives")
    op.drop_column("lessons", "kind")
    op.drop_table("sections")
    op.drop_table("media")
    op.drop_table("modules")
    op.execute("DROP TYPE media_kind")
    op.execute("DROP TYPE section_kind")
    op.execute("DROP TYPE lesson_kind")
