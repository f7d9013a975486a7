# misconception: check-then-insert
# fails: test_two_at_the_same_moment, test_a_track_without_lessons, test_two_teams_at_once
"""Enrolling in tracks. Who has a progress record in a track is enrolled in it."""

from collections.abc import Sequence

from models import AlreadyEnrolled, TrackNotAvailable, UserNotFound
from sqlalchemy import text
from sqlalchemy.orm import Session

TRACK = text("SELECT is_published FROM tracks WHERE id = :track FOR SHARE")
LESSONS = text("SELECT id FROM lessons WHERE track_id = :track")
USER = text("SELECT count(*) FROM users WHERE id = :user")
BEGUN = text(
    "SELECT count(*) FROM lesson_progress JOIN lessons ON lessons.id = lesson_id"
    " WHERE user_id = :user AND track_id = :track"
)
ENROLL = text("INSERT INTO enrollments (user_id, track_id) VALUES (:user, :track)")
START = text("INSERT INTO lesson_progress (user_id, lesson_id) VALUES (:user, :lesson)")


def enroll_all(session: Session, user_ids: Sequence[int], track_id: int) -> int:
    with session.begin():
        if not session.scalar(TRACK, {"track": track_id}):
            raise TrackNotAvailable
        lessons = session.scalars(LESSONS, {"track": track_id}).all()
        for user_id in user_ids:
            one = {"user": user_id, "track": track_id}
            if not session.scalar(USER, one):
                raise UserNotFound
            if session.scalar(BEGUN, one):
                raise AlreadyEnrolled
            session.execute(ENROLL, one)
            for lesson_id in lessons:
                session.execute(START, {"user": user_id, "lesson": lesson_id})
        return len(lessons)


def enroll(session: Session, user_id: int, track_id: int) -> int:
    return enroll_all(session, [user_id], track_id)


def enroll_team(session: Session, user_ids: Sequence[int], track_id: int) -> int:
    enroll_all(session, user_ids, track_id)
    return len(user_ids)
