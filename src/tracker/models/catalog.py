"""What can be learned: tracks, and the lessons in them."""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING
from uuid import UUID

from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    Index,
    String,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column, relationship

from tracker.models.base import Base, Identified, Timestamped, enumerated

if TYPE_CHECKING:
    from tracker.models.accounts import User
    from tracker.models.learning import LessonProgress


class Difficulty(enum.StrEnum):
    """How much a track expects of its learners."""

    BEGINNER = "beginner"
    INTERMEDIATE = "intermediate"
    ADVANCED = "advanced"


class Track(Identified, Timestamped, Base):
    """A course: a series of lessons by one author."""

    __tablename__ = "tracks"

    title: Mapped[str] = mapped_column(String(200))
    description: Mapped[str | None] = mapped_column(Text)
    difficulty: Mapped[Difficulty] = mapped_column(
        enumerated(Difficulty), server_default=Difficulty.BEGINNER
    )

    tags: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default=text("'{}'"))
    estimated_hours: Mapped[int] = mapped_column(server_default=text("1"))
    is_published: Mapped[bool] = mapped_column(server_default=text("false"))

    author_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))

    author: Mapped[User] = relationship(back_populates="tracks")
    lessons: Mapped[list[Lesson]] = relationship(
        back_populates="track",
        order_by="Lesson.position",
        cascade="all, delete-orphan",
        passive_deletes=True,
    )

    __table_args__ = (
        CheckConstraint("title <> ''", name="title_not_empty"),
        CheckConstraint("estimated_hours > 0", name="estimated_hours_positive"),
        # tracks.find(author_id=…), and the cascade when a user is deleted
        Index(None, "author_id"),
        # tracks.find(is_published=…, difficulty=…)
        Index(None, "is_published", "difficulty"),
        # tracks.find(tag=…): an array needs GIN; a B-tree only compares whole arrays
        Index(None, "tags", postgresql_using="gin"),
    )


class Lesson(Identified, Timestamped, Base):
    """One unit of learning, at its place in a track."""

    __tablename__ = "lessons"

    title: Mapped[str] = mapped_column(String(200))
    content: Mapped[str] = mapped_column(Text)
    video_url: Mapped[str | None] = mapped_column(String(2048))
    duration_minutes: Mapped[int]
    position: Mapped[int]  # "order" is a reserved word in SQL

    is_preview: Mapped[bool] = mapped_column(server_default=text("false"))
    is_published: Mapped[bool] = mapped_column(server_default=text("false"))

    track_id: Mapped[UUID] = mapped_column(ForeignKey("tracks.id", ondelete="CASCADE"))

    track: Mapped[Track] = relationship(back_populates="lessons")
    progress: Mapped[list[LessonProgress]] = relationship(
        back_populates="lesson", cascade="all, delete-orphan", passive_deletes=True
    )

    __table_args__ = (
        # Its index also serves Track.lessons in order, so no second one on the same columns.
        # Deferrable: an ordinary unique constraint is checked row by row and would refuse
        # "SET position = position + 1"; this one is checked when the statement is complete.
        UniqueConstraint("track_id", "position", deferrable=True, initially="IMMEDIATE"),
        CheckConstraint("title <> ''", name="title_not_empty"),
        CheckConstraint("duration_minutes > 0", name="duration_minutes_positive"),
        CheckConstraint("position > 0", name="position_positive"),
    )
