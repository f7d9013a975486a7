"""Mapped dataclasses. The pairs are joined by the name of the tag."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import (
    BigInteger,
    Column,
    DateTime,
    ForeignKey,
    Identity,
    Table,
    Text,
    UniqueConstraint,
    func,
)
from sqlalchemy.orm import (
    DeclarativeBase,
    Mapped,
    MappedAsDataclass,
    mapped_column,
    registry,
    relationship,
)


class Base(MappedAsDataclass, DeclarativeBase, kw_only=True):
    registry = registry(
        type_annotation_map={int: BigInteger, str: Text, datetime: DateTime(timezone=True)}
    )


class Numbered(MappedAsDataclass, kw_only=True):
    id: Mapped[int] = mapped_column(Identity(), primary_key=True, init=False)


def ours(target: str, **options):
    return mapped_column(ForeignKey(target, ondelete="CASCADE"), init=False, **options)


def many(back: str, **options):
    return relationship(back_populates=back, default_factory=list, passive_deletes=True, **options)


class User(Numbered, Base):
    __tablename__ = "users"

    email: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    profile: Mapped[Profile | None] = relationship(
        back_populates="user", default=None, cascade="all, delete-orphan", passive_deletes=True
    )
    tracks: Mapped[list[Track]] = many("author")
    enrollments: Mapped[list[Enrollment]] = many("user", cascade="all, delete-orphan")


class Profile(Base):
    __tablename__ = "profiles"

    user_id: Mapped[int] = ours("users.id", primary_key=True)
    bio: Mapped[str]
    user: Mapped[User] = relationship(back_populates="profile", default=None)


tags_of_tracks = Table(
    "tags_of_tracks",
    Base.metadata,
    Column("tag", ForeignKey("tags.name", ondelete="CASCADE"), nullable=False),
    Column("track", ForeignKey("tracks.id", ondelete="CASCADE"), nullable=False),
    UniqueConstraint("tag", "track"),
)


class Track(Numbered, Base):
    __tablename__ = "tracks"

    author_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="RESTRICT"), init=False)
    title: Mapped[str]
    author: Mapped[User] = relationship(back_populates="tracks", default=None)
    lessons: Mapped[list[Lesson]] = many(
        "track", cascade="all, delete-orphan", order_by="Lesson.position, Lesson.id"
    )
    enrollments: Mapped[list[Enrollment]] = many("track", cascade="all, delete-orphan")
    tags: Mapped[list[Tag]] = many("tracks", secondary=tags_of_tracks)


class Lesson(Numbered, Base):
    __tablename__ = "lessons"

    track_id: Mapped[int] = ours("tracks.id")
    position: Mapped[int]
    title: Mapped[str]
    track: Mapped[Track] = relationship(back_populates="lessons", default=None)


class Enrollment(Base):
    __tablename__ = "enrollments"

    user_id: Mapped[int] = ours("users.id", primary_key=True)
    track_id: Mapped[int] = ours("tracks.id", primary_key=True)
    progress: Mapped[int] = mapped_column(server_default="0", default=0)
    enrolled_at: Mapped[datetime] = mapped_column(server_default=func.now(), init=False)
    user: Mapped[User] = relationship(back_populates="enrollments", default=None)
    track: Mapped[Track] = relationship(back_populates="enrollments", default=None)


class Tag(Numbered, Base):
    __tablename__ = "tags"

    name: Mapped[str] = mapped_column(unique=True)
    tracks: Mapped[list[Track]] = many("tags", secondary=tags_of_tracks)
