"""People: who may sign in, and in which role."""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING

from sqlalchemy import CheckConstraint, Index, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column, relationship, validates

from tracker.models.base import Base, Identified, Timestamped, enumerated

if TYPE_CHECKING:
    from tracker.models.catalog import Track
    from tracker.models.learning import LessonProgress


class Role(enum.StrEnum):
    """What a person may do, from least to most."""

    STUDENT = "student"
    INSTRUCTOR = "instructor"
    ADMIN = "admin"


class User(Identified, Timestamped, Base):
    """An account holder."""

    __tablename__ = "users"

    # Both are stored in lower case, so that the unique constraint also stops Alice@… beside
    # alice@….
    email: Mapped[str] = mapped_column(String(254), unique=True)
    username: Mapped[str] = mapped_column(String(50), unique=True)
    # Deferred: no query reads the hash unless it names it.
    password_hash: Mapped[str] = mapped_column(String(255), deferred=True)

    first_name: Mapped[str | None] = mapped_column(String(100))
    last_name: Mapped[str | None] = mapped_column(String(100))
    avatar: Mapped[str | None] = mapped_column(String(2048))
    bio: Mapped[str | None] = mapped_column(Text)

    is_active: Mapped[bool] = mapped_column(server_default=text("true"))
    role: Mapped[Role] = mapped_column(enumerated(Role), server_default=Role.STUDENT)

    # passive_deletes: the database deletes the children by ON DELETE CASCADE; the ORM need not
    # load every one of them first.
    tracks: Mapped[list[Track]] = relationship(
        back_populates="author", cascade="all, delete-orphan", passive_deletes=True
    )
    progress: Mapped[list[LessonProgress]] = relationship(
        back_populates="user", cascade="all, delete-orphan", passive_deletes=True
    )

    __table_args__ = (
        CheckConstraint("email = lower(email)", name="email_lower_case"),
        CheckConstraint("position('@' IN email) > 1", name="email_has_at_sign"),
        CheckConstraint("username = lower(username)", name="username_lower_case"),
        # One word without @: nobody can take another's email address as a username.
        CheckConstraint("username ~ '^[^@[:space:]]+$'", name="username_is_one_word"),
        # users.find(is_active=…, role=…)
        Index(None, "is_active", "role"),
        # users.find(): newest first; the identifier settles the order of equal moments
        Index(None, "created_at", "id"),
    )

    @validates("email", "username")
    def _lower_case(self, _key: str, value: str) -> str:
        return value.lower()
