"""The tables of this exercise, mapped, and the error. Given: there is nothing to change in it."""

from datetime import datetime

from sqlalchemy import CheckConstraint, DateTime, ForeignKey, Text, UniqueConstraint, func
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class TrackNotFound(Exception):
    """No track has this id."""


class Base(DeclarativeBase):
    type_annotation_map = {str: Text, datetime: DateTime(timezone=True)}


class User(Base):
    __tablename__ = "users"

    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str] = mapped_column(unique=True)


class Track(Base):
    __tablename__ = "tracks"
    __table_args__ = (CheckConstraint("seats >= 0"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str]
    seats: Mapped[int]
    """Those that are still free."""


class Booking(Base):
    __tablename__ = "bookings"
    __table_args__ = (UniqueConstraint("track_id", "user_id"), UniqueConstraint("track_id", "seat"))

    id: Mapped[int] = mapped_column(primary_key=True)
    track_id: Mapped[int] = mapped_column(ForeignKey("tracks.id"))
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    seat: Mapped[int | None]
    """Its number, for those who want to number them."""
    booked_at: Mapped[datetime] = mapped_column(server_default=func.now())
