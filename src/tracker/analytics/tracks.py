"""Figures about tracks. One row stands for one track, or, in a total, for the whole catalog."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    FromClause,
    Numeric,
    ScalarSelect,
    Select,
    cast,
    func,
    select,
)
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from tracker.errors import NotFound
from tracker.models import (
    Difficulty,
    Enrollment,
    EnrollmentStatus,
    Lesson,
    Payment,
    PaymentStatus,
    Track,
    TrackAnalytics,
    TrackProgress,
    User,
    views,
)
from tracker.repositories.pages import Page, checked_limit, paged, total_of


@dataclass(frozen=True)
class CatalogStatistics:
    """The catalog in numbers. Without tracks there are no hours: None, not 0."""

    tracks: int
    published: int
    average_hours: Decimal | None
    shortest_hours: int | None
    longest_hours: int | None


@dataclass(frozen=True)
class PopularTrack:
    """A track with the number of its learners."""

    track_id: UUID
    title: str
    difficulty: Difficulty
    author: str  # username
    lessons: int
    learners: int


@dataclass(frozen=True)
class Completion:
    """How far those who enrolled in a track have come. Rates and averages are percent."""

    track_id: UUID
    title: str
    enrollments: int
    completions: int
    completion_rate: Decimal | None  # None: nobody enrolled
    average_percent: Decimal | None
    average_hours_to_complete: Decimal | None


def catalog_statistics(session: Session) -> CatalogStatistics:
    """Return the number of tracks and their hours, in one statement."""
    row = session.execute(
        select(
            func.count(),
            func.count().filter(Track.is_published),
            func.round(func.avg(Track.estimated_hours), 2),
            func.min(Track.estimated_hours),
            func.max(Track.estimated_hours),
        ).select_from(Track)
    ).one()
    return CatalogStatistics(*row)


def popular_tracks(session: Session, *, limit: int = 10) -> list[PopularTrack]:
    """Return the published tracks with the most learners, in one statement.

    Who cancelled is not counted. Lessons and enrollments are counted by a query each: joined to the
    track together, every lesson would count once for every enrollment.

    Arguments:
        limit: from 1 to 100.
    """
    learners = _count(Enrollment, Enrollment.status != EnrollmentStatus.CANCELLED)
    rows = session.execute(
        select(Track.id, Track.title, Track.difficulty, User.username, _count(Lesson), learners)
        .join(Track.author)
        .where(Track.is_published)
        .order_by(learners.desc(), Track.id)
        .limit(checked_limit(limit))
    )
    return [PopularTrack(*row) for row in rows]


def completion_of(session: Session, track_id: UUID) -> Completion:
    """Compute the completion of one track as it is now, in one statement.

    Raises:
        NotFound: there is no such track.
    """
    figures = views.TRACK_COMPLETION.where(Track.id == track_id).subquery()
    row = session.execute(_with_title(figures)).one_or_none()
    if row is None:
        raise NotFound("track", track_id)
    return Completion(*row)


def completion(session: Session, *, page: int = 1, limit: int = 10) -> Page[Completion]:
    """Read the completion of the published tracks from its view, the highest rate first.

    Arguments:
        page: counted from 1.
        limit: tracks on a page, at most 100.
    """
    figures = views.track_completion
    statement = _with_title(figures).where(Track.is_published)
    highest_first = statement.order_by(figures.c.completion_rate.desc().nulls_last(), Track.id)
    rows = session.execute(paged(highest_first, page, limit)).all()
    return Page([Completion(*row) for row in rows], page, limit, total_of(session, statement))


def _with_title(figures: FromClause) -> Select[*tuple[Any, ...]]:
    numbers = [column for column in figures.c if column.name != "track_id"]
    return select(Track.id, Track.title, *numbers).join(figures, figures.c.track_id == Track.id)


def record(session: Session) -> Sequence[UUID]:
    """Compute the figures of every track and store them with it, in one statement.

    Revenue is what was paid in the track's own currency and not given back: cents of different
    currencies do not add up.

    Returns:
        The tracks whose figures were stored.
    """
    is_revenue = (Payment.status == PaymentStatus.COMPLETED, Payment.currency == Track.currency)
    revenue = (
        select(func.coalesce(func.sum(Payment.amount_cents), 0))
        .where(Payment.track_id == Track.id, *is_revenue)
        .correlate(Track)
        .scalar_subquery()
    )
    progress = (
        select(func.coalesce(func.round(func.avg(TrackProgress.percent), 2), 0))
        .where(TrackProgress.track_id == Track.id)
        .correlate(Track)
        .scalar_subquery()
    )
    total, completed = _count(Enrollment), _count(Enrollment, _has(EnrollmentStatus.COMPLETED))
    rate = func.round(cast(100 * completed, Numeric) / func.nullif(total, 0), 2)
    figures = {
        "total_enrollments": total,
        "active_enrollments": _count(Enrollment, _has(EnrollmentStatus.ACTIVE)),
        "completion_rate": func.coalesce(rate, 0),
        "average_progress": progress,
        "total_revenue_cents": cast(revenue, BigInteger),
        "calculated_at": func.now(),
    }
    new = insert(TrackAnalytics).from_select(
        ["track_id", *figures], select(Track.id, *figures.values())
    )
    statement = new.on_conflict_do_update(
        index_elements=["track_id"], set_={name: new.excluded[name] for name in figures}
    )
    return session.scalars(statement.returning(TrackAnalytics.track_id)).all()


def _has(status: EnrollmentStatus) -> ColumnElement[bool]:
    return Enrollment.status == status


def _count(
    model: type[Enrollment] | type[Lesson], *criteria: ColumnElement[bool]
) -> ScalarSelect[Any]:
    """Count the rows of a track in another table, by a query of its own."""
    return (
        select(func.count())
        .where(model.track_id == Track.id, *criteria)
        .correlate(Track)
        .scalar_subquery()
    )
