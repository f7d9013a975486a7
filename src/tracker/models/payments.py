"""Payments: the law wants them kept when the user and the track are long gone."""

from __future__ import annotations

import enum
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlalchemy import (
    CHAR,
    CheckConstraint,
    ForeignKey,
    Index,
    String,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column, relationship

from tracker.models.base import Base, Identified, Timestamped, allow_transitions, enumerated

if TYPE_CHECKING:
    from tracker.models.accounts import User
    from tracker.models.catalog import Track


class PaymentStatus(enum.StrEnum):
    """Where a payment stands."""

    PENDING = "pending"
    COMPLETED = "completed"
    FAILED = "failed"
    REFUNDED = "refunded"


class Payment(Identified, Timestamped, Base):
    """What somebody paid, or tried to pay, for a track."""

    __tablename__ = "payments"

    amount_cents: Mapped[int]
    currency: Mapped[str] = mapped_column(CHAR(3))
    status: Mapped[PaymentStatus] = mapped_column(
        enumerated(PaymentStatus), server_default=PaymentStatus.PENDING
    )
    provider: Mapped[str] = mapped_column(String(50))
    provider_payment_id: Mapped[str] = mapped_column(String(255))
    details: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default=text("'{}'"))
    failure_reason: Mapped[str | None] = mapped_column(Text)
    completed_at: Mapped[datetime | None]
    refunded_at: Mapped[datetime | None]

    # SET NULL, not CASCADE: a deleted user or track leaves the payment. What it was for is written
    # down here, since there may be no track left to ask.
    user_id: Mapped[UUID | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    track_id: Mapped[UUID | None] = mapped_column(ForeignKey("tracks.id", ondelete="SET NULL"))
    track_title: Mapped[str] = mapped_column(String(200))

    user: Mapped[User | None] = relationship()
    track: Mapped[Track | None] = relationship()

    __table_args__ = (
        # A provider may tell the same news twice. The second telling finds this row.
        UniqueConstraint("provider", "provider_payment_id"),
        CheckConstraint("amount_cents > 0", name="amount_cents_positive"),
        CheckConstraint("currency ~ '^[A-Z]{3}$'", name="currency_is_iso_4217"),
        CheckConstraint(
            "(status IN ('completed', 'refunded')) = (completed_at IS NOT NULL)",
            name="completed_has_date",
        ),
        CheckConstraint(
            "(status = 'refunded') = (refunded_at IS NOT NULL)", name="refunded_has_date"
        ),
        CheckConstraint("refunded_at >= completed_at", name="refunded_after_completed"),
        # the payment history of a user, and the update when one is deleted
        Index(None, "user_id", "created_at"),
        # the payments for a track, and the update when one is deleted
        Index(None, "track_id"),
        # payments.pending_since(): few are pending, so the index stays small
        Index(None, "created_at", postgresql_where=text("status = 'pending'")),
        # revenue by month
        Index(None, "completed_at", postgresql_where=text("status = 'completed'")),
    )


allow_transitions(
    Payment,
    {
        PaymentStatus.PENDING: (PaymentStatus.COMPLETED, PaymentStatus.FAILED),
        PaymentStatus.COMPLETED: (PaymentStatus.REFUNDED,),
    },
)
