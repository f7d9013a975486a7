# misconception: the-page-does-not-offer-it
# fails: test_only_published_tracks
"""Enrolling in tracks. The catalog shows published tracks only, so those are what is asked for."""

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


def enroll_all(session: Session, user_ids: Sequence[int], track_id: int) -> int:
    try:
        with session.begin():
            track = session.get(Track, track_id, with_for_update={"read": True})
            if track is None:
                raise TrackNotAvailable(track_id)
            lessons = session.scalars(select(Lesson.id).where(Lesson.track_id == track_id)).all()
            session.add_all([Enrollment(user_id=user, track_id=track_id) for user in user_ids])
            session.flush()
            session.add_all(
                LessonProgress(user_id=user, lesson_id=lesson)
                for user in user_ids
                for lesson in lessons
            )
    except IntegrityError as error:
        broken = error.orig.diag.constraint_name
        if broken == "enrollments_user_id_fkey":
            raise UserNotFound from error
        if broken == "enrollments_user_id_track_id_key":
            raise AlreadyEnrolled from error
        raise
    return len(lessons)


def enroll(session: Session, user_id: int, track_id: int) -> int:
    return enroll_all(session, [user_id], track_id)


def enroll_team(session: Session, user_ids: Sequence[int], track_id: int) -> int:
    enroll_all(session, user_ids, track_id)
    return len(user_ids)
