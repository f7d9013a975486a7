"""UUIDs everywhere; the pair of tag and track is a class of its own behind a proxy."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import DateTime, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.ext.associationproxy import AssociationProxy, association_proxy
from sqlalchemy.orm import (
    DeclarativeBase,
    Mapped,
    declared_attr,
    mapped_column,
    registry,
    relationship,
)


class Base(DeclarativeBase):
    registry = registry(type_annotation_map={datetime: DateTime(timezone=True)})

    @declared_attr.directive
    def __tablename__(cls) -> str:
        return f"{cls.__name__.lower()}s"

    id: Mapped[UUID] = mapped_column(primary_key=True, server_default=text("gen_random_uuid()"))


def of(table: str, on_delete: str = "CASCADE", **options):
    key = ForeignKey(f"{table}.id", ondelete=on_delete, deferrable=True)
    return mapped_column(key, index=True, **options)


def parts(back: str, **options):
    return relationship(
        back_populates=back, cascade="all, delete-orphan", passive_deletes=True, **options
    )


class User(Base):
    email: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]

    profile: Mapped["Profile"] = parts("user", single_parent=True)
    enrollments: Mapped[list["Enrollment"]] = parts("user", lazy="selectin")
    tracks: Mapped[list["Track"]] = relationship(back_populates="author", passive_deletes="all")


class Profile(Base):
    __table_args__ = (UniqueConstraint("user_id", deferrable=True, initially="DEFERRED"),)

    user_id: Mapped[UUID] = of("users")
    bio: Mapped[str]
    user: Mapped[User] = relationship(back_populates="profile", lazy="joined")


class Pair(Base):
    __tablename__ = "pairs"

    track_id: Mapped[UUID] = of("tracks")
    tag_id: Mapped[UUID] = of("tags")
    track: Mapped["Track"] = relationship(back_populates="pairs")
    tag: Mapped["Tag"] = relationship(back_populates="pairs")


Index("a_tag_once", Pair.track_id, Pair.tag_id, unique=True)


class Track(Base):
    author_id: Mapped[UUID] = of("users", "NO ACTION")
    title: Mapped[str]

    author: Mapped[User] = relationship(back_populates="tracks")
    lessons: Mapped[list["Lesson"]] = parts("track", order_by="Lesson.position", lazy="joined")
    enrollments: Mapped[list["Enrollment"]] = parts("track")
    pairs: Mapped[list[Pair]] = parts("track")
    tags: AssociationProxy[list["Tag"]] = association_proxy(
        "pairs", "tag", creator=lambda tag: Pair(tag=tag)
    )


class Tag(Base):
    name: Mapped[str]

    pairs: Mapped[list[Pair]] = parts("tag")
    tracks: AssociationProxy[list[Track]] = association_proxy(
        "pairs", "track", creator=lambda track: Pair(track=track)
    )


class Lesson(Base):
    track_id: Mapped[UUID] = of("tracks")
    position: Mapped[int]
    title: Mapped[str]
    track: Mapped[Track] = relationship(back_populates="lessons")


class Enrollment(Base):
    __table_args__ = (UniqueConstraint("track_id", "user_id"),)

    user_id: Mapped[UUID] = of("users")
    track_id: Mapped[UUID] = of("tracks")
    progress: Mapped[int] = mapped_column(server_default="0")
    enrolled_at: Mapped[datetime] = mapped_column(server_default=text("clock_timestamp()"))
    user: Mapped[User] = relationship(back_populates="enrollments")
    track: Mapped[Track] = relationship(back_populates="enrollments")
