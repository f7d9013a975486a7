"""The tables as tables, with types and domains of PostgreSQL; the classes are laid over them."""

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Identity,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import DOMAIN, ENUM, MONEY, TIMESTAMP
from sqlalchemy.orm import DeclarativeBase


class Base(DeclarativeBase):
    pass


NOW = text("CURRENT_TIMESTAMP")
ROLE = ENUM("student", "instructor", "admin", name="role")
LEVEL = DOMAIN("level", Text(), check="VALUE IN ('beginner', 'intermediate', 'advanced')")

users = Table(
    "users",
    Base.metadata,
    Column("id", SmallInteger, Identity(), primary_key=True),
    Column("email", Text, nullable=False),
    Column("username", Text, nullable=False),
    Column("password_hash", Text, nullable=False),
    Column("bio", Text),
    Column("role", ROLE, nullable=False, server_default="student"),
    Column("is_active", Boolean, nullable=False, server_default=text("true")),
    Column("created_at", TIMESTAMP(timezone=True, precision=3), nullable=False, server_default=NOW),
    UniqueConstraint("email"),
    UniqueConstraint("username"),
    CheckConstraint("email LIKE '%@%'", name="looks_like_an_address"),
)

tracks = Table(
    "tracks",
    Base.metadata,
    Column("id", SmallInteger, Identity(), primary_key=True),
    Column("author_id", None, ForeignKey("users.id", ondelete="CASCADE"), nullable=False),
    Column("title", Text, nullable=False),
    Column("description", Text),
    Column("difficulty", LEVEL, nullable=False, server_default="beginner"),
    Column("price", MONEY, nullable=False, server_default="0"),
    Column("created_at", TIMESTAMP(timezone=True), nullable=False, server_default=NOW),
    CheckConstraint("price >= 0::money"),
)

lessons = Table(
    "lessons",
    Base.metadata,
    Column("id", SmallInteger, Identity(), primary_key=True),
    Column("track_id", None, ForeignKey("tracks.id", ondelete="CASCADE"), nullable=False),
    Column("position", SmallInteger, CheckConstraint("position > 0"), nullable=False),
    Column("title", Text, nullable=False),
    Column("content", Text, nullable=False),
    Column("minutes", SmallInteger, CheckConstraint("minutes BETWEEN 1 AND 600"), nullable=False),
    Column("is_published", Boolean, nullable=False, server_default=text("'no'")),
    UniqueConstraint("position", "track_id", deferrable=True, initially="DEFERRED"),
)


class User(Base):
    __table__ = users


class Track(Base):
    __table__ = tracks


class Lesson(Base):
    __table__ = lessons
