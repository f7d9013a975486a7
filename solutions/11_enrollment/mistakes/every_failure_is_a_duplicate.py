# misconception: every-error-is-a-duplicate
# fails: test_other_failures_go_through, test_a_lost_connection
"""Enrolling in tracks. Whatever PostgreSQL refuses is told in the words of the school."""

from collections.abc import Sequence

from models import (
    AlreadyEnrolled,
    Enrollment,
    Lesson,
    LessonProgress,
    Track,
    TrackNotAvailable,
    UserNotFound,
)
from sqlalchemy import select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session


def enroll_all(session: Session, user_ids: Sequence[int], track_id: int) -> int:
    try:
        with session.begin():
            track = session.get(Track, track_id, with_for_update={"read": True})
            if track is None or not track.is_published:
                raise TrackNotAvailable(track_id)
            lessons = session.scalars(select(Lesson.id).where(Lesson.track_id == track_id)).all()
            session.add_all([Enrollment(user_id=user, track_id=track_id) for user in user_ids])
            session.flush()
            session.add_all(
                LessonProgress(user_id=user, lesson_id=lesson)
                for user in user_ids
                for lesson in lessons
            )
    except DBAPIError as error:
        if error.orig.sqlstate == "23503":
            raise UserNotFound from error
        raise AlreadyEnrolled from error
    return len(lessons)


def enroll(session: Session, user_id: int, track_id: int) -> int:
    return enroll_all(session, [user_id], track_id)


def enroll_team(session: Session, user_ids: Sequence[int], track_id: int) -> int:
    enroll_all(session, user_ids, track_id)
    return len(user_ids)
