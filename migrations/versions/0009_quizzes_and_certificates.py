"""Quizzes, attempts at them, and certificates

Revision ID: 0009
Revises: 0008
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "0009"
down_revision: str | None = "0008"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        "certificates",
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuid7()"), nullable=False),
        sa.Column("number", sa.String(length=20), nullable=False),
        sa.Column("track_title", sa.String(length=200), nullable=False),
        sa.Column(
            "issued_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False
        ),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("pdf_url", sa.String(length=2048), nullable=True),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("track_id", sa.Uuid(), nullable=True),
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
            "expires_at > issued_at", name=op.f("ck_certificates_expires_after_issued")
        ),
        sa.ForeignKeyConstraint(
            ["track_id"], ["tracks.id"], name=op.f("fk_certificates_track_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_certificates_user_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_certificates")),
        sa.UniqueConstraint("number", name=op.f("uq_certificates_number")),
        sa.UniqueConstraint("user_id", "track_id", name=op.f("uq_certificates_user_id_track_id")),
    )
    op.create_index(op.f("ix_certificates_track_id"), "certificates", ["track_id"])
    op.create_table(
        "quizzes",
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuid7()"), nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("passing_score", sa.Integer(), server_default=sa.text("70"), nullable=False),
        sa.Column("time_limit_minutes", sa.Integer(), nullable=True),
        sa.Column("max_attempts", sa.Integer(), server_default=sa.text("3"), nullable=False),
        sa.Column("track_id", sa.Uuid(), nullable=False),
        sa.Column("module_id", sa.Uuid(), nullable=True),
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
        sa.CheckConstraint("title <> ''", name=op.f("ck_quizzes_title_not_empty")),
        sa.CheckConstraint("max_attempts > 0", name=op.f("ck_quizzes_max_attempts_positive")),
        sa.CheckConstraint(
            "passing_score BETWEEN 0 AND 100", name=op.f("ck_quizzes_passing_score_is_percent")
        ),
        sa.CheckConstraint(
            "time_limit_minutes > 0", name=op.f("ck_quizzes_time_limit_minutes_positive")
        ),
        sa.ForeignKeyConstraint(
            ["module_id"], ["modules.id"], name=op.f("fk_quizzes_module_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["track_id"], ["tracks.id"], name=op.f("fk_quizzes_track_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_quizzes")),
    )
    op.create_index(op.f("ix_quizzes_module_id"), "quizzes", ["module_id"])
    op.create_index(op.f("ix_quizzes_track_id"), "quizzes", ["track_id"])
    op.create_table(
        "questions",
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuid7()"), nullable=False),
        sa.Column(
            "kind",
            sa.Enum("multiple_choice", "true_false", "essay", name="question_kind"),
            nullable=False,
        ),
        sa.Column("prompt", sa.Text(), nullable=False),
        sa.Column("options", postgresql.JSONB(), nullable=True),
        sa.Column("correct_answer", sa.Text(), nullable=True),
        sa.Column("points", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("quiz_id", sa.Uuid(), nullable=False),
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
            "(kind = 'essay') = (correct_answer IS NULL)",
            name=op.f("ck_questions_all_but_essay_have_answer"),
        ),
        sa.CheckConstraint(
            "kind <> 'multiple_choice' OR options IS NOT NULL AND jsonb_typeof(options) = 'array'",
            name=op.f("ck_questions_multiple_choice_has_options"),
        ),
        sa.CheckConstraint("points > 0", name=op.f("ck_questions_points_positive")),
        sa.CheckConstraint("position > 0", name=op.f("ck_questions_position_positive")),
        sa.ForeignKeyConstraint(
            ["quiz_id"], ["quizzes.id"], name=op.f("fk_questions_quiz_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_questions")),
        sa.UniqueConstraint(
            "quiz_id",
            "position",
            deferrable=True,
            initially="IMMEDIATE",
            name=op.f("uq_questions_quiz_id_position"),
        ),
    )
    op.create_table(
        "quiz_attempts",
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuid7()"), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("answers", postgresql.JSONB(), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("score", sa.Numeric(precision=5, scale=2), nullable=True),
        sa.Column("passed", sa.Boolean(), nullable=True),
        sa.Column(
            "started_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column("completed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("quiz_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(
            "(completed_at IS NULL) = (score IS NULL) AND (score IS NULL) = (passed IS NULL)",
            name=op.f("ck_quiz_attempts_completed_has_result"),
        ),
        sa.CheckConstraint(
            "completed_at >= started_at", name=op.f("ck_quiz_attempts_completed_after_started")
        ),
        sa.CheckConstraint("number > 0", name=op.f("ck_quiz_attempts_number_positive")),
        sa.CheckConstraint(
            "score BETWEEN 0 AND 100", name=op.f("ck_quiz_attempts_score_is_percent")
        ),
        sa.ForeignKeyConstraint(
            ["quiz_id"], ["quizzes.id"], name=op.f("fk_quiz_attempts_quiz_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_quiz_attempts_user_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_quiz_attempts")),
        sa.UniqueConstraint(
            "quiz_id", "user_id", "number", name=op.f("uq_quiz_attempts_quiz_id_user_id_number")
        ),
    )
    op.create_index(
        op.f("ix_quiz_attempts_user_id_started_at"), "quiz_attempts", ["user_id", "started_at"]
    )
    op.create_index(
        "uq_quiz_attempts_open",
        "quiz_attempts",
        ["quiz_id", "user_id"],
        unique=True,
        postgresql_where=sa.text("completed_at IS NULL"),
    )
    for table in ("certificates", "quizzes", "questions"):
        op.execute(
            f"CREATE TRIGGER set_updated_at BEFORE UPDATE ON {table} "
            "FOR EACH ROW EXECUTE FUNCTION set_updated_at()"
        )


def downgrade() -> None:
    op.drop_table("quiz_attempts")
    op.drop_table("questions")
    op.drop_table("quizzes")
    op.drop_table("certificates")
    op.execute("DROP TYPE question_kind")
