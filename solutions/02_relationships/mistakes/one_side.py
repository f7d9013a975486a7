# misconception: two-sides-find-each-other
# fails: test_both_sides, test_tags
"""Users, tracks and what belongs to them. Both sides follow the same keys."""

from datetime import datetime

from sqlalchemy import Column, DateTime, ForeignKey, Table, Text, func, text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship


class Base(DeclarativeBase):
    """All tables of the tracker: `Base.metadata.create_all(connection)` makes them."""

    type_annotation_map = {datetime: DateTime(timezone=True), str: Text}


PART = "all, delete-orphan"
"""What a part of something else goes with; what leaves its whole is deleted."""

track_tags = Table(
    "track_tags",
    Base.metadata,
    Column("track_id", ForeignKey("tracks.id", ondelete="CASCADE"), primary_key=True),
    Column("tag_id", ForeignKey("tags.id", ondelete="CASCADE"), primary_key=True, index=True),
)


class User(Base):
    __tablename__ = "users"

    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]

    profile: Mapped["Profile | None"] = relationship(cascade=PART, passive_deletes=True)
    tracks: Mapped[list["Track"]] = relationship(passive_deletes="all")
    enrollments: Mapped[list["Enrollment"]] = relationship(cascade=PART, passive_deletes=True)


class Profile(Base):
    __tablename__ = "profiles"

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), unique=True)
    bio: Mapped[str]

    user: Mapped[User] = relationship()


class Track(Base):
    __tablename__ = "tracks"

    id: Mapped[int] = mapped_column(primary_key=True)
    author_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="RESTRICT"), index=True)
    title: Mapped[str]

    author: Mapped[User] = relationship()
    lessons: Mapped[list["Lesson"]] = relationship(
        cascade=PART, passive_deletes=True, order_by="Lesson.position"
    )
    enrollments: Mapped[list["Enrollment"]] = relationship(cascade=PART, passive_deletes=True)
    tags: Mapped[list["Tag"]] = relationship(secondary=track_tags, passive_deletes=True)


class Lesson(Base):
    __tablename__ = "lessons"

    id: Mapped[int] = mapped_column(primary_key=True)
    track_id: Mapped[int] = mapped_column(ForeignKey("tracks.id", ondelete="CASCADE"), index=True)
    position: Mapped[int]
    title: Mapped[str]

    track: Mapped[Track] = relationship()


class Enrollment(Base):
    __tablename__ = "enrollments"

    user_id: Mapped[int] = mapped_column(
        ForeignKey("users.id", ondelete="CASCADE"), primary_key=True
    )
    track_id: Mapped[int] = mapped_column(
        ForeignKey("tracks.id", ondelete="CASCADE"), primary_key=True, index=True
    )
    progress: Mapped[int] = mapped_column(server_default=text("0"))
    enrolled_at: Mapped[datetime] = mapped_column(server_default=func.now())

    user: Mapped[User] = relationship()
    track: Mapped[Track] = relationship()


class Tag(Base):
    __tablename__ = "tags"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)

    tracks: Mapped[list[Track]] = relationship(secondary=track_tags, passive_deletes=True)
