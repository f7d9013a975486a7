"""What the learning tracker knows: users, tracks and lessons."""

from datetime import datetime
from decimal import Decimal

from sqlalchemy import (
    CheckConstraint,
    DateTime,
    Enum,
    ForeignKey,
    MetaData,
    Numeric,
    Text,
    UniqueConstraint,
    func,
    text,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Base(DeclarativeBase):
    """All tables of the tracker: `Base.metadata.create_all(connection)` makes them."""

    metadata = MetaData(
        naming_convention={
            "pk": "pk_%(table_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s",
            "ix": "ix_%(table_name)s_%(column_0_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
        }
    )
    type_annotation_map = {
        datetime: DateTime(timezone=True),
        Decimal: Numeric(8, 2),
        str: Text,
    }


class User(Base):
    __tablename__ = "users"

    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str] = mapped_column(unique=True)
    username: Mapped[str] = mapped_column(unique=True)
    password_hash: Mapped[str]
    bio: Mapped[str | None]
    role: Mapped[str] = mapped_column(
        Enum("student", "instructor", "admin", name="user_role"), server_default="student"
    )
    is_active: Mapped[bool] = mapped_column(server_default=text("true"))
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())


class Track(Base):
    __tablename__ = "tracks"
    __table_args__ = (CheckConstraint("price >= 0", name="price_is_not_negative"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    author_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    title: Mapped[str]
    description: Mapped[str | None]
    difficulty: Mapped[str] = mapped_column(
        Enum("beginner", "intermediate", "advanced", name="track_difficulty"),
        server_default="beginner",
    )
    price: Mapped[Decimal] = mapped_column(server_default=text("0"))
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())


class Lesson(Base):
    __tablename__ = "lessons"
    __table_args__ = (
        UniqueConstraint("track_id", "position"),
        CheckConstraint("position >= 1", name="position_starts_at_one"),
        CheckConstraint("minutes >= 1", name="takes_time"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    track_id: Mapped[int] = mapped_column(ForeignKey("tracks.id"))
    position: Mapped[int]
    title: Mapped[str]
    content: Mapped[str]
    minutes: Mapped[int]
    is_published: Mapped[bool] = mapped_column(server_default=text("false"))
