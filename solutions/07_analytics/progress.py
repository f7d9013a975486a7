"""What a learner has done, track by track: one row for each lesson first, summed up by track."""

from typing import Any

from models import Enrollment, Lesson, LessonProgress, Track
from sqlalchemy import and_, func, select
from sqlalchemy.orm import Session


def user_progress(session: Session, user_id: int) -> list[dict[str, Any]]:
    # A lesson meets at most one row of this user's progress, so nothing is multiplied.
    lessons = func.count(Lesson.id)
    completed = func.count().filter(LessonProgress.is_completed)
    mine = and_(LessonProgress.lesson_id == Lesson.id, LessonProgress.user_id == user_id)
    rows = session.execute(
        select(
            Track.title.label("track"),
            lessons.label("lessons"),
            completed.label("completed"),
            func.coalesce(func.sum(Lesson.minutes).filter(LessonProgress.is_completed), 0).label(
                "minutes"
            ),
            (completed * 100.0 / func.nullif(lessons, 0)).label("percent"),
            func.avg(LessonProgress.score).label("score"),
        )
        .join(Enrollment, Enrollment.track_id == Track.id)
        .outerjoin(Lesson, Lesson.track_id == Track.id)
        .outerjoin(LessonProgress, mine)
        .where(Enrollment.user_id == user_id)
        .group_by(Track.id)
        .order_by(Track.id)
    )
    return [dict(row) for row in rows.mappings()]
