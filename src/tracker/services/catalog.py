"""Making, publishing and withdrawing tracks."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from uuid import UUID

from sqlalchemy import func, insert, update
from sqlalchemy.orm import Session

from tracker.db import unit_of_work
from tracker.errors import NotAvailable
from tracker.models import Difficulty, Lesson, Track
from tracker.repositories import tracks


@dataclass(frozen=True)
class TrackDraft:
    """A track before it is saved."""

    title: str
    description: str | None = None
    difficulty: Difficulty = Difficulty.BEGINNER
    tags: list[str] = field(default_factory=list)
    estimated_hours: int = 1
    slug: str | None = None
    price_cents: int = 0
    currency: str = "USD"
    capacity: int | None = None
    learning_objectives: list[str] = field(default_factory=list)
    organization_id: UUID | None = None


@dataclass(frozen=True)
class LessonDraft:
    """A lesson before it is saved. Its position is its place in the list."""

    title: str
    content: str
    duration_minutes: int
    video_url: str | None = None
    is_preview: bool = False
    is_published: bool = False


def create_track_with_lessons(
    session: Session, author_id: UUID, draft: TrackDraft, lessons: Sequence[LessonDraft]
) -> Track:
    """Save a track and its lessons in order: all of them, or, if one is refused, nothing.

    Returns:
        The track with its author and lessons loaded.

    Raises:
        MissingReference: there is no such author.
        InvalidData: a value of the track or of a lesson breaks a rule.
    """
    with unit_of_work(session):
        track = tracks.create(session, author_id=author_id, **asdict(draft))
        if lessons:
            session.execute(
                insert(Lesson),
                [
                    {"track_id": track.id, "position": position, **asdict(lesson)}
                    for position, lesson in enumerate(lessons, start=1)
                ],
                # Without this the ORM leaves out each None, and rows with other columns than
                # the row before need a statement of their own.
                execution_options={"render_nulls": True},
            )
        return tracks.get(session, track.id)


def publish_track(session: Session, track_id: UUID) -> Track:
    """Open a track, with all its lessons, to everybody.

    The date of the first publication stays when a track is withdrawn and published again.

    Raises:
        NotFound: there is no such track.
        NotAvailable: the track has no lessons.
    """
    with unit_of_work(session):
        track = tracks.get(session, track_id)
        if not track.lessons:
            raise NotAvailable("A track needs at least one lesson before it is published.")
        session.execute(
            update(Track)
            .where(Track.id == track_id)
            .values(is_published=True, published_at=func.coalesce(Track.published_at, func.now()))
        )
        session.execute(update(Lesson).where(Lesson.track_id == track_id).values(is_published=True))
        return tracks.get(session, track_id)


def withdraw_track(session: Session, track_id: UUID) -> Track:
    """Take a track out of the catalog. Who is enrolled stays enrolled.

    Raises:
        NotFound: there is no such track.
    """
    with unit_of_work(session):
        track = tracks.get(session, track_id)
        track.is_published = False
        return track
