# misconception: flushed-is-saved
# fails: test_an_enrollment_is_stored, test_all_or_nothing, test_only_published_tracks,
#   test_enrolled_once, test_an_unknown_learner, test_a_team_as_a_whole,
#   test_the_session_is_free_again, test_two_at_the_same_moment,
#   test_the_moment_before_it_is_withdrawn, test_other_failures_go_through,
#   test_a_lost_connection, test_a_track_without_lessons, test_a_team_that_fails,
#   test_two_teams_at_once, test_large_and_empty
"""Enrolling in tracks. Everything is flushed, in this order."""

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


def enroll(session: Session, user_id: int, track_id: int) -> int:
    track = session.get(Track, track_id)
    if track is None or not track.is_published:
        raise TrackNotAvailable(track_id)
    if session.get(User, user_id) is None:
        raise UserNotFound(user_id)
    if session.scalar(select(Enrollment).filter_by(user_id=user_id, track_id=track_id)):
        raise AlreadyEnrolled(user_id)
    session.add(Enrollment(user_id=user_id, track_id=track_id))
    session.flush()
    lessons = session.scalars(select(Lesson).where(Lesson.track_id == track_id)).all()
    for lesson in lessons:
        session.add(LessonProgress(user_id=user_id, lesson_id=lesson.id))
    session.flush()
    return len(lessons)


def enroll_team(session: Session, user_ids: Sequence[int], track_id: int) -> int:
    for user_id in user_ids:
        enroll(session, user_id, track_id)
    return len(user_ids)
