"""The catalog: tracks, and which of them come before which."""

from __future__ import annotations

import enum
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

from sqlalchemy import (
    CHAR,
    CheckConstraint,
    Column,
    Computed,
    ForeignKey,
    Index,
    String,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, TSVECTOR
from sqlalchemy.engine.default import DefaultExecutionContext
from sqlalchemy.orm import Mapped, mapped_column, relationship

from tracker.models.base import Base, Identified, Timestamped, enumerated
from tracker.slugs import SLUG_PATTERN, unique_slug

if TYPE_CHECKING:
    from tracker.models.accounts import Organization, User
    from tracker.models.content import Lesson, Module


class Difficulty(enum.StrEnum):
    """How much a track expects of its learners."""

    BEGINNER = "beginner"
    INTERMEDIATE = "intermediate"
    ADVANCED = "advanced"
    EXPERT = "expert"


def _slug_from_title(context: DefaultExecutionContext) -> str:
    return unique_slug(context.get_current_parameters()["title"])  # type: ignore[no-untyped-call]


class TrackPrerequisite(Base):
    """The link between a track and one that should come before it."""

    __tablename__ = "track_prerequisites"

    track_id: Mapped[UUID] = mapped_column(
        ForeignKey("tracks.id", ondelete="CASCADE"), primary_key=True
    )
    prerequisite_id: Mapped[UUID] = mapped_column(
        ForeignKey("tracks.id", ondelete="CASCADE"), primary_key=True
    )

    __table_args__ = (
        CheckConstraint("track_id <> prerequisite_id", name="not_its_own_prerequisite"),
        # which tracks build on this one, and the cascade when it is deleted
        Index(None, "prerequisite_id"),
    )


class Track(Identified, Timestamped, Base):
    """A course: a series of lessons by one author."""

    __tablename__ = "tracks"

    title: Mapped[str] = mapped_column(String(200))
    description: Mapped[str | None] = mapped_column(Text)
    difficulty: Mapped[Difficulty] = mapped_column(
        enumerated(Difficulty), server_default=Difficulty.BEGINNER
    )

    # The part of the URL that names the track. Without one, it is made from the title.
    slug: Mapped[str] = mapped_column(String(100), unique=True, default=_slug_from_title)
    category: Mapped[str | None] = mapped_column(String(100))
    learning_objectives: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default=text("'{}'"))
    thumbnail_url: Mapped[str | None] = mapped_column(String(2048))
    video_url: Mapped[str | None] = mapped_column(String(2048))

    # Cents, not a fraction: integers add up exactly. An amount means nothing without its currency.
    price_cents: Mapped[int] = mapped_column(server_default=text("0"))
    currency: Mapped[str] = mapped_column(CHAR(3), server_default="USD")
    capacity: Mapped[int | None]  # seats; NULL: as many as want to

    tags: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default=text("'{}'"))
    estimated_hours: Mapped[int] = mapped_column(server_default=text("1"))
    is_published: Mapped[bool] = mapped_column(server_default=text("false"))

    is_featured: Mapped[bool] = mapped_column(server_default=text("false"))
    published_at: Mapped[datetime | None]  # the first time; it stays when the track is withdrawn

    author_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    organization_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("organizations.id", ondelete="RESTRICT")
    )

    organization: Mapped[Organization | None] = relationship(back_populates="tracks")
    author: Mapped[User] = relationship(back_populates="tracks")
    lessons: Mapped[list[Lesson]] = relationship(
        back_populates="track",
        order_by="Lesson.position",
        cascade="all, delete-orphan",
        passive_deletes=True,
    )
    modules: Mapped[list[Module]] = relationship(
        back_populates="track",
        order_by="Module.position",
        cascade="all, delete-orphan",
        passive_deletes=True,
    )
    prerequisites: Mapped[list[Track]] = relationship(
        secondary="track_prerequisites",
        primaryjoin="Track.id == TrackPrerequisite.track_id",
        secondaryjoin="Track.id == TrackPrerequisite.prerequisite_id",
        passive_deletes=True,
    )

    __table_args__ = (
        CheckConstraint("title <> ''", name="title_not_empty"),
        CheckConstraint("estimated_hours > 0", name="estimated_hours_positive"),
        CheckConstraint(f"slug ~ '{SLUG_PATTERN}'", name="slug_is_url_part"),
        CheckConstraint("price_cents >= 0", name="price_cents_not_negative"),
        CheckConstraint("currency ~ '^[A-Z]{3}$'", name="currency_is_iso_4217"),
        CheckConstraint("capacity > 0", name="capacity_positive"),
        CheckConstraint("NOT is_published OR published_at IS NOT NULL", name="published_has_date"),
        # tracks of an organization, and the check when one is deleted
        Index(None, "organization_id"),
        # tracks.find(author_id=…), and the cascade when a user is deleted
        Index(None, "author_id"),
        # tracks.find(): the published ones, newest first
        Index("ix_tracks_catalog", "created_at", "id", postgresql_where=text("is_published")),
        # tracks.find(is_featured=True): the home page
        Index(
            "ix_tracks_featured",
            "created_at",
            "id",
            postgresql_where=text("is_published AND is_featured"),
        ),
        # tracks.find(is_published=…, difficulty=…)
        Index(None, "is_published", "difficulty"),
        # tracks.find(tag=…): an array needs GIN; a B-tree only compares whole arrays
        Index(None, "tags", postgresql_using="gin"),
        # The words to search for, with the weight of where they stand. See SERVER_ONLY.
        Column(
            "search_vector",
            TSVECTOR,
            Computed(
                "setweight(to_tsvector('english', title), 'A')"
                " || setweight(to_tsvector('english', coalesce(description, '')), 'B')"
                " || setweight(to_tsvector('english', joined(tags)), 'C')"
                " || setweight(to_tsvector('english', coalesce(category, '')), 'C')",
                persisted=True,
            ),
            nullable=False,
        ),
        # search.find_tracks()
        Index(None, "search_vector", postgresql_using="gin"),
    )
