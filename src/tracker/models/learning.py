"""Who has learned what."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, Numeric, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from tracker.models.base import Base, Identified, Timestamped

if TYPE_CHECKING:
    from tracker.models.accounts import User
    from tracker.models.catalog import Lesson


class LessonProgress(Identified, Timestamped, Base):
    """How far one user is with one lesson: the link between the two, with data of its own."""

    __tablename__ = "lesson_progress"

    completed: Mapped[bool] = mapped_column(server_default=text("false"))
    completed_at: Mapped[datetime | None]
    time_spent_minutes: Mapped[int] = mapped_column(server_default=text("0"))
    # Percent. Numeric, not float: 95.5 is stored as 95.5, and averages have no noise in them.
    score: Mapped[Decimal | None] = mapped_column(Numeric(5, 2))

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
