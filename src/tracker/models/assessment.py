"""Quizzes, attempts at them, and the certificates at the end."""

from __future__ import annotations

import enum
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    Index,
    Numeric,
    String,
    Text,
    UniqueConstraint,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column, relationship

from tracker.models.base import Base, Identified, Timestamped, enumerated

if TYPE_CHECKING:
    from tracker.models.accounts import User
    from tracker.models.catalog import Track


class QuestionKind(enum.StrEnum):
    """How a question is answered."""

    MULTIPLE_CHOICE = "multiple_choice"
    TRUE_FALSE = "true_false"
    ESSAY = "essay"


class Quiz(Identified, Timestamped, Base):
    """An assessment of a track, or of one of its modules."""

    __tablename__ = "quizzes"

    title: Mapped[str] = mapped_column(String(200))
    description: Mapped[str | None] = mapped_column(Text)
    passing_score: Mapped[int] = mapped_column(server_default=text("70"))  # percent
    time_limit_minutes: Mapped[int | None]
    max_attempts: Mapped[int] = mapped_column(server_default=text("3"))

    track_id: Mapped[UUID] = mapped_column(ForeignKey("tracks.id", ondelete="CASCADE"))
    module_id: Mapped[UUID | None] = mapped_column(ForeignKey("modules.id", ondelete="SET NULL"))

    track: Mapped[Track] = relationship()
    questions: Mapped[list[Question]] = relationship(
        back_populates="quiz",
        order_by="Question.position",
        cascade="all, delete-orphan",
        passive_deletes=True,
    )
    attempts: Mapped[list[QuizAttempt]] = relationship(
        back_populates="quiz", cascade="all, delete-orphan", passive_deletes=True
    )

    __table_args__ = (
        CheckConstraint("title <> ''", name="title_not_empty"),
        CheckConstraint("passing_score BETWEEN 0 AND 100", name="passing_score_is_percent"),
        CheckConstraint("time_limit_minutes > 0", name="time_limit_minutes_positive"),
        CheckConstraint("max_attempts > 0", name="max_attempts_positive"),
        # the quizzes of a track, and the cascade when one is deleted
        Index(None, "track_id"),
        # the quizzes of a module, and the update when one is deleted
        Index(None, "module_id"),
    )


class Question(Identified, Timestamped, Base):
    """A question of a quiz, at its place in it."""

    __tablename__ = "questions"

    kind: Mapped[QuestionKind] = mapped_column(enumerated(QuestionKind))
    prompt: Mapped[str] = mapped_column(Text)
    options: Mapped[list[str] | None] = mapped_column(JSONB(none_as_null=True))
    # Deferred: what is sent to a learner must not hold it by accident.
    correct_answer: Mapped[str | None] = mapped_column(Text, deferred=True)
    points: Mapped[int] = mapped_column(server_default=text("1"))
    position: Mapped[int]

    quiz_id: Mapped[UUID] = mapped_column(ForeignKey("quizzes.id", ondelete="CASCADE"))

    quiz: Mapped[Quiz] = relationship(back_populates="questions")

    __table_args__ = (
        UniqueConstraint("quiz_id", "position", deferrable=True, initially="IMMEDIATE"),
        CheckConstraint("points > 0", name="points_positive"),
        CheckConstraint("position > 0", name="position_positive"),
        CheckConstraint(
            "kind <> 'multiple_choice' OR options IS NOT NULL AND jsonb_typeof(options) = 'array'",
            name="multiple_choice_has_options",
        ),
        CheckConstraint(
            "(kind = 'essay') = (correct_answer IS NULL)", name="all_but_essay_have_answer"
        ),
    )


class QuizAttempt(Identified, Base):
    """One attempt of one user at a quiz: open until it is submitted."""

    __tablename__ = "quiz_attempts"

    number: Mapped[int]  # of this user at this quiz, counted from 1
    answers: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default=text("'{}'"))
    score: Mapped[Decimal | None] = mapped_column(Numeric(5, 2))  # percent
    passed: Mapped[bool | None]
    started_at: Mapped[datetime] = mapped_column(server_default=func.now())
    completed_at: Mapped[datetime | None]

    quiz_id: Mapped[UUID] = mapped_column(ForeignKey("quizzes.id", ondelete="CASCADE"))
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))

    quiz: Mapped[Quiz] = relationship(back_populates="attempts")
    user: Mapped[User] = relationship()

    __table_args__ = (
        # Of two attempts that start at once, one gets the number and the other is refused.
        UniqueConstraint("quiz_id", "user_id", "number"),
        # At most one attempt of a user at a quiz is open.
        Index(
            "uq_quiz_attempts_open",
            "quiz_id",
            "user_id",
            unique=True,
            postgresql_where=text("completed_at IS NULL"),
        ),
        CheckConstraint("number > 0", name="number_positive"),
        CheckConstraint("score BETWEEN 0 AND 100", name="score_is_percent"),
        CheckConstraint("completed_at >= started_at", name="completed_after_started"),
        CheckConstraint(
            "(completed_at IS NULL) = (score IS NULL) AND (score IS NULL) = (passed IS NULL)",
            name="completed_has_result",
        ),
        # the attempts of a user, newest last, and the cascade when one is deleted
        Index(None, "user_id", "started_at"),
    )


class Certificate(Identified, Timestamped, Base):
    """The proof that a user has completed a track. It outlives the track."""

    __tablename__ = "certificates"

    number: Mapped[str] = mapped_column(String(20), unique=True)
    track_title: Mapped[str] = mapped_column(String(200))  # as it was when this was issued
    issued_at: Mapped[datetime] = mapped_column(server_default=func.now())
    expires_at: Mapped[datetime | None]
    pdf_url: Mapped[str | None] = mapped_column(String(2048))

    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    track_id: Mapped[UUID | None] = mapped_column(ForeignKey("tracks.id", ondelete="SET NULL"))

    user: Mapped[User] = relationship()
    track: Mapped[Track | None] = relationship()

    __table_args__ = (
        # Issued once. Its index also finds the certificates of a user.
        UniqueConstraint("user_id", "track_id"),
        CheckConstraint("expires_at > issued_at", name="expires_after_issued"),
        # the certificates of a track, and the update when one is deleted
        Index(None, "track_id"),
    )
