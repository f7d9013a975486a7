"""The stored figures of tracks. `analytics.tracks.record` computes them; here they are read."""

import enum
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, TypedDict
from uuid import UUID

from sqlalchemy import Select, func, or_, select
from sqlalchemy.orm import Session

from tracker.errors import NotFound, domain_errors
from tracker.models import Track, TrackAnalytics
from tracker.repositories.changes import change
from tracker.repositories.pages import Page, paged, total_of


class Figure(enum.StrEnum):
    """A figure to put tracks in order by."""

    ENROLLMENTS = "total_enrollments"
    COMPLETION_RATE = "completion_rate"
    PROGRESS = "average_progress"
    REVENUE = "total_revenue_cents"
    RATING = "average_rating"


@dataclass(frozen=True)
class TrackFigures:
    """The figures of one track, and when they were computed. Rates and progress are percent."""

    track_id: UUID
    title: str
    total_enrollments: int
    active_enrollments: int
    completion_rate: Decimal
    average_progress: Decimal
    total_revenue_cents: int
    currency: str
    average_rating: Decimal | None  # from 1 to 5; None: nobody has rated it
    calculated_at: datetime


class FigureChanges(TypedDict, total=False):
    """The figures that come from elsewhere. One that is left out stays; None empties it."""

    average_rating: Decimal | None


def get(session: Session, track_id: UUID) -> TrackFigures:
    """Return the figures of a track.

    Raises:
        NotFound: there is no such track, or its figures were never computed.
    """
    row = session.execute(_figures().where(Track.id == track_id)).one_or_none()
    if row is None:
        raise NotFound("record of figures for track", track_id)
    return TrackFigures(*row)


def find(
    session: Session,
    *,
    search: str | None = None,
    author_id: UUID | None = None,
    highest: Figure = Figure.ENROLLMENTS,
    page: int = 1,
    limit: int = 10,
) -> Page[TrackFigures]:
    """List the figures of tracks, in two statements whatever their number.

    Arguments:
        search: text that stands anywhere in the title, in any case; ``%`` and ``_`` are letters
            like any other.
        author_id: only tracks by this user.
        highest: the figure of which the highest comes first; tracks that have none come last.
        page: counted from 1.
        limit: tracks on a page, at most 100.
    """
    statement = _figures()
    if search:
        statement = statement.where(Track.title.icontains(search, autoescape=True))
    if author_id is not None:
        statement = statement.where(Track.author_id == author_id)
    figure = getattr(TrackAnalytics, highest)
    with domain_errors():
        highest_first = statement.order_by(figure.desc().nulls_last(), Track.id)
        rows = session.execute(paged(highest_first, page, limit)).all()
        total = total_of(session, statement)
    return Page([TrackFigures(*row) for row in rows], page, limit, total)


def older_than(session: Session, age: timedelta) -> Sequence[UUID]:
    """Return the tracks whose figures are older than this or were never computed."""
    old = or_(
        TrackAnalytics.calculated_at.is_(None), TrackAnalytics.calculated_at < func.now() - age
    )
    return session.scalars(
        select(Track.id)
        .outerjoin(TrackAnalytics, TrackAnalytics.track_id == Track.id)
        .where(old)
        .order_by(Track.id)
    ).all()


def update_fields(session: Session, track_id: UUID, changes: FigureChanges) -> TrackFigures:
    """Set the given figures of a track, and only those.

    Raises:
        NotFound: there is no such track, or its figures were never computed.
        InvalidData: there is no such field, or a value breaks a rule.
    """
    change(session, TrackAnalytics, track_id, changes, FigureChanges)
    return get(session, track_id)


def _figures() -> Select[*tuple[Any, ...]]:
    return select(
        TrackAnalytics.track_id,
        Track.title,
        TrackAnalytics.total_enrollments,
        TrackAnalytics.active_enrollments,
        TrackAnalytics.completion_rate,
        TrackAnalytics.average_progress,
        TrackAnalytics.total_revenue_cents,
        Track.currency,
        TrackAnalytics.average_rating,
        TrackAnalytics.calculated_at,
    ).join(TrackAnalytics.track)
