"""Mapped dataclasses, a mixin for what all tables have, and rules that are written once."""

from datetime import datetime
from decimal import Decimal
from typing import Annotated, Literal, get_args

from sqlalchemy import CheckConstraint, DateTime, Enum, ForeignKey, Numeric, UniqueConstraint, func
from sqlalchemy.orm import (
    DeclarativeBase,
    Mapped,
    MappedAsDataclass,
    declared_attr,
    mapped_column,
    relationship,
)

Role = Literal["student", "instructor", "admin"]
Difficulty = Literal["beginner", "intermediate", "advanced"]
LISTED = {
    kind: Enum(*get_args(kind), name=name, native_enum=False, create_constraint=True)
    for kind, name in ((Role, "role"), (Difficulty, "difficulty"))
}
Unique = Annotated[str, mapped_column(unique=True)]


class Base(MappedAsDataclass, DeclarativeBase, kw_only=True):
    @declared_attr.directive
    def __tablename__(cls) -> str:
        return f"{cls.__name__.lower()}s"

    id: Mapped[int] = mapped_column(primary_key=True, init=False)


class Dated(MappedAsDataclass):
    created_at: Mapped[datetime] = mapped_column(
        DateTime(timezone=True), server_default=func.now(), init=False
    )


class User(Dated, Base):
    email: Mapped[Unique]
    username: Mapped[Unique]
    password_hash: Mapped[str]
    bio: Mapped[str | None] = mapped_column(default=None)
    role: Mapped[Role] = mapped_column(LISTED[Role], default="student", server_default="student")
    is_active: Mapped[bool] = mapped_column(default=True, server_default="1")


class Track(Dated, Base):
    author_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    title: Mapped[str]
    description: Mapped[str | None] = mapped_column(default=None)
    difficulty: Mapped[Difficulty] = mapped_column(
        LISTED[Difficulty], default="beginner", server_default="beginner"
    )
    price: Mapped[Decimal] = mapped_column(
        Numeric, CheckConstraint("price >= 0"), default=Decimal(0), server_default="0"
    )
    lessons: Mapped[list["Lesson"]] = relationship(init=False, cascade="all, delete-orphan")


class Lesson(Base):
    __table_args__ = (UniqueConstraint("track_id", "position"),)

    track_id: Mapped[int] = mapped_column(ForeignKey("tracks.id"))
    position: Mapped[int] = mapped_column(CheckConstraint("position >= 1"))
    title: Mapped[str]
    content: Mapped[str]
    minutes: Mapped[int] = mapped_column(CheckConstraint("minutes >= 1"))
    is_published: Mapped[bool] = mapped_column(default=False, server_default="0")
