# misconception: two-transactions
# fails: test_all_or_nothing, test_other_failures_go_through, test_a_lost_connection,
#   test_a_team_that_fails
"""Enrolling in tracks: first the seats, then the lessons."""

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
from sqlalchemy import insert, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session


def take_seats(session: Session, user_ids: Sequence[int], track_id: int) -> list[int]:
    """In one transaction, so that all of a team get a seat or nobody does."""
    with session.begin():
        track = session.get(Track, track_id, with_for_update={"read": True})
        if track is None or not track.is_published:
            raise TrackNotAvailable(track_id)
        session.add_all([Enrollment(user_id=user, track_id=track_id) for user in user_ids])
        return list(session.scalars(select(Lesson.id).where(Lesson.track_id == track_id)))


def lay_out_lessons(session: Session, user_ids: Sequence[int], lessons: list[int]) -> None:
    """In one transaction, so that nobody sees half of the lessons."""
    rows = [{"user_id": user, "lesson_id": lesson} for user in user_ids for lesson in lessons]
    if rows:
        with session.begin():
            session.execute(insert(LessonProgress), rows)


def enroll_all(session: Session, user_ids: Sequence[int], track_id: int) -> int:
    try:
        lessons = take_seats(session, user_ids, track_id)
    except IntegrityError as error:
        if error.orig.sqlstate == "23505":
            raise AlreadyEnrolled from error
        raise UserNotFound from error
    lay_out_lessons(session, user_ids, lessons)
    return len(lessons)


def enroll(session: Session, user_id: int, track_id: int) -> int:
    return enroll_all(session, [user_id], track_id)


def enroll_team(session: Session, user_ids: Sequence[int], track_id: int) -> int:
    enroll_all(session, user_ids, track_id)
    return len(user_ids)
