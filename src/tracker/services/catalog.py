"""Making tracks."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from uuid import UUID

from sqlalchemy import insert
from sqlalchemy.orm import Session

from tracker.db import unit_of_work
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
