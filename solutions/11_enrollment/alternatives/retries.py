"""Enrolling in tracks in REPEATABLE READ, once more where PostgreSQL says that it lost a race."""

from models import AlreadyEnrolled, TrackNotAvailable, UserNotFound
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

LOST = {"40001", "40P01"}
TRACK = text("SELECT is_published FROM tracks WHERE id = :track FOR SHARE")
SEAT = text("INSERT INTO enrollments (user_id, track_id) VALUES (:user, :track)")
LESSONS = text(
    "INSERT INTO lesson_progress (user_id, lesson_id)"
    " SELECT :user, id FROM lessons WHERE track_id = :track RETURNING lesson_id"
)


def _attempt(session, user_ids, track_id):
    session.connection(execution_options={"isolation_level": "REPEATABLE READ"})
    if not session.scalar(TRACK, {"track": track_id}):
        raise TrackNotAvailable
    counts = []
    for user_id in user_ids:
        one = {"user": user_id, "track": track_id}
        session.execute(SEAT, one)
        counts.append(len(session.execute(LESSONS, one).all()))
    session.commit()
    return counts


def _all(session, user_ids, track_id):
    for attempts_left in (2, 1, 0):
        try:
            return _attempt(session, user_ids, track_id)
        except DBAPIError as error:
            session.rollback()
            state = error.orig.sqlstate
            if state == "23505":
                raise AlreadyEnrolled from error
            if state == "23503":
                raise UserNotFound from error
            if state not in LOST or not attempts_left:
                raise
        except BaseException:
            session.rollback()
            raise
    raise AssertionError


def enroll(session, user_id, track_id):
    return _all(session, [user_id], track_id)[0]


def enroll_team(session, user_ids, track_id):
    return len(_all(session, user_ids, track_id))
