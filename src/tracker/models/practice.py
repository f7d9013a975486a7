"""What learners try: exercises, the hints that they take, what they predict.

The course is a track, and each notebook and exercise is a lesson of it, found by its slug. How far
somebody is stands in their enrollment and progress, as for any track. Here is how they got there.
Rows are written once and never changed.
"""

from __future__ import annotations

import enum
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKey,
    Index,
    Numeric,
    SmallInteger,
    String,
    Text,
    UniqueConstraint,
    func,
)
from sqlalchemy.orm import Mapped, mapped_column, relationship

from tracker.models.base import Base, Identified, enumerated

if TYPE_CHECKING:
    from tracker.models.accounts import User
    from tracker.models.content import Lesson


class AttemptSource(enum.StrEnum):
    """Who looked at an attempt: the learner, or whoever grades."""

    CHECK = "check"
    GRADING = "grading"


class CheckOutcome(enum.StrEnum):
    """How one check ended; an error is the fault of the checker, not of the learner."""

    PASSED = "passed"
    FAILED = "failed"
    ERROR = "error"


class PredictionKind(enum.StrEnum):
    """What was asked for."""

    NUMBER = "number"
    CHOICE = "choice"
    TEXT = "text"


class ExerciseAttempt(Identified, Base):
    """One look at a learner's work on an exercise."""

    __tablename__ = "exercise_attempts"

    source: Mapped[AttemptSource] = mapped_column(enumerated(AttemptSource))
    attempted_at: Mapped[datetime] = mapped_column(server_default=func.now())
    # The sums of the checks, because every dashboard asks for them.
    earned: Mapped[Decimal] = mapped_column(Numeric(8, 2))
    points: Mapped[Decimal] = mapped_column(Numeric(8, 2))
    # What it takes to see the same again: the work, the numbers, the version of the checker.
    work_sha256: Mapped[str | None] = mapped_column(String(64))
    seed: Mapped[int] = mapped_column(BigInteger)
    kit_version: Mapped[str] = mapped_column(String(50))

    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    lesson_id: Mapped[UUID] = mapped_column(ForeignKey("lessons.id", ondelete="CASCADE"))

    user: Mapped[User] = relationship()
    lesson: Mapped[Lesson] = relationship()
    checks: Mapped[list[CheckResult]] = relationship(
        back_populates="attempt",
        order_by="CheckResult.position",
        cascade="all, delete-orphan",
        passive_deletes=True,
    )

    __table_args__ = (
        CheckConstraint("earned BETWEEN 0 AND points", name="earned_in_range"),
        CheckConstraint("work_sha256 ~ '^[0-9a-f]{64}$'", name="work_sha256_is_hexadecimal"),
        CheckConstraint("kit_version <> ''", name="kit_version_not_empty"),
        # the attempts of a user at an exercise, newest last, and the cascade when one is deleted
        Index(None, "user_id", "lesson_id", "attempted_at"),
        # the attempts of all users at an exercise, and the cascade when one is deleted
        Index(None, "lesson_id"),
    )


class CheckResult(Base):
    """What one check of an attempt found."""

    __tablename__ = "check_results"

    attempt_id: Mapped[UUID] = mapped_column(
        ForeignKey("exercise_attempts.id", ondelete="CASCADE"), primary_key=True
    )
    name: Mapped[str] = mapped_column(String(200), primary_key=True)
    title: Mapped[str] = mapped_column(Text)
    position: Mapped[int] = mapped_column(SmallInteger)
    points: Mapped[Decimal] = mapped_column(Numeric(8, 2))
    earned: Mapped[Decimal] = mapped_column(Numeric(8, 2))
    outcome: Mapped[CheckOutcome] = mapped_column(enumerated(CheckOutcome))
    misconception: Mapped[str | None] = mapped_column(String(100))  # its page is called like this

    attempt: Mapped[ExerciseAttempt] = relationship(back_populates="checks")

    __table_args__ = (
        UniqueConstraint("attempt_id", "position"),
        CheckConstraint("name <> ''", name="name_not_empty"),
        CheckConstraint("position > 0", name="position_positive"),
        CheckConstraint("earned BETWEEN 0 AND points", name="earned_in_range"),
        CheckConstraint(
            "misconception IS NULL OR outcome = 'failed'", name="only_failed_has_misconception"
        ),
    )


class HintTaken(Identified, Base):
    """A rung of the ladder of hints that a learner has climbed: a question, a pointer, a step."""

    __tablename__ = "hints_taken"

    misconception: Mapped[str] = mapped_column(String(100))
    rung: Mapped[int] = mapped_column(SmallInteger)  # counted from 1
    taken_at: Mapped[datetime] = mapped_column(server_default=func.now())

    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    lesson_id: Mapped[UUID] = mapped_column(ForeignKey("lessons.id", ondelete="CASCADE"))

    user: Mapped[User] = relationship()
    lesson: Mapped[Lesson] = relationship()

    __table_args__ = (
        # A rung is taken once: to read it again costs nothing. Its index also finds all of a user.
        UniqueConstraint("user_id", "lesson_id", "misconception", "rung"),
        CheckConstraint("misconception <> ''", name="misconception_not_empty"),
        CheckConstraint("rung > 0", name="rung_positive"),
        # the hints that all users took, and the cascade when a lesson is deleted
        Index(None, "lesson_id"),
    )


class Prediction(Identified, Base):
    """What a learner expected before they saw what happened, and how sure they were."""

    __tablename__ = "predictions"

    question: Mapped[str] = mapped_column(String(200))  # its key, unique within the lesson
    kind: Mapped[PredictionKind] = mapped_column(enumerated(PredictionKind))
    answer: Mapped[str | None] = mapped_column(Text)  # NULL: erased with whoever gave it
    confidence: Mapped[int | None] = mapped_column(SmallInteger)  # percent; NULL: not asked
    is_correct: Mapped[bool | None]  # NULL: nobody can say, such as of a free text
    predicted_at: Mapped[datetime] = mapped_column(server_default=func.now())

    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    lesson_id: Mapped[UUID] = mapped_column(ForeignKey("lessons.id", ondelete="CASCADE"))

    user: Mapped[User] = relationship()
    lesson: Mapped[Lesson] = relationship()

    __table_args__ = (
        CheckConstraint("question <> ''", name="question_not_empty"),
        CheckConstraint("confidence BETWEEN 0 AND 100", name="confidence_is_percent"),
        CheckConstraint(
            r"kind <> 'number' OR answer ~ '^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$'",
            name="number_is_a_number",
        ),
        # what a user predicted in a lesson, newest last, and the cascade when one is deleted
        Index(None, "user_id", "lesson_id", "predicted_at"),
        # what all users predicted in a lesson, and the cascade when one is deleted
        Index(None, "lesson_id"),
    )
