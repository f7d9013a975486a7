"""Figures over time. One row stands for one day, or for one month and currency. Days are in UTC."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from sqlalchemy import Date, cast, func, select
from sqlalchemy.orm import Session

from tracker.models import Payment, PaymentStatus, views


@dataclass(frozen=True)
class MonthlyRevenue:
    """What was paid in one month in one currency."""

    month: date  # its first day
    currency: str
    payments: int
    cents: int


@dataclass(frozen=True)
class DayOfLearning:
    """What was completed on one day."""

    day: date
    learners: int
    lessons_completed: int
    tracks: int
    average_minutes: Decimal | None  # per lesson
    average_score: Decimal | None  # percent


def revenue_by_month(session: Session, *, since: datetime | None = None) -> list[MonthlyRevenue]:
    """Return the revenue of each month in each currency, the newest month first, in one statement.

    A payment counts in the month in which it was completed. One that was given back is no revenue,
    so the figure of a past month can still become smaller.

    Arguments:
        since: only payments completed at this moment or later.
    """
    month = cast(func.date_trunc("month", func.timezone("UTC", Payment.completed_at)), Date)
    statement = (
        select(month, Payment.currency, func.count(), func.sum(Payment.amount_cents))
        .where(Payment.status == PaymentStatus.COMPLETED)
        .group_by(month, Payment.currency)
        .order_by(month.desc(), Payment.currency)
    )
    if since is not None:
        statement = statement.where(Payment.completed_at >= since)
    return [MonthlyRevenue(*row) for row in session.execute(statement)]


def learning_days(
    session: Session, *, days: int = 30, until: date | None = None
) -> list[DayOfLearning]:
    """Read from its view what was completed on each of the last days, the oldest first.

    A day on which nothing was completed is there too, with zeros: left out, a chart would draw a
    line across it as if people had learned all the time.

    Arguments:
        days: how many.
        until: the last of them; today by default.
    """
    last = until or datetime.now(UTC).date()
    first = last - timedelta(days=days - 1)
    rows = session.execute(
        select(
            views.learning_days.c.day,
            views.learning_days.c.learners,
            views.learning_days.c.lessons_completed,
            views.learning_days.c.tracks,
            views.learning_days.c.average_minutes,
            views.learning_days.c.average_score,
        ).where(views.learning_days.c.day.between(first, last))
    )
    found = {row.day: DayOfLearning(*row) for row in rows}
    wanted = (first + timedelta(days=offset) for offset in range(days))
    return [found.get(day) or DayOfLearning(day, 0, 0, 0, None, None) for day in wanted]
