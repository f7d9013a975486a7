"""People and the organizations they belong to."""

from __future__ import annotations

import enum
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column, relationship, validates

from tracker.models.base import Base, Identified, Timestamped, enumerated
from tracker.slugs import SLUG_PATTERN

if TYPE_CHECKING:
    from tracker.models.catalog import Track
    from tracker.models.learning import Enrollment, LessonProgress


class Role(enum.StrEnum):
    """What a person may do, from least to most."""

    STUDENT = "student"
    INSTRUCTOR = "instructor"
    ADMIN = "admin"


class Organization(Identified, Timestamped, Base):
    """A tenant: a school or company with users and tracks of its own."""

    __tablename__ = "organizations"

    name: Mapped[str] = mapped_column(String(200))
    slug: Mapped[str] = mapped_column(String(100), unique=True)
    domain: Mapped[str | None] = mapped_column(String(253), unique=True)

    # No cascade: an organization with users or tracks cannot be deleted.
    users: Mapped[list[User]] = relationship(back_populates="organization", passive_deletes="all")
    tracks: Mapped[list[Track]] = relationship(back_populates="organization", passive_deletes="all")

    __table_args__ = (
        CheckConstraint("name <> ''", name="name_not_empty"),
        CheckConstraint(f"slug ~ '{SLUG_PATTERN}'", name="slug_is_url_part"),
        CheckConstraint("domain = lower(domain)", name="domain_lower_case"),
    )


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

    # Profile
    timezone: Mapped[str | None] = mapped_column(String(64))
    language: Mapped[str] = mapped_column(String(35), server_default="en")
    learning_preferences: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default=text("'{}'"))

    # Privacy. A date says more than a yes, and cannot disagree with one.
    email_verified_at: Mapped[datetime | None]
    consented_at: Mapped[datetime | None]
    retain_until: Mapped[datetime | None]
    erased_at: Mapped[datetime | None]

    organization_id: Mapped[UUID | None] = mapped_column(
        # RESTRICT: a user without the organization would suddenly belong to nobody's tenant.
        ForeignKey("organizations.id", ondelete="RESTRICT")
    )

    organization: Mapped[Organization | None] = relationship(back_populates="users")
    # passive_deletes: the database deletes the children by ON DELETE CASCADE; the ORM need not
    # load every one of them first.
    tracks: Mapped[list[Track]] = relationship(
        back_populates="author", cascade="all, delete-orphan", passive_deletes=True
    )
    enrollments: Mapped[list[Enrollment]] = relationship(
        back_populates="user", cascade="all, delete-orphan", passive_deletes=True
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
        CheckConstraint("retain_until > created_at", name="retain_until_after_created_at"),
        # members of an organization, and the check when one is deleted
        Index(None, "organization_id"),
        # users.find(is_active=…, role=…)
        Index(None, "is_active", "role"),
        # users.find(): newest first; the identifier settles the order of equal moments
        Index(None, "created_at", "id"),
    )

    @validates("email", "username")
    def _lower_case(self, _key: str, value: str) -> str:
        return value.lower()
