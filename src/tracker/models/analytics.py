"""Figures that are too dear to compute for every page, and when they were computed."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Numeric, func, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from tracker.models.base import Base

if TYPE_CHECKING:
    from tracker.models.catalog import Track


class TrackAnalytics(Base):
    """The figures of one track."""

    __tablename__ = "track_analytics"

    track_id: Mapped[UUID] = mapped_column(
        ForeignKey("tracks.id", ondelete="CASCADE"), primary_key=True
    )
    total_enrollments: Mapped[int] = mapped_column(server_default=text("0"))
    active_enrollments: Mapped[int] = mapped_column(server_default=text("0"))
    completion_rate: Mapped[Decimal] = mapped_column(Numeric(5, 2), server_default=text("0"))
    average_progress: Mapped[Decimal] = mapped_column(Numeric(5, 2), server_default=text("0"))
    total_revenue_cents: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    average_rating: Mapped[Decimal | None] = mapped_column(Numeric(3, 2))
    calculated_at: Mapped[datetime] = mapped_column(server_default=func.now())

    track: Mapped[Track] = relationship()

    __table_args__ = (
        CheckConstraint(
            "active_enrollments BETWEEN 0 AND total_enrollments", name="active_enrollments_in_range"
        ),
        CheckConstraint("completion_rate BETWEEN 0 AND 100", name="completion_rate_is_percent"),
        CheckConstraint("average_progress BETWEEN 0 AND 100", name="average_progress_is_percent"),
        CheckConstraint("total_revenue_cents >= 0", name="total_revenue_cents_not_negative"),
        CheckConstraint("average_rating BETWEEN 1 AND 5", name="average_rating_in_range"),
    )
