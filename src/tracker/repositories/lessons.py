"""Lessons, and their order in a track."""

from collections.abc import Sequence
from typing import TypedDict
from uuid import UUID

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from tracker.errors import InvalidData, NotFound, domain_errors
from tracker.models import Lesson
from tracker.repositories.changes import change


class LessonChanges(TypedDict, total=False):
    """The fields of a lesson to change. A field that is left out stays; None empties it."""

    title: str
    content: str
    video_url: str | None
    duration_minutes: int
    position: int
    is_preview: bool
    is_published: bool


def create(
    session: Session,
    *,
    track_id: UUID,
    title: str,
    content: str,
    duration_minutes: int,
    position: int | None = None,
    video_url: str | None = None,
    is_preview: bool = False,
    is_published: bool = False,
) -> Lesson:
    """Add a lesson to a track: at the end, unless a position is given.

    Raises:
        PositionTaken: another lesson of the track stands at this position.
        MissingReference: there is no such track.
        InvalidData: a value is too long or breaks a rule.
    """
    if position is None:
        last = session.scalar(select(func.max(Lesson.position)).where(Lesson.track_id == track_id))
        position = (last or 0) + 1
    lesson = Lesson(
        track_id=track_id,
        title=title,
        content=content,
        duration_minutes=duration_minutes,
        position=position,
        video_url=video_url,
        is_preview=is_preview,
        is_published=is_published,
    )
    session.add(lesson)
    with domain_errors():
        session.flush()
    return lesson


def get(session: Session, lesson_id: UUID) -> Lesson:
    """Return a lesson.

    Raises:
        NotFound: there is none with this identifier.
    """
    lesson = session.get(Lesson, lesson_id)
    if lesson is None:
        raise NotFound("lesson", lesson_id)
    return lesson


def of_track(
    session: Session, track_id: UUID, *, is_published: bool | None = None
) -> Sequence[Lesson]:
    """Return the lessons of a track in order.

    Arguments:
        is_published: True, False, or None for both.
    """
    statement = select(Lesson).where(Lesson.track_id == track_id).order_by(Lesson.position)
    if is_published is not None:
        statement = statement.where(Lesson.is_published == is_published)
    return session.scalars(statement).all()


def update_fields(session: Session, lesson_id: UUID, changes: LessonChanges) -> Lesson:
    """Change the given fields of a lesson, and only those.

    Raises:
        NotFound: there is none with this identifier.
        PositionTaken: another lesson of the track stands at this position.
        InvalidData: there is no such field, or a value breaks a rule.
    """
    return change(session, Lesson, lesson_id, changes, LessonChanges)


def reorder(session: Session, track_id: UUID, lesson_ids: Sequence[UUID]) -> None:
    """Put the lessons of a track in a new order, in one statement.

    Two lessons may trade places: the unique constraint on the position is checked when the
        statement is complete, not row by row.

    Arguments:
        lesson_ids: every lesson of the track, once each, in the order wanted.

    Raises:
        InvalidData: a lesson is missing, twice there, or of another track.
    """
    present = set(session.scalars(select(Lesson.id).where(Lesson.track_id == track_id)))
    if len(lesson_ids) != len(present) or set(lesson_ids) != present:
        raise InvalidData("The new order must name every lesson of the track exactly once.")
    if lesson_ids:
        position = func.array_position(list(lesson_ids), Lesson.id)
        session.execute(update(Lesson).where(Lesson.track_id == track_id).values(position=position))


def remove(session: Session, lesson_id: UUID) -> None:
    """Delete a lesson. The database deletes all progress in it with it.

    Raises:
        NotFound: there is none with this identifier.
    """
    if session.scalar(delete(Lesson).where(Lesson.id == lesson_id).returning(Lesson.id)) is None:
        raise NotFound("lesson", lesson_id)
