"""What all the rows come to."""

from typing import Any

from catalog import read_user
from models import Enrollment, Lesson, LessonProgress, Track
from sqlalchemy import func, select
from sqlalchemy.orm import Session

LESSONS = func.count(LessonProgress.lesson_id)
FIGURES = (
    func.count(LessonProgress.completed_at).label("completed"),
    func.coalesce(func.sum(LessonProgress.minutes), 0).label("minutes"),
    func.avg(LessonProgress.score).label("average_score"),
)


def progress(session: Session, user_id: int) -> dict[str, Any]:
    read_user(session, user_id)
    tracks = select(func.count()).where(Enrollment.user_id == user_id)
    records = select(LESSONS.label("lessons"), *FIGURES).where(LessonProgress.user_id == user_id)
    found = session.execute(records).mappings().one()
    return {"tracks": session.scalar(tracks), **found}


def popular(session: Session, limit: int) -> list[dict[str, Any]]:
    # Lessons, learners and records have nothing to do with each other: each is counted by itself.
    lessons = select(func.count()).where(Lesson.track_id == Track.id).scalar_subquery()
    learners = select(func.count()).where(Enrollment.track_id == Track.id).scalar_subquery()
    of_track = (
        select(*FIGURES)
        .join(Lesson, Lesson.id == LessonProgress.lesson_id)
        .where(Lesson.track_id == Track.id)
        .lateral()
    )
    most_first = (
        select(
            Track.id.label("track_id"),
            Track.title,
            lessons.label("lessons"),
            learners.label("learners"),
            of_track.c.completed,
            of_track.c.minutes,
            of_track.c.average_score,
        )
        .where(Track.published)
        .order_by(learners.desc(), Track.id)
        .limit(limit)
    )
    return [dict(row) for row in session.execute(most_first).mappings()]
