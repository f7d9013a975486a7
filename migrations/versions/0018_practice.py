"""What learners try: attempts at exercises, hints, predictions; lessons get a slug

Revision ID: 0018
Revises: 0017
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0018"
down_revision: str | None = "0017"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

ENUMS = ("attempt_source", "check_outcome", "prediction_kind")


def _sees(table: str, column: str, parent: str) -> str:
    return f"EXISTS (SELECT FROM {parent} WHERE {parent}.id = {table}.{column})"


def _of_user_and_lesson(table: str) -> tuple[str, str, str]:
    user = _sees(table, "user_id", "users")
    return table, user, f"{user} AND {_sees(table, 'lesson_id', 'lessons')}"


_OF_ATTEMPT = _sees("check_results", "attempt_id", "exercise_attempts")

# The table, the rows that are visible, and the rows that may be written.
POLICIES = (
    _of_user_and_lesson("exercise_attempts"),
    ("check_results", _OF_ATTEMPT, _OF_ATTEMPT),
    _of_user_and_lesson("hints_taken"),
    _of_user_and_lesson("predictions"),
)


def upgrade() -> None:
    op.add_column("lessons", sa.Column("slug", sa.String(length=100), nullable=True))
    op.create_unique_constraint(op.f("uq_lessons_track_id_slug"), "lessons", ["track_id", "slug"])
    op.create_check_constraint(
        op.f("ck_lessons_slug_is_url_part"), "lessons", "slug ~ '^[a-z0-9]+(-[a-z0-9]+)*$'"
    )
    _create_attempts()
    _create_hints_and_predictions()
    for table, visible, writable in POLICIES:
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(
            f"CREATE POLICY one_organization ON {table} TO tracker_app"
            f" USING ({visible}) WITH CHECK ({writable})"
        )
        op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO tracker_app")


def _of(table: str, column: str, parent: str) -> sa.ForeignKeyConstraint:
    name = op.f(f"fk_{table}_{column}")
    return sa.ForeignKeyConstraint([column], [f"{parent}.id"], name=name, ondelete="CASCADE")


def _moment(name: str) -> sa.Column[sa.DateTime]:
    now = sa.text("now()")
    return sa.Column(name, sa.DateTime(timezone=True), server_default=now, nullable=False)


def _create_attempts() -> None:
    op.create_table(
        "exercise_attempts",
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuid7()"), nullable=False),
        sa.Column("source", sa.Enum("check", "grading", name="attempt_source"), nullable=False),
        _moment("attempted_at"),
        sa.Column("earned", sa.Numeric(precision=8, scale=2), nullable=False),
        sa.Column("points", sa.Numeric(precision=8, scale=2), nullable=False),
        sa.Column("work_sha256", sa.String(length=64), nullable=True),
        sa.Column("seed", sa.BigInteger(), nullable=False),
        sa.Column("kit_version", sa.String(length=50), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("lesson_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(
            "earned BETWEEN 0 AND points", name=op.f("ck_exercise_attempts_earned_in_range")
        ),
        sa.CheckConstraint(
            "work_sha256 ~ '^[0-9a-f]{64}$'",
            name=op.f("ck_exercise_attempts_work_sha256_is_hexadecimal"),
        ),
        sa.CheckConstraint(
            "kit_version <> ''", name=op.f("ck_exercise_attempts_kit_version_not_empty")
        ),
        _of("exercise_attempts", "user_id", "users"),
        _of("exercise_attempts", "lesson_id", "lessons"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_exercise_attempts")),
    )
    op.create_index(
        op.f("ix_exercise_attempts_user_id_lesson_id_attempted_at"),
        "exercise_attempts",
        ["user_id", "lesson_id", "attempted_at"],
    )
    op.create_index(op.f("ix_exercise_attempts_lesson_id"), "exercise_attempts", ["lesson_id"])
    op.create_table(
        "check_results",
        sa.Column("attempt_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("position", sa.SmallInteger(), nullable=False),
        sa.Column("points", sa.Numeric(precision=8, scale=2), nullable=False),
        sa.Column("earned", sa.Numeric(precision=8, scale=2), nullable=False),
        sa.Column(
            "outcome", sa.Enum("passed", "failed", "error", name="check_outcome"), nullable=False
        ),
        sa.Column("misconception", sa.String(length=100), nullable=True),
        sa.CheckConstraint("name <> ''", name=op.f("ck_check_results_name_not_empty")),
        sa.CheckConstraint("position > 0", name=op.f("ck_check_results_position_positive")),
        sa.CheckConstraint(
            "earned BETWEEN 0 AND points", name=op.f("ck_check_results_earned_in_range")
        ),
        sa.CheckConstraint(
            "misconception IS NULL OR outcome = 'failed'",
            name=op.f("ck_check_results_only_failed_has_misconception"),
        ),
        _of("check_results", "attempt_id", "exercise_attempts"),
        sa.PrimaryKeyConstraint("attempt_id", "name", name=op.f("pk_check_results")),
        sa.UniqueConstraint(
            "attempt_id", "position", name=op.f("uq_check_results_attempt_id_position")
        ),
    )


def _create_hints_and_predictions() -> None:
    op.create_table(
        "hints_taken",
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuid7()"), nullable=False),
        sa.Column("misconception", sa.String(length=100), nullable=False),
        sa.Column("rung", sa.SmallInteger(), nullable=False),
        _moment("taken_at"),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("lesson_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(
            "misconception <> ''", name=op.f("ck_hints_taken_misconception_not_empty")
        ),
        sa.CheckConstraint("rung > 0", name=op.f("ck_hints_taken_rung_positive")),
        _of("hints_taken", "user_id", "users"),
        _of("hints_taken", "lesson_id", "lessons"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_hints_taken")),
        sa.UniqueConstraint(
            "user_id",
            "lesson_id",
            "misconception",
            "rung",
            name=op.f("uq_hints_taken_user_id_lesson_id_misconception_rung"),
        ),
    )
    op.create_index(op.f("ix_hints_taken_lesson_id"), "hints_taken", ["lesson_id"])
    op.create_table(
        "predictions",
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuid7()"), nullable=False),
        sa.Column("question", sa.String(length=200), nullable=False),
        sa.Column(
            "kind", sa.Enum("number", "choice", "text", name="prediction_kind"), nullable=False
        ),
        sa.Column("answer", sa.Text(), nullable=True),
        sa.Column("confidence", sa.SmallInteger(), nullable=True),
        sa.Column("is_correct", sa.Boolean(), nullable=True),
        _moment("predicted_at"),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("lesson_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("question <> ''", name=op.f("ck_predictions_question_not_empty")),
        sa.CheckConstraint(
            "confidence BETWEEN 0 AND 100", name=op.f("ck_predictions_confidence_is_percent")
        ),
        sa.CheckConstraint(
            r"kind <> 'number' OR answer ~ '^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$'",
            name=op.f("ck_predictions_number_is_a_number"),
        ),
        _of("predictions", "user_id", "users"),
        _of("predictions", "lesson_id", "lessons"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_predictions")),
    )
    op.create_index(
        op.f("ix_predictions_user_id_lesson_id_predicted_at"),
        "predictions",
        ["user_id", "lesson_id", "predicted_at"],
    )
    op.create_index(op.f("ix_predictions_lesson_id"), "predictions", ["lesson_id"])


def downgrade() -> None:
    for table in ("predictions", "hints_taken", "check_results", "exercise_attempts"):
        op.drop_table(table)
    for name in ENUMS:
        op.execute(f"DROP TYPE {name}")
    op.drop_constraint(op.f("ck_lessons_slug_is_url_part"), "lessons")
    op.drop_constraint(op.f("uq_lessons_track_id_slug"), "lessons")
    op.drop_column("lessons", "slug")
