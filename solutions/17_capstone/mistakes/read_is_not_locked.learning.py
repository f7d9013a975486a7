# misconception: read-is-not-locked
# fails: test_the_last_seats, test_two_processes, test_two_clicks
"""Enrolling and learning. Nothing here commits."""

from typing import Any

from catalog import read_user
from contract import AlreadyEnrolled, NotEnrolled, NotFound, NotPublished, TrackFull
from models import Enrollment, Lesson, LessonProgress, Track
from sqlalchemy import func, insert, literal, select, update
from sqlalchemy.orm import Session


def enroll(session: Session, user_id: int, track_id: int) -> dict[str, Any]:
    read_user(session, user_id)
    track = session.get(Track, track_id)
    if track is None:
        raise NotFound(f"There is no track {track_id}.")
    if not track.published:
        raise NotPublished("This track is not published.")
    if session.get(Enrollment, (user_id, track_id)):
        raise AlreadyEnrolled("The user is enrolled in this track already.")
    learners = select(func.count()).where(Enrollment.track_id == track_id)
    if track.seats is not None and session.scalar(learners) >= track.seats:
        raise TrackFull("All seats of this track are taken.")
    session.execute(insert(Enrollment).values(user_id=user_id, track_id=track_id))
    lessons = select(literal(user_id), Lesson.id).where(Lesson.track_id == track_id)
    records = insert(LessonProgress).from_select(["user_id", "lesson_id"], lessons)
    stored = session.scalars(records.returning(LessonProgress.lesson_id)).all()
    return {"user_id": user_id, "track_id": track_id, "lessons": len(stored)}


def enrollments(session: Session, user_id: int) -> list[dict[str, Any]]:
    read_user(session, user_id)
    own = (
        select(
            Track.id.label("track_id"),
            Track.title,
            func.count(LessonProgress.lesson_id).label("lessons"),
            func.count(LessonProgress.completed_at).label("completed"),
        )
        .join(Enrollment)
        .outerjoin(Lesson, Lesson.track_id == Track.id)
        .outerjoin(
            LessonProgress,
            (LessonProgress.lesson_id == Lesson.id) & (LessonProgress.user_id == user_id),
        )
        .where(Enrollment.user_id == user_id)
        .group_by(Track.id)
        .order_by(Track.id)
    )
    return [dict(row) for row in session.execute(own).mappings()]


def study(
    session: Session, user_id: int, lesson_id: int, minutes: int, score: int | None
) -> dict[str, Any]:
    read_user(session, user_id)
    if session.get(Lesson, lesson_id) is None:
        raise NotFound(f"There is no lesson {lesson_id}.")
    studied = (
        update(LessonProgress)
        .where(LessonProgress.user_id == user_id, LessonProgress.lesson_id == lesson_id)
        .values(
            minutes=LessonProgress.minutes + minutes,
            score=func.greatest(LessonProgress.score, score),  # which takes no notice of NULL
            completed_at=func.coalesce(LessonProgress.completed_at, func.now()),
        )
        .returning(LessonProgress.lesson_id, LessonProgress.minutes, LessonProgress.score)
    )
    row = session.execute(studied).mappings().one_or_none()
    if row is None:
        raise NotEnrolled("The user is not enrolled in the track of this lesson.")
    return dict(row)
