"""The tables of this exercise, mapped, and the errors. Given: there is nothing to change in it."""

from datetime import datetime

from sqlalchemy import DateTime, ForeignKey, Text, UniqueConstraint, func, text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class EnrollmentRefused(Exception):
    """Somebody cannot be enrolled, and trying again will not help."""


class UserNotFound(EnrollmentRefused):
    """No user has this id."""


class TrackNotAvailable(EnrollmentRefused):
    """No track has this id, or it is not published."""


class AlreadyEnrolled(EnrollmentRefused):
    """The user is enrolled in this track already."""


class Base(DeclarativeBase):
    type_annotation_map = {str: Text, datetime: DateTime(timezone=True)}


class User(Base):
    __tablename__ = "users"

    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str] = mapped_column(unique=True)


class Track(Base):
    __tablename__ = "tracks"

    id: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str]
    is_published: Mapped[bool] = mapped_column(server_default=text("false"))


class Lesson(Base):
    __tablename__ = "lessons"
    __table_args__ = (UniqueConstraint("track_id", "position"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    track_id: Mapped[int] = mapped_column(ForeignKey("tracks.id"))
    position: Mapped[int]
    title: Mapped[str]


class Enrollment(Base):
    __tablename__ = "enrollments"
    __table_args__ = (UniqueConstraint("user_id", "track_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    track_id: Mapped[int] = mapped_column(ForeignKey("tracks.id"))
    enrolled_at: Mapped[datetime] = mapped_column(server_default=func.now())


class LessonProgress(Base):
    __tablename__ = "lesson_progress"

    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), primary_key=True)
    lesson_id: Mapped[int] = mapped_column(ForeignKey("lessons.id"), primary_key=True)
    completed: Mapped[bool] = mapped_column(server_default=text("false"))
    minutes: Mapped[int] = mapped_column(server_default=text("0"))
