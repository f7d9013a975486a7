"""What the learning tracker knows: six tables, and numbers in them that mean rows of another one.

The columns are right. But `author_id = 7` is only a seven so far: nothing says of whom, and
`track.author` does not exist. Whoever moved these classes over from the old program ran out of
time here, and left remarks.
"""

from datetime import datetime

from sqlalchemy import DateTime, Text, func, text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Base(DeclarativeBase):
    """All tables of the tracker: `Base.metadata.create_all(connection)` makes them."""

    type_annotation_map = {datetime: DateTime(timezone=True), str: Text}


class User(Base):
    __tablename__ = "users"

    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str]
    name: Mapped[str]
    # profile, tracks, enrollments


class Profile(Base):
    __tablename__ = "profiles"

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int]  # one profile for a user; the page that makes it looks first
    bio: Mapped[str]
    # user


class Track(Base):
    __tablename__ = "tracks"

    id: Mapped[int] = mapped_column(primary_key=True)
    author_id: Mapped[int]
    title: Mapped[str]
    # author, lessons, enrollments, tags


class Lesson(Base):
    __tablename__ = "lessons"

    id: Mapped[int] = mapped_column(primary_key=True)
    track_id: Mapped[int]
    position: Mapped[int]
    title: Mapped[str]
    # track


class Enrollment(Base):
    __tablename__ = "enrollments"

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int]
    track_id: Mapped[
        int
    ]  # the same user in the same track again? they can click as often as they like
    progress: Mapped[int] = mapped_column(server_default=text("0"))
    enrolled_at: Mapped[datetime] = mapped_column(server_default=func.now())
    # user, track


class Tag(Base):
    __tablename__ = "tags"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    # tracks. A tag has many, and a track has many tags: which of the two gets the column?
