"""The table of this exercise, mapped, and the error. Given: there is nothing to change in it."""

from datetime import datetime

from sqlalchemy import BigInteger, DateTime, Text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class BadCursor(ValueError):
    """A text that no page has ever given as the way to the next one."""


class Base(DeclarativeBase):
    type_annotation_map = {int: BigInteger, str: Text, datetime: DateTime(timezone=True)}


class Track(Base):
    __tablename__ = "tracks"

    id: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str]
    level: Mapped[str]
    published_at: Mapped[datetime | None]
