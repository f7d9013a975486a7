"""Who learns what, and how far they are."""

from __future__ import annotations

import enum
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlalchemy import (
    CheckConstraint,
    Computed,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Numeric,
    Text,
    UniqueConstraint,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column, relationship

from tracker.models.base import Base, Identified, Timestamped, allow_transitions, enumerated

if TYPE_CHECKING:
    from tracker.models.accounts import User
    from tracker.models.catalog import Track
    from tracker.models.content import Lesson, Section


class EnrollmentStatus(enum.StrEnum):
    """Where an enrollment stands."""

    ACTIVE = "active"
    COMPLETED = "completed"
    EXPIRED = "expired"
    CANCELLED = "cancelled"


class AIInteractionKind(enum.StrEnum):
    """What a learner asked an assistant for."""

    QUESTION = "question"
    EXPLANATION = "explanation"
    HINT = "hint"
    FEEDBACK = "feedback"


class Enrollment(Identified, Timestamped, Base):
    """A user's place in a track."""

    __tablename__ = "enrollments"

    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    track_id: Mapped[UUID] = mapped_column(ForeignKey("tracks.id", ondelete="CASCADE"))
    status: Mapped[EnrollmentStatus] = mapped_column(
        enumerated(EnrollmentStatus), server_default=EnrollmentStatus.ACTIVE
    )
    enrolled_at: Mapped[datetime] = mapped_column(server_default=func.now())
    completed_at: Mapped[datetime | None]
    expires_at: Mapped[datetime | None]

    user: Mapped[User] = relationship(back_populates="enrollments")
    track: Mapped[Track] = relationship()
    progress: Mapped[TrackProgress | None] = relationship(
        back_populates="enrollment", cascade="all, delete-orphan", passive_deletes=True
    )

    __table_args__ = (
        # One enrollment per user and track. Its index also finds all enrollments of a user.
        UniqueConstraint("user_id", "track_id"),
        CheckConstraint(
            "(status = 'completed') = (completed_at IS NOT NULL)", name="completed_has_date"
        ),
        CheckConstraint("completed_at >= enrolled_at", name="completed_after_enrolled"),
        CheckConstraint("expires_at > enrolled_at", name="expires_after_enrolled"),
        # the seats that are taken, the enrollments of a track, and the cascade when it is deleted
        Index(None, "track_id", "status"),
        # learning.expire_enrollments(): only active ones can expire
        Index(None, "expires_at", postgresql_where=text("status = 'active'")),
    )


allow_transitions(
    Enrollment,
    {
        EnrollmentStatus.ACTIVE: (
            EnrollmentStatus.COMPLETED,
            EnrollmentStatus.EXPIRED,
            EnrollmentStatus.CANCELLED,
        )
    },
)


class TrackProgress(Identified, Timestamped, Base):
    """How far a user is with a track: summed up, because every dashboard asks for it."""

    __tablename__ = "track_progress"

    user_id: Mapped[UUID]
    track_id: Mapped[UUID]
    completed_lessons: Mapped[int] = mapped_column(server_default=text("0"))
    total_lessons: Mapped[int]
    # Generated: the server computes it whenever the row is written, so it cannot disagree.
    percent: Mapped[int] = mapped_column(
        Computed("100 * completed_lessons / GREATEST(total_lessons, 1)", persisted=True)
    )
    started_at: Mapped[datetime] = mapped_column(server_default=func.now())
    last_accessed_at: Mapped[datetime] = mapped_column(server_default=func.now())
    completed_at: Mapped[datetime | None]

    enrollment: Mapped[Enrollment] = relationship(back_populates="progress")

    __table_args__ = (
        UniqueConstraint("user_id", "track_id"),
        # Progress belongs to an enrollment: without one there is none, and it goes with it.
        ForeignKeyConstraint(
            ["user_id", "track_id"],
            ["enrollments.user_id", "enrollments.track_id"],
            ondelete="CASCADE",
        ),
        CheckConstraint(
            "completed_lessons BETWEEN 0 AND total_lessons", name="completed_lessons_in_range"
        ),
        CheckConstraint("last_accessed_at >= started_at", name="last_accessed_after_started"),
        CheckConstraint("completed_at >= started_at", name="completed_after_started"),
        # the progress of all users in a track
        Index(None, "track_id"),
        # dashboard: what a user worked on last
        Index(None, "user_id", "last_accessed_at"),
        # learners who have not been seen for a while and have not finished
        Index(None, "last_accessed_at", postgresql_where=text("completed_at IS NULL")),
    )


class LessonProgress(Identified, Timestamped, Base):
    """How far one user is with one lesson: the link between the two, with data of its own."""

    __tablename__ = "lesson_progress"

    completed: Mapped[bool] = mapped_column(server_default=text("false"))
    completed_at: Mapped[datetime | None]
    time_spent_minutes: Mapped[int] = mapped_column(server_default=text("0"))
    # Percent. Numeric, not float: 95.5 is stored as 95.5, and averages have no noise in them.
    score: Mapped[Decimal | None] = mapped_column(Numeric(5, 2))

    last_accessed_at: Mapped[datetime] = mapped_column(server_default=func.now())

    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    lesson_id: Mapped[UUID] = mapped_column(ForeignKey("lessons.id", ondelete="CASCADE"))

    user: Mapped[User] = relationship(back_populates="progress")
    lesson: Mapped[Lesson] = relationship(back_populates="progress")

    __table_args__ = (
        # One record per user and lesson. Its index starts with user_id, so it also finds all
        # progress of one user: an index on user_id alone would only slow down writes.
        UniqueConstraint("user_id", "lesson_id"),
        CheckConstraint("completed = (completed_at IS NOT NULL)", name="completed_has_date"),
        CheckConstraint("time_spent_minutes >= 0", name="time_spent_minutes_not_negative"),
        CheckConstraint("score BETWEEN 0 AND 100", name="score_is_percent"),
        # progress of all users on one lesson, and the cascade when a lesson is deleted
        Index(None, "lesson_id"),
    )


class SectionProgress(Identified, Timestamped, Base):
    """How far one user is with one section of a lesson."""

    __tablename__ = "section_progress"

    completed: Mapped[bool] = mapped_column(server_default=text("false"))
    completed_at: Mapped[datetime | None]
    time_spent_seconds: Mapped[int] = mapped_column(server_default=text("0"))
    score: Mapped[Decimal | None] = mapped_column(Numeric(5, 2))
    last_accessed_at: Mapped[datetime] = mapped_column(server_default=func.now())

    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    section_id: Mapped[UUID] = mapped_column(ForeignKey("sections.id", ondelete="CASCADE"))

    user: Mapped[User] = relationship()
    section: Mapped[Section] = relationship()

    __table_args__ = (
        UniqueConstraint("user_id", "section_id"),
        CheckConstraint("completed = (completed_at IS NOT NULL)", name="completed_has_date"),
        CheckConstraint("time_spent_seconds >= 0", name="time_spent_seconds_not_negative"),
        CheckConstraint("score BETWEEN 0 AND 100", name="score_is_percent"),
        # progress of all users in a section, and the cascade when one is deleted
        Index(None, "section_id"),
    )


class AIInteraction(Identified, Base):
    """A question to an assistant, and its answer. Written once, never changed."""

    __tablename__ = "ai_interactions"

    kind: Mapped[AIInteractionKind] = mapped_column(enumerated(AIInteractionKind))
    query: Mapped[str] = mapped_column(Text)
    response: Mapped[str] = mapped_column(Text)
    context: Mapped[dict[str, Any] | None] = mapped_column(JSONB)  # which track, which lesson
    created_at: Mapped[datetime] = mapped_column(server_default=func.now(), sort_order=100)

    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))

    user: Mapped[User] = relationship()

    __table_args__ = (
        # the history of a user, newest last, and the cascade when one is deleted
        Index(None, "user_id", "created_at"),
    )
