# misconception: fan-out
# fails: test_popular_tracks, test_both_stores_say_the_same
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
    learners = func.count(Enrollment.user_id.distinct())
    most_first = (
        select(
            Track.id.label("track_id"),
            Track.title,
            func.count(Lesson.id.distinct()).label("lessons"),
            learners.label("learners"),
            *FIGURES,
        )
        .outerjoin(Lesson, Lesson.track_id == Track.id)
        .outerjoin(Enrollment, Enrollment.track_id == Track.id)
        .outerjoin(LessonProgress, LessonProgress.lesson_id == Lesson.id)
        .where(Track.published)
        .group_by(Track.id)
        .order_by(learners.desc(), Track.id)
        .limit(limit)
    )
    return [dict(row) for row in session.execute(most_first).mappings()]
