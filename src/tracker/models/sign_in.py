"""How people prove who they are: OAuth accounts, login sessions, verification tokens.

A token that opens an account is like a password: only its SHA-256 is stored. Whoever reads the
    table cannot sign in with what they find there. A slow hash is not needed, because a token is
    random.
"""

from __future__ import annotations

import enum
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    Index,
    LargeBinary,
    String,
    Text,
    UniqueConstraint,
)
from sqlalchemy.orm import Mapped, mapped_column, relationship

from tracker.models.base import Base, Identified, Timestamped, enumerated

if TYPE_CHECKING:
    from tracker.models.accounts import User


class TokenPurpose(enum.StrEnum):
    """What a verification token is good for."""

    VERIFY_EMAIL = "verify_email"
    RESET_PASSWORD = "reset_password"  # noqa: S105
    SIGN_IN = "sign_in"


class OAuthAccount(Identified, Timestamped, Base):
    """A user's account at another provider, by which they may sign in."""

    __tablename__ = "oauth_accounts"

    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    type: Mapped[str] = mapped_column(String(20), server_default="oauth")
    provider: Mapped[str] = mapped_column(String(50))
    provider_account_id: Mapped[str] = mapped_column(String(255))
    # Deferred, like the password hash: no query reads them unless it names them.
    access_token: Mapped[str | None] = mapped_column(Text, deferred=True)
    refresh_token: Mapped[str | None] = mapped_column(Text, deferred=True)
    id_token: Mapped[str | None] = mapped_column(Text, deferred=True)
    token_type: Mapped[str | None] = mapped_column(String(50))
    scope: Mapped[str | None] = mapped_column(Text)
    session_state: Mapped[str | None] = mapped_column(Text)
    expires_at: Mapped[datetime | None]

    user: Mapped[User] = relationship()

    __table_args__ = (
        UniqueConstraint("provider", "provider_account_id"),
        # the accounts of a user, and the cascade when one is deleted
        Index(None, "user_id"),
    )


class LoginSession(Identified, Timestamped, Base):
    """A browser or device in which a user is signed in."""

    __tablename__ = "login_sessions"

    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    token_hash: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    expires_at: Mapped[datetime]

    user: Mapped[User] = relationship()

    __table_args__ = (
        CheckConstraint("octet_length(token_hash) = 32", name="token_hash_is_sha256"),
        CheckConstraint("expires_at > created_at", name="expires_at_after_created_at"),
        # the sessions of a user (sign out everywhere), and the cascade when one is deleted
        Index(None, "user_id"),
        # sign_in.remove_expired()
        Index(None, "expires_at"),
    )


class VerificationToken(Identified, Timestamped, Base):
    """A token sent by mail, good for one use: to verify an address, say, or reset a password."""

    __tablename__ = "verification_tokens"

    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    purpose: Mapped[TokenPurpose] = mapped_column(enumerated(TokenPurpose))
    token_hash: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]

    user: Mapped[User] = relationship()

    __table_args__ = (
        CheckConstraint("octet_length(token_hash) = 32", name="token_hash_is_sha256"),
        CheckConstraint("expires_at > created_at", name="expires_at_after_created_at"),
        # the cascade when a user is deleted
        Index(None, "user_id"),
        # sign_in.remove_expired()
        Index(None, "expires_at"),
    )
