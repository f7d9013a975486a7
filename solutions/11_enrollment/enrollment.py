"""Enrolling in tracks: the one service through which a learner gets a seat."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from models import (
    AlreadyEnrolled,
    Enrollment,
    EnrollmentRefused,
    Lesson,
    LessonProgress,
    Track,
    TrackNotAvailable,
    UserNotFound,
)
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

REFUSALS: dict[str, type[EnrollmentRefused]] = {
    "enrollments_user_id_track_id_key": AlreadyEnrolled,
    "enrollments_user_id_fkey": UserNotFound,
}


def enroll(session: Session, user_id: int, track_id: int) -> int:
    """Enroll a user in a track, with a progress record for each lesson, and commit.

    Returns:
        How many lessons await the user.
    """
    with _one_transaction(session):
        lessons = _open_track(session, track_id)
        _add(session, [user_id], track_id, lessons)
    return len(lessons)


def enroll_team(session: Session, user_ids: Sequence[int], track_id: int) -> int:
    """Enroll all of these users in a track, or none of them, and commit.

    Returns:
        How many users were enrolled.
    """
    with _one_transaction(session):
        _add(session, user_ids, track_id, _open_track(session, track_id))
    return len(user_ids)


@contextmanager
def _one_transaction(session: Session) -> Iterator[None]:
    """Commit all or nothing, and say in the words of this service what the tables refused."""
    try:
        with session.begin():
            yield
    except IntegrityError as error:
        refusal = REFUSALS.get(error.orig.diag.constraint_name)
        if refusal is None:
            raise
        raise refusal from error


def _open_track(session: Session, track_id: int) -> Sequence[int]:
    """The ids of a track's lessons. Nobody can withdraw the track until this transaction ends."""
    is_published = session.scalar(
        select(Track.is_published).where(Track.id == track_id).with_for_update(read=True)
    )
    if not is_published:
        raise TrackNotAvailable(track_id)
    return session.scalars(select(Lesson.id).where(Lesson.track_id == track_id)).all()


def _add(session: Session, user_ids: Sequence[int], track_id: int, lessons: Sequence[int]) -> None:
    session.add_all(Enrollment(user_id=user, track_id=track_id) for user in user_ids)
    session.flush()
    session.add_all(
        LessonProgress(user_id=user, lesson_id=lesson) for user in user_ids for lesson in lessons
    )
