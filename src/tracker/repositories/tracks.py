"""Tracks, and the catalog of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypedDict
from uuid import UUID

from sqlalchemy import Select, delete, func, or_, select, tuple_
from sqlalchemy.orm import Session, joinedload, selectinload

from tracker.errors import NotFound, domain_errors
from tracker.models import Difficulty, Lesson, Track, TrackProgress, User
from tracker.repositories.changes import change
from tracker.repositories.pages import Page, Position, Slice, checked_limit, paged, total_of
from tracker.slugs import unique_slug


@dataclass(frozen=True)
class TrackSummary:
    """What the catalog shows of each track."""

    id: UUID
    slug: str
    title: str
    description: str | None
    difficulty: Difficulty
    tags: list[str]
    estimated_hours: int
    price_cents: int
    currency: str
    is_published: bool
    is_featured: bool
    created_at: datetime
    author: str  # username
    lesson_count: int


class TrackChanges(TypedDict, total=False):
    """The fields of a track to change. A field that is left out stays; None empties it."""

    title: str
    description: str | None
    difficulty: Difficulty
    tags: list[str]
    estimated_hours: int
    slug: str
    category: str | None
    learning_objectives: list[str]
    thumbnail_url: str | None
    video_url: str | None
    price_cents: int
    currency: str
    capacity: int | None
    is_featured: bool


def create(
    session: Session,
    *,
    author_id: UUID,
    title: str,
    description: str | None = None,
    difficulty: Difficulty = Difficulty.BEGINNER,
    tags: list[str] | None = None,
    estimated_hours: int = 1,
    slug: str | None = None,
    price_cents: int = 0,
    currency: str = "USD",
    capacity: int | None = None,
    learning_objectives: list[str] | None = None,
    organization_id: UUID | None = None,
) -> Track:
    """Add a track. It is a draft until it is published.

    Arguments:
        slug: its part of the URL; without one, one that nobody has is made from the title.
        price_cents: 0 for a track that costs nothing.
        capacity: seats; None for as many as want to.

    Raises:
        SlugTaken: another track has this slug.
        MissingReference: there is no such author.
        InvalidData: a value is too long or breaks a rule.
    """
    track = Track(
        author_id=author_id,
        title=title,
        description=description,
        difficulty=difficulty,
        tags=tags or [],
        estimated_hours=estimated_hours,
        slug=slug or unique_slug(title),
        price_cents=price_cents,
        currency=currency,
        capacity=capacity,
        learning_objectives=learning_objectives or [],
        organization_id=organization_id,
    )
    session.add(track)
    with domain_errors():
        session.flush()
    return track


def get(session: Session, track_id: UUID) -> Track:
    """Return a track with its author and its lessons in order, in two statements.

    Raises:
        NotFound: there is none with this identifier.
    """
    track = session.scalar(
        select(Track)
        .where(Track.id == track_id)
        .options(joinedload(Track.author), selectinload(Track.lessons))
        .execution_options(populate_existing=True)
    )
    if track is None:
        raise NotFound("track", track_id)
    return track


def find(
    session: Session,
    *,
    search: str | None = None,
    difficulty: Difficulty | None = None,
    tag: str | None = None,
    author_id: UUID | None = None,
    is_published: bool | None = True,
    is_featured: bool | None = None,
    page: int = 1,
    limit: int = 10,
) -> Page[TrackSummary]:
    """List tracks, newest first, in two statements whatever their number.

    Arguments:
        search: text that stands anywhere in title or description, in any case; ``%`` and ``_`` are
            letters like any other.
        difficulty: only tracks of this difficulty.
        tag: only tracks that have exactly this tag.
        author_id: only tracks by this user.
        is_published: True, False, or None for both.
        is_featured: True, False, or None for both.
        page: counted from 1.
        limit: tracks on a page, at most 100.
    """
    statement = _summaries()
    if search:
        columns = (Track.title, Track.description)
        statement = statement.where(
            or_(*(column.icontains(search, autoescape=True) for column in columns))
        )
    if difficulty is not None:
        statement = statement.where(Track.difficulty == difficulty)
    if tag is not None:
        statement = statement.where(Track.tags.contains([tag]))
    if author_id is not None:
        statement = statement.where(Track.author_id == author_id)
    if is_published is not None:
        statement = statement.where(Track.is_published == is_published)
    if is_featured is not None:
        statement = statement.where(Track.is_featured == is_featured)
    newest_first = statement.order_by(Track.created_at.desc(), Track.id.desc())
    with domain_errors():
        rows = session.execute(paged(newest_first, page, limit)).all()
        total = total_of(session, statement)
    return Page([TrackSummary(*row) for row in rows], page, limit, total)


def find_after(
    session: Session, position: Position | None = None, *, limit: int = 20
) -> Slice[TrackSummary]:
    """Read the published tracks on from a position, newest first (keyset pagination).

    A numbered page shifts when a track is published between two reads, and the server has to walk
    over all rows before it. A position does not shift, and its index leads straight to it.

    Arguments:
        position: as the slice before gave it; None to begin.
        limit: tracks in a slice, from 1 to 100.
    """
    statement = _summaries().where(Track.is_published)
    if position is not None:
        statement = statement.where(tuple_(Track.created_at, Track.id) < tuple_(*position))
    newest_first = statement.order_by(Track.created_at.desc(), Track.id.desc())
    # One row more than is wanted tells whether there is more.
    rows = session.execute(newest_first.limit(checked_limit(limit) + 1)).all()
    items = [TrackSummary(*row) for row in rows[:limit]]
    more = len(rows) > limit
    return Slice(items, Position(items[-1].created_at, items[-1].id) if more else None)


def progress_of(
    session: Session, user_id: UUID, track_ids: Sequence[UUID]
) -> dict[UUID, TrackProgress]:
    """Return a user's progress in these tracks, by track, in one statement whatever their number.

    Together with a page of the catalog: what a learner sees of their own on it.
    """
    records = session.scalars(
        select(TrackProgress).where(
            TrackProgress.user_id == user_id, TrackProgress.track_id.in_(track_ids)
        )
    )
    return {record.track_id: record for record in records}


def update_fields(session: Session, track_id: UUID, changes: TrackChanges) -> Track:
    """Change the given fields of a track, and only those.

    Raises:
        NotFound: there is none with this identifier.
        InvalidData: there is no such field, or a value breaks a rule.
    """
    return change(session, Track, track_id, changes, TrackChanges)


def remove(session: Session, track_id: UUID) -> None:
    """Delete a track. The database deletes its lessons and all progress in them with it.

    Raises:
        NotFound: there is none with this identifier.
    """
    if session.scalar(delete(Track).where(Track.id == track_id).returning(Track.id)) is None:
        raise NotFound("track", track_id)


def _summaries() -> Select[*tuple[Any, ...]]:
    lesson_count = (
        select(func.count()).where(Lesson.track_id == Track.id).correlate(Track).scalar_subquery()
    )
    return select(
        Track.id,
        Track.slug,
        Track.title,
        Track.description,
        Track.difficulty,
        Track.tags,
        Track.estimated_hours,
        Track.price_cents,
        Track.currency,
        Track.is_published,
        Track.is_featured,
        Track.created_at,
        User.username,
        lesson_count,
    ).join(Track.author)
