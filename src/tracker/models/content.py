"""What a track consists of: modules, lessons, sections, and the media in them."""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Computed,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    String,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, TSVECTOR
from sqlalchemy.orm import Mapped, mapped_column, relationship

from tracker.models.base import Base, Identified, Timestamped, enumerated
from tracker.slugs import SLUG_PATTERN

if TYPE_CHECKING:
    from tracker.models.catalog import Track
    from tracker.models.learning import LessonProgress


class LessonKind(enum.StrEnum):
    """What a lesson mainly is."""

    TEXT = "text"
    VIDEO = "video"
    QUIZ = "quiz"


class SectionKind(enum.StrEnum):
    """What a section of a lesson is."""

    TEXT = "text"
    VIDEO = "video"
    QUIZ = "quiz"
    ACTIVITY = "activity"
    ASSESSMENT = "assessment"


class MediaKind(enum.StrEnum):
    """What a media file is."""

    VIDEO = "video"
    IMAGE = "image"
    DOCUMENT = "document"


class Module(Identified, Timestamped, Base):
    """A chapter: some of a track's lessons."""

    __tablename__ = "modules"

    title: Mapped[str] = mapped_column(String(200))
    description: Mapped[str | None] = mapped_column(Text)
    content: Mapped[str | None] = mapped_column(Text)
    video_url: Mapped[str | None] = mapped_column(String(2048))
    duration_minutes: Mapped[int | None]
    position: Mapped[int]

    track_id: Mapped[UUID] = mapped_column(ForeignKey("tracks.id", ondelete="CASCADE"))

    track: Mapped[Track] = relationship(back_populates="modules")
    lessons: Mapped[list[Lesson]] = relationship(
        back_populates="module",
        foreign_keys="Lesson.module_id",
        order_by="Lesson.position",
        passive_deletes="all",
    )

    __table_args__ = (
        UniqueConstraint("track_id", "position", deferrable=True, initially="IMMEDIATE"),
        # The target of the foreign key of lessons, which needs both columns.
        UniqueConstraint("track_id", "id"),
        CheckConstraint("title <> ''", name="title_not_empty"),
        CheckConstraint("duration_minutes > 0", name="duration_minutes_positive"),
        CheckConstraint("position > 0", name="position_positive"),
    )


class Lesson(Identified, Timestamped, Base):
    """One unit of learning, at its place in a track."""

    __tablename__ = "lessons"

    title: Mapped[str] = mapped_column(String(200))
    # A name that stays when the title changes, for programs and URLs; NULL: nobody needs one.
    slug: Mapped[str | None] = mapped_column(String(100))
    kind: Mapped[LessonKind] = mapped_column(enumerated(LessonKind), server_default=LessonKind.TEXT)
    content: Mapped[str] = mapped_column(Text)
    video_url: Mapped[str | None] = mapped_column(String(2048))
    learning_objectives: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default=text("'{}'"))
    duration_minutes: Mapped[int]
    position: Mapped[int]  # "order" is a reserved word in SQL

    is_preview: Mapped[bool] = mapped_column(server_default=text("false"))
    is_published: Mapped[bool] = mapped_column(server_default=text("false"))

    track_id: Mapped[UUID] = mapped_column(ForeignKey("tracks.id", ondelete="CASCADE"))
    module_id: Mapped[UUID | None]

    track: Mapped[Track] = relationship(back_populates="lessons")
    module: Mapped[Module | None] = relationship(
        back_populates="lessons", foreign_keys="Lesson.module_id"
    )
    sections: Mapped[list[Section]] = relationship(
        back_populates="lesson",
        order_by="Section.position",
        cascade="all, delete-orphan",
        passive_deletes=True,
    )
    progress: Mapped[list[LessonProgress]] = relationship(
        back_populates="lesson", cascade="all, delete-orphan", passive_deletes=True
    )

    __table_args__ = (
        # Both columns: a lesson's module must be one of the same track.
        ForeignKeyConstraint(
            ["track_id", "module_id"], ["modules.track_id", "modules.id"], ondelete="CASCADE"
        ),
        # Its index also serves Track.lessons in order, so no second one on the same columns.
        # Deferrable: an ordinary unique constraint is checked row by row and would refuse
        # "SET position = position + 1"; this one is checked when the statement is complete.
        UniqueConstraint("track_id", "position", deferrable=True, initially="IMMEDIATE"),
        UniqueConstraint("track_id", "slug"),
        CheckConstraint("title <> ''", name="title_not_empty"),
        CheckConstraint(f"slug ~ '{SLUG_PATTERN}'", name="slug_is_url_part"),
        CheckConstraint("duration_minutes > 0", name="duration_minutes_positive"),
        CheckConstraint("position > 0", name="position_positive"),
        # the lessons of a module, and the cascade when one is deleted
        Index(None, "module_id"),
        # The words to search for, with the weight of where they stand. See SERVER_ONLY.
        Column(
            "search_vector",
            TSVECTOR,
            Computed(
                "setweight(to_tsvector('english', title), 'A')"
                " || setweight(to_tsvector('english', content), 'B')",
                persisted=True,
            ),
            nullable=False,
        ),
        # search.find_lessons()
        Index(None, "search_vector", postgresql_using="gin"),
    )


class Section(Identified, Timestamped, Base):
    """A part of a lesson, at its place in it."""

    __tablename__ = "sections"

    title: Mapped[str] = mapped_column(String(200))
    content: Mapped[str] = mapped_column(Text)
    kind: Mapped[SectionKind] = mapped_column(
        enumerated(SectionKind), server_default=SectionKind.TEXT
    )
    position: Mapped[int]
    is_required: Mapped[bool] = mapped_column(server_default=text("true"))

    lesson_id: Mapped[UUID] = mapped_column(ForeignKey("lessons.id", ondelete="CASCADE"))

    lesson: Mapped[Lesson] = relationship(back_populates="sections")

    __table_args__ = (
        UniqueConstraint("lesson_id", "position", deferrable=True, initially="IMMEDIATE"),
        CheckConstraint("title <> ''", name="title_not_empty"),
        CheckConstraint("position > 0", name="position_positive"),
    )


class Media(Identified, Timestamped, Base):
    """A video, image or document that is kept elsewhere."""

    __tablename__ = "media"

    kind: Mapped[MediaKind] = mapped_column(enumerated(MediaKind))
    url: Mapped[str] = mapped_column(String(2048))
    provider: Mapped[str | None] = mapped_column(String(50))
    provider_id: Mapped[str | None] = mapped_column(String(255))
    title: Mapped[str | None] = mapped_column(String(200))
    mime_type: Mapped[str | None] = mapped_column(String(127))
    duration_seconds: Mapped[int | None]
    size_bytes: Mapped[int | None] = mapped_column(BigInteger)  # an integer ends at 2 GB

    # SET NULL: the file is still there, and still paid for, when its lesson is gone.
    lesson_id: Mapped[UUID | None] = mapped_column(ForeignKey("lessons.id", ondelete="SET NULL"))

    lesson: Mapped[Lesson | None] = relationship()

    __table_args__ = (
        CheckConstraint("duration_seconds > 0", name="duration_seconds_positive"),
        CheckConstraint("size_bytes >= 0", name="size_bytes_not_negative"),
        # the media of a lesson, and the update when one is deleted
        Index(None, "lesson_id"),
    )
