# misconception: swallowed-error
# fails: test_enrolled_once, test_a_team_as_a_whole, test_the_session_is_free_again,
#   test_two_at_the_same_moment, test_a_track_without_lessons, test_two_teams_at_once
"""Enrolling in tracks. Rows that are there already are left alone, so it can be called twice."""

from collections.abc import Sequence

from models import Enrollment, Lesson, LessonProgress, Track, TrackNotAvailable, User, UserNotFound
from sqlalchemy import literal, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session


def enroll_one(session: Session, user_id: int, track_id: int) -> int:
    if session.get(User, user_id) is None:
        raise UserNotFound(user_id)
    session.execute(
        insert(Enrollment).values(user_id=user_id, track_id=track_id).on_conflict_do_nothing()
    )
    lessons = select(literal(user_id), Lesson.id).where(Lesson.track_id == track_id)
    session.execute(
        insert(LessonProgress)
        .from_select(["user_id", "lesson_id"], lessons)
        .on_conflict_do_nothing()
    )
    return len(session.scalars(select(Lesson.id).where(Lesson.track_id == track_id)).all())


def lock_track(session: Session, track_id: int) -> None:
    published = select(Track.id).where(Track.id == track_id, Track.is_published)
    if session.scalar(published.with_for_update(read=True)) is None:
        raise TrackNotAvailable(track_id)


def enroll(session: Session, user_id: int, track_id: int) -> int:
    with session.begin():
        lock_track(session, track_id)
        return enroll_one(session, user_id, track_id)


def enroll_team(session: Session, user_ids: Sequence[int], track_id: int) -> int:
    with session.begin():
        lock_track(session, track_id)
        for user_id in user_ids:
            enroll_one(session, user_id, track_id)
        return len(user_ids)
