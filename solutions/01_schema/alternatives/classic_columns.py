"""Columns in the style of SQLAlchemy 1: each says itself whether it may be NULL."""

import enum

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    Enum,
    ForeignKey,
    Identity,
    Integer,
    Numeric,
    Text,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import ExcludeConstraint
from sqlalchemy.orm import backref, declarative_base, relationship

Base = declarative_base()


class Role(enum.Enum):
    STUDENT = "student"
    INSTRUCTOR = "instructor"
    ADMIN = "admin"


class Difficulty(enum.Enum):
    BEGINNER = "beginner"
    INTERMEDIATE = "intermediate"
    ADVANCED = "advanced"


def values(members):
    return [member.value for member in members]


class User(Base):
    __tablename__ = "users"

    id = Column(BigInteger, Identity(always=True), primary_key=True)
    email = Column(Text, unique=True, nullable=False)
    username = Column(Text, unique=True, nullable=False)
    password_hash = Column(Text, nullable=False)
    bio = Column(Text)
    role = Column(Enum(Role, values_callable=values), nullable=False, server_default="student")
    is_active = Column(Boolean, nullable=False, server_default=text("true"))
    created_at = Column(DateTime(timezone=True), nullable=False, server_default=func.now())


class Track(Base):
    __tablename__ = "tracks"

    id = Column(BigInteger, Identity(always=True), primary_key=True)
    author_id = Column(BigInteger, ForeignKey("users.id"), nullable=False)
    title = Column(Text, nullable=False)
    description = Column(Text)
    difficulty = Column(
        Enum(Difficulty, values_callable=values, native_enum=False, create_constraint=True),
        nullable=False,
        server_default="beginner",
    )
    price = Column(
        Numeric(10, 2), CheckConstraint("price >= 0"), nullable=False, server_default=text("0")
    )
    created_at = Column(DateTime(timezone=True), nullable=False, server_default=func.now())
    author = relationship("User", backref=backref("tracks", passive_deletes=True))


class Lesson(Base):
    __tablename__ = "lessons"
    __table_args__ = (ExcludeConstraint(("track_id", "="), ("position", "="), using="btree"),)

    id = Column(BigInteger, Identity(always=True), primary_key=True)
    track_id = Column(BigInteger, ForeignKey("tracks.id"), nullable=False)
    position = Column(Integer, CheckConstraint("position >= 1"), nullable=False)
    title = Column(Text, nullable=False)
    content = Column(Text, nullable=False)
    minutes = Column(Integer, CheckConstraint("minutes >= 1"), nullable=False)
    is_published = Column(Boolean, nullable=False, server_default=text("false"))
    track = relationship("Track", backref="lessons")
