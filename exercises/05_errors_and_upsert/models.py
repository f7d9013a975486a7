"""The tables of this exercise, mapped, and the errors. Given: there is nothing to change in it."""

from datetime import datetime

from sqlalchemy import (
    CheckConstraint,
    DateTime,
    ForeignKey,
    Index,
    Text,
    UniqueConstraint,
    func,
    text,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Refused(Exception):
    """What was to be stored breaks a rule of the tables."""


class EmailTaken(Refused):
    """Somebody has this email."""


class UsernameTaken(Refused):
    """Somebody has this username."""


class ValueMissing(Refused):
    """A value that must be there is None."""


class ValueNotAllowed(Refused):
    """A value is there, and is not one of those that are allowed."""


class UserUnknown(Refused):
    """No user has this id."""


class TrackUnknown(Refused):
    """No track has this id."""


class Base(DeclarativeBase):
    type_annotation_map = {str: Text, datetime: DateTime(timezone=True)}


class User(Base):
    __tablename__ = "users"

    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str]
    username: Mapped[str]
    age: Mapped[int | None]

    __table_args__ = (
        Index("users_email_key", text("lower(email)"), unique=True),
        UniqueConstraint("username", name="users_username_key"),
        CheckConstraint("age BETWEEN 13 AND 120", name="users_age_check"),
    )


class Track(Base):
    __tablename__ = "tracks"

    id: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str]


class Rating(Base):
    __tablename__ = "ratings"

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", name="ratings_user_id_fkey"))
    track_id: Mapped[int] = mapped_column(ForeignKey("tracks.id", name="ratings_track_id_fkey"))
    stars: Mapped[int]
    comment: Mapped[str | None]
    helpful: Mapped[int] = mapped_column(server_default=text("0"))
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now(), onupdate=func.now())

    __table_args__ = (
        UniqueConstraint("user_id", "track_id", name="ratings_user_id_track_id_key"),
        CheckConstraint("stars BETWEEN 1 AND 5", name="ratings_stars_check"),
    )
