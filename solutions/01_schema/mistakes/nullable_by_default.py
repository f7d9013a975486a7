# misconception: nullable-by-default
# fails: test_required_columns
"""Users, tracks and lessons, column by column."""

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    Enum,
    ForeignKey,
    Integer,
    Numeric,
    String,
    Text,
    UniqueConstraint,
    func,
    text,
)
from sqlalchemy.orm import DeclarativeBase, relationship

ROLES = Enum("student", "instructor", "admin", name="role")
DIFFICULTIES = Enum("beginner", "intermediate", "advanced", name="difficulty")


class Base(DeclarativeBase):
    """All tables of the tracker."""


class User(Base):
    __tablename__ = "users"

    id = Column(Integer, primary_key=True)
    email = Column(String(200), unique=True)
    username = Column(String(80), unique=True)
    password_hash = Column(String(200))
    bio = Column(Text)
    role = Column(ROLES, server_default="student")
    is_active = Column(Boolean, server_default=text("true"))
    created_at = Column(DateTime(timezone=True), server_default=func.now())

    tracks = relationship("Track", back_populates="author")


class Track(Base):
    __tablename__ = "tracks"

    id = Column(Integer, primary_key=True)
    author_id = Column(ForeignKey("users.id"))
    title = Column(String(200))
    description = Column(Text)
    difficulty = Column(DIFFICULTIES, server_default="beginner")
    price = Column(Numeric(8, 2), CheckConstraint("price >= 0"), server_default=text("0"))
    created_at = Column(DateTime(timezone=True), server_default=func.now())

    author = relationship("User", back_populates="tracks")


class Lesson(Base):
    __tablename__ = "lessons"
    __table_args__ = (UniqueConstraint("track_id", "position"),)

    id = Column(Integer, primary_key=True)
    track_id = Column(ForeignKey("tracks.id"))
    position = Column(Integer, CheckConstraint("position >= 1"))
    title = Column(String(200))
    content = Column(Text)
    minutes = Column(Integer, CheckConstraint("minutes >= 1"))
    is_published = Column(Boolean, server_default=text("false"))
