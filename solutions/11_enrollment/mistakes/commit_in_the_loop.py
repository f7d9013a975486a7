# misconception: commit-in-the-loop
# fails: test_all_or_nothing, test_a_team_as_a_whole, test_other_failures_go_through,
#   test_a_lost_connection, test_a_team_that_fails
"""Enrolling in tracks. Every row is saved as soon as it is made."""

from collections.abc import Sequence

from models import (
    AlreadyEnrolled,
    Enrollment,
    Lesson,
    LessonProgress,
    Track,
    TrackNotAvailable,
    User,
    UserNotFound,
)
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session


def save(session: Session, row: object) -> None:
    session.add(row)
    session.commit()


def enroll(session: Session, user_id: int, track_id: int) -> int:
    try:
        track = session.get(Track, track_id, with_for_update={"read": True})
        if track is None or not track.is_published:
            raise TrackNotAvailable(track_id)
        if session.get(User, user_id) is None:
            raise UserNotFound(user_id)
        lessons = session.scalars(select(Lesson.id).where(Lesson.track_id == track_id)).all()
        try:
            save(session, Enrollment(user_id=user_id, track_id=track_id))
        except IntegrityError as error:
            raise AlreadyEnrolled(user_id) from error
        for lesson_id in lessons:
            save(session, LessonProgress(user_id=user_id, lesson_id=lesson_id))
    except Exception:
        session.rollback()
        raise
    session.commit()
    return len(lessons)


def enroll_team(session: Session, user_ids: Sequence[int], track_id: int) -> int:
    for user_id in user_ids:
        enroll(session, user_id, track_id)
    return len(user_ids)
