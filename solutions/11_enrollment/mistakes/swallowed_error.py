# misconception: swallowed-error
# fails: test_all_or_nothing, test_other_failures_go_through, test_a_lost_connection,
#   test_a_team_that_fails
"""Enrolling in tracks. A problem with the database is logged, and the page stays friendly."""

import logging
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
from sqlalchemy.exc import IntegrityError, SQLAlchemyError
from sqlalchemy.orm import Session

log = logging.getLogger(__name__)


def enroll_all(session: Session, user_ids: Sequence[int], track_id: int) -> int:
    try:
        track = session.get(Track, track_id, with_for_update={"read": True})
        if track is None or not track.is_published:
            raise TrackNotAvailable(track_id)
        lessons = session.scalars(select(Lesson.id).where(Lesson.track_id == track_id)).all()
        for user_id in user_ids:
            session.add(Enrollment(user_id=user_id, track_id=track_id))
        session.flush()
        for user_id in user_ids:
            for lesson_id in lessons:
                session.add(LessonProgress(user_id=user_id, lesson_id=lesson_id))
        session.commit()
    except TrackNotAvailable:
        session.rollback()
        raise
    except IntegrityError as error:
        session.rollback()
        if "fkey" in str(error.orig.diag.constraint_name):
            raise UserNotFound from error
        raise AlreadyEnrolled from error
    except SQLAlchemyError:
        session.rollback()
        log.exception("Could not enroll %s in %s", user_ids, track_id)
        return 0
    return len(lessons)


def enroll(session: Session, user_id: int, track_id: int) -> int:
    return enroll_all(session, [user_id], track_id)


def enroll_team(session: Session, user_ids: Sequence[int], track_id: int) -> int:
    enroll_all(session, user_ids, track_id)
    return len(user_ids)
