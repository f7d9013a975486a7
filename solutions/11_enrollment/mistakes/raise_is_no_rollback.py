# misconception: raise-is-no-rollback
# fails: test_the_session_is_free_again
"""Enrolling in tracks. What is refused raises before anything was written."""

from collections.abc import Sequence

from models import AlreadyEnrolled, Enrollment, Lesson, LessonProgress, Track, User
from models import TrackNotAvailable, UserNotFound
from sqlalchemy import insert, select
from sqlalchemy.orm import Session


def open_track(session: Session, track_id: int) -> Sequence[int]:
    track = session.get(Track, track_id, with_for_update={"read": True})
    if track is None or not track.is_published:
        raise TrackNotAvailable(track_id)
    return session.scalars(select(Lesson.id).where(Lesson.track_id == track_id)).all()


def check_user(session: Session, user_id: int, track_id: int) -> None:
    # The learner's row is locked, so that a second request has to wait for this one.
    if session.get(User, user_id, with_for_update=True) is None:
        raise UserNotFound(user_id)
    enrolled = select(Enrollment.id).filter_by(user_id=user_id, track_id=track_id)
    if session.scalar(enrolled) is not None:
        raise AlreadyEnrolled(user_id)


def write(session: Session, user_ids: Sequence[int], track_id: int, lessons: Sequence[int]) -> None:
    try:
        for user_id in user_ids:
            session.execute(insert(Enrollment).values(user_id=user_id, track_id=track_id))
            for lesson_id in lessons:
                progress = {"user_id": user_id, "lesson_id": lesson_id}
                session.execute(insert(LessonProgress).values(progress))
        session.commit()
    except Exception:
        session.rollback()
        raise


def enroll(session: Session, user_id: int, track_id: int) -> int:
    lessons = open_track(session, track_id)
    check_user(session, user_id, track_id)
    write(session, [user_id], track_id, lessons)
    return len(lessons)


def enroll_team(session: Session, user_ids: Sequence[int], track_id: int) -> int:
    lessons = open_track(session, track_id)
    for user_id in sorted(user_ids):
        check_user(session, user_id, track_id)
    write(session, user_ids, track_id, lessons)
    return len(user_ids)
