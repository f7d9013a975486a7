"""UUIDs as keys, CHECK instead of enumerated types, and a price in cents."""

import uuid
from datetime import datetime
from typing import Annotated

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Uuid, false, func, text, true
from sqlalchemy.dialects.postgresql import TIMESTAMP
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

Key = Annotated[
    uuid.UUID, mapped_column(Uuid, primary_key=True, server_default=text("gen_random_uuid()"))
]
Moment = Annotated[
    datetime, mapped_column(TIMESTAMP(timezone=True), server_default=text("clock_timestamp()"))
]


class Base(DeclarativeBase):
    pass


class User(Base):
    __tablename__ = "users"
    __table_args__ = (
        CheckConstraint("role IN ('student', 'instructor', 'admin')"),
        Index("one_account_per_address", "email", unique=True),
        Index("one_account_per_name", "username", unique=True),
    )

    id: Mapped[Key]
    email: Mapped[str] = mapped_column(String(254))
    username: Mapped[str] = mapped_column(String(60))
    password_hash: Mapped[str] = mapped_column(String(255))
    bio: Mapped[str | None]
    role: Mapped[str] = mapped_column(String(10), server_default="student")
    is_active: Mapped[bool] = mapped_column(server_default=true())
    created_at: Mapped[Moment]


class Track(Base):
    __tablename__ = "tracks"
    __table_args__ = (
        CheckConstraint("difficulty IN ('beginner', 'intermediate', 'advanced')"),
        CheckConstraint("price_cents >= 0"),
    )

    id: Mapped[Key]
    author_id: Mapped[uuid.UUID] = mapped_column(ForeignKey(User.id, ondelete="RESTRICT"))
    title: Mapped[str]
    description: Mapped[str | None]
    difficulty: Mapped[str] = mapped_column(String(12), server_default="beginner")
    price_cents: Mapped[int] = mapped_column(server_default="0")
    created_at: Mapped[Moment]
    updated_at: Mapped[datetime] = mapped_column(
        TIMESTAMP(timezone=True), server_default=func.now(), onupdate=func.now()
    )


class Lesson(Base):
    __tablename__ = "lessons"
    __table_args__ = (
        Index("one_lesson_per_place", "track_id", "position", unique=True),
        CheckConstraint("position > 0 AND minutes > 0"),
    )

    id: Mapped[Key]
    track_id: Mapped[uuid.UUID] = mapped_column(ForeignKey(Track.id, ondelete="CASCADE"))
    position: Mapped[int]
    title: Mapped[str]
    content: Mapped[str]
    minutes: Mapped[int]
    is_published: Mapped[bool] = mapped_column(server_default=false())
