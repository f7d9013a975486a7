# misconception: caught-is-not-over
# fails: test_the_session_is_free_again
"""Enrolling in tracks. The tables decide, and their answer is put into words."""

from collections.abc import Sequence

from models import AlreadyEnrolled, TrackNotAvailable, UserNotFound
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

PUBLISHED = text("SELECT is_published FROM tracks WHERE id = :track FOR SHARE")
ENROLL = text("INSERT INTO enrollments (user_id, track_id) VALUES (:user, :track)")
START = text(
    "INSERT INTO lesson_progress (user_id, lesson_id)"
    " SELECT :user, id FROM lessons WHERE track_id = :track"
)


def add(session: Session, user_id: int, track_id: int) -> int:
    row = {"user": user_id, "track": track_id}
    try:
        session.execute(ENROLL, row)
    except IntegrityError as error:
        if error.orig.diag.constraint_name == "enrollments_user_id_fkey":
            raise UserNotFound(user_id) from error
        raise AlreadyEnrolled(user_id) from error
    return session.execute(START, row).rowcount


def open_track(session: Session, track_id: int) -> None:
    if not session.scalar(PUBLISHED, {"track": track_id}):
        session.rollback()
        raise TrackNotAvailable(track_id)


def enroll(session: Session, user_id: int, track_id: int) -> int:
    open_track(session, track_id)
    lessons = add(session, user_id, track_id)
    session.commit()
    return lessons


def enroll_team(session: Session, user_ids: Sequence[int], track_id: int) -> int:
    open_track(session, track_id)
    for user_id in user_ids:
        add(session, user_id, track_id)
    session.commit()
    return len(user_ids)
