# misconception: commit-in-the-loop
# fails: test_a_team_as_a_whole, test_a_team_that_fails
"""Enrolling in tracks. A team is enrolled by enrolling each of its members."""

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
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session


def enroll(session: Session, user_id: int, track_id: int) -> int:
    try:
        with session.begin():
            track = session.get(Track, track_id, with_for_update={"read": True})
            if track is None or not track.is_published:
                raise TrackNotAvailable(track_id)
            lessons = session.scalars(select(Lesson.id).where(Lesson.track_id == track_id)).all()
            session.add(Enrollment(user_id=user_id, track_id=track_id))
            session.flush()
            session.add_all(LessonProgress(user_id=user_id, lesson_id=lesson) for lesson in lessons)
    except IntegrityError as error:
        broken = error.orig.diag.constraint_name
        if broken == "enrollments_user_id_fkey":
            raise UserNotFound from error
        if broken == "enrollments_user_id_track_id_key":
            raise AlreadyEnrolled from error
        raise
    return len(lessons)


def enroll_team(session: Session, user_ids: Sequence[int], track_id: int) -> int:
    for user_id in user_ids:
        enroll(session, user_id, track_id)
    return len(user_ids)
