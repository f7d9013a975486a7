# misconception: where-undoes-the-outer-join
# fails: test_nothing_was_learned_yet
"""What a learner has done. Lessons without progress stay: outer joins, and OR IS NULL."""

from typing import Any

from models import Enrollment, Lesson, LessonProgress, Track
from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session


def user_progress(session: Session, user_id: int) -> list[dict[str, Any]]:
    lessons = func.count(Lesson.id)
    completed = func.count().filter(LessonProgress.is_completed)
    minutes = func.sum(Lesson.minutes).filter(LessonProgress.is_completed)
    rows = session.execute(
        select(
            Track.title.label("track"),
            lessons.label("lessons"),
            completed.label("completed"),
            func.coalesce(minutes, 0).label("minutes"),
            (100 * completed / func.nullif(lessons, 0)).label("percent"),
            func.avg(LessonProgress.score).label("score"),
        )
        .join(Enrollment, Enrollment.track_id == Track.id)
        .outerjoin(Lesson, Lesson.track_id == Track.id)
        .outerjoin(LessonProgress, LessonProgress.lesson_id == Lesson.id)
        .where(
            Enrollment.user_id == user_id,
            or_(LessonProgress.user_id == user_id, LessonProgress.user_id.is_(None)),
        )
        .group_by(Track.id)
        .order_by(Track.id)
    )
    return [dict(row) for row in rows.mappings()]
