"""The tables as tables; each pair of attributes is said once, with a backref."""

from sqlalchemy import (
    Column,
    DateTime,
    ForeignKey,
    Identity,
    PrimaryKeyConstraint,
    SmallInteger,
    String,
    Table,
    func,
)
from sqlalchemy.orm import DeclarativeBase, backref, relationship


class Base(DeclarativeBase):
    pass


def key():
    return Column("id", SmallInteger, Identity(always=True), primary_key=True)


def part_of(name, target, **options):
    return Column(
        name, None, ForeignKey(f"{target}.id", ondelete="CASCADE"), nullable=False, **options
    )


users = Table(
    "users",
    Base.metadata,
    key(),
    Column("email", String(200), nullable=False, unique=True),
    Column("name", String(200), nullable=False),
)
profiles = Table(
    "profiles",
    Base.metadata,
    part_of("user_id", "users", primary_key=True),
    Column("bio", String, nullable=False),
)
tracks = Table(
    "tracks",
    Base.metadata,
    key(),
    Column("author_id", None, ForeignKey("users.id"), nullable=False),
    Column("title", String, nullable=False),
)
lessons = Table(
    "lessons",
    Base.metadata,
    key(),
    part_of("track_id", "tracks"),
    Column("position", SmallInteger, nullable=False),
    Column("title", String, nullable=False),
)
enrollments = Table(
    "enrollments",
    Base.metadata,
    part_of("track_id", "tracks"),
    part_of("user_id", "users"),
    Column("progress", SmallInteger, nullable=False, server_default="0"),
    Column("enrolled_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    PrimaryKeyConstraint("track_id", "user_id"),
)
tags = Table("tags", Base.metadata, key(), Column("name", String(80), nullable=False))
tagged = Table(
    "tagged",
    Base.metadata,
    part_of("tag", "tags"),
    part_of("track", "tracks"),
    PrimaryKeyConstraint("tag", "track"),
)


def whole(name, **options):
    return backref(name, cascade="all, delete-orphan", passive_deletes=True, **options)


class User(Base):
    __table__ = users


class Profile(Base):
    __table__ = profiles
    user = relationship(User, backref=whole("profile", uselist=False))


class Tag(Base):
    __table__ = tags


class Track(Base):
    __table__ = tracks
    author = relationship(User, backref=backref("tracks", passive_deletes="all"))
    tags = relationship(Tag, secondary=tagged, backref="tracks")


class Lesson(Base):
    __table__ = lessons
    track = relationship(Track, backref=whole("lessons", order_by=lessons.c.position))


class Enrollment(Base):
    __table__ = enrollments
    user = relationship(User, backref=whole("enrollments"))
    track = relationship(Track, backref=whole("enrollments"))
