"""Core tables in the metadata of a base."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    ForeignKey,
    Identity,
    Integer,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    func,
)
from sqlalchemy.orm import declarative_base

Base = declarative_base()

users = Table(
    "users",
    Base.metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("email", Text, nullable=False),
    Column("name", Text, nullable=False),
    UniqueConstraint("email", name="users_email_key"),
)
tracks = Table(
    "tracks",
    Base.metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("title", Text, nullable=False),
    Column("difficulty", Text, nullable=False),
    Column("price_cents", Integer, server_default="0", nullable=False),
    Column("published", Boolean, server_default="false", nullable=False),
    Column("seats", Integer),
    CheckConstraint("price_cents >= 0", name="price"),
    CheckConstraint("seats > 0", name="seats"),
)
lessons = Table(
    "lessons",
    Base.metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("track_id", ForeignKey("tracks.id", name="lessons_track_id_fkey"), nullable=False),
    Column("position", Integer, nullable=False),
    Column("title", Text, nullable=False),
    Column("minutes", Integer, nullable=False),
    UniqueConstraint("track_id", "position", name="lessons_track_id_position_key"),
)
enrollments = Table(
    "enrollments",
    Base.metadata,
    Column("track_id", ForeignKey("tracks.id", ondelete="CASCADE")),
    Column("user_id", ForeignKey("users.id", ondelete="CASCADE")),
    Column("enrolled_at", DateTime(timezone=True), server_default=func.now(), nullable=False),
    PrimaryKeyConstraint("track_id", "user_id"),
)
lesson_progress = Table(
    "lesson_progress",
    Base.metadata,
    Column("lesson_id", ForeignKey("lessons.id", ondelete="CASCADE")),
    Column("user_id", ForeignKey("users.id", ondelete="CASCADE")),
    Column("minutes", Integer, server_default="0", nullable=False),
    Column("score", Integer),
    Column("completed_at", DateTime(timezone=True)),
    PrimaryKeyConstraint("lesson_id", "user_id"),
    CheckConstraint("minutes >= 0", name="not_negative"),
    CheckConstraint("score >= 0", name="at_least"),
    CheckConstraint("score <= 100", name="at_most"),
)
