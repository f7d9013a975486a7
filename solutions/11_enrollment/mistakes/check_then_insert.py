# misconception: check-then-insert
# fails: test_two_at_the_same_moment, test_two_teams_at_once
"""Enrolling in tracks. Everything is checked before anything is written."""

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
from sqlalchemy.orm import Session


def is_enrolled(session: Session, user_id: int, track_id: int) -> bool:
    query = select(Enrollment.id).where(
        Enrollment.user_id == user_id, Enrollment.track_id == track_id
    )
    return session.scalar(query) is not None


def add(session: Session, user_id: int, track: Track, lessons: Sequence[int]) -> None:
    if session.get(User, user_id) is None:
        raise UserNotFound(f"There is no user {user_id}.")
    if is_enrolled(session, user_id, track.id):
        raise AlreadyEnrolled(f"{user_id} is enrolled in {track.title}.")
    session.add(Enrollment(user_id=user_id, track_id=track.id))
    for lesson_id in lessons:
        session.add(LessonProgress(user_id=user_id, lesson_id=lesson_id))


def open_track(session: Session, track_id: int) -> Track:
    track = session.get(Track, track_id, with_for_update={"read": True})
    if track is None or not track.is_published:
        raise TrackNotAvailable(f"Track {track_id} is not there for you.")
    return track


def lessons_of(session: Session, track: Track) -> Sequence[int]:
    return session.scalars(select(Lesson.id).where(Lesson.track_id == track.id)).all()


def enroll(session: Session, user_id: int, track_id: int) -> int:
    with session.begin():
        track = open_track(session, track_id)
        lessons = lessons_of(session, track)
        add(session, user_id, track, lessons)
        return len(lessons)


def enroll_team(session: Session, user_ids: Sequence[int], track_id: int) -> int:
    with session.begin():
        track = open_track(session, track_id)
        lessons = lessons_of(session, track)
        for user_id in user_ids:
            add(session, user_id, track, lessons)
        return len(user_ids)
