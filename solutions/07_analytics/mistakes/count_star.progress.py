# misconception: count-star-counts-the-null-row
# fails: test_nothing_was_learned_yet
"""What a learner has done. Each row of the joins is a lesson, so the rows are counted."""

from typing import Any

from models import Enrollment, Lesson, LessonProgress, Track
from sqlalchemy import Integer, and_, func, select
from sqlalchemy.orm import Session


def user_progress(session: Session, user_id: int) -> list[dict[str, Any]]:
    lessons = func.count()
    completed = func.coalesce(func.sum(LessonProgress.is_completed.cast(Integer)), 0)
    rows = session.execute(
        select(
            Track.title.label("track"),
            lessons.label("lessons"),
            completed.label("completed"),
            func.coalesce(func.sum(Lesson.minutes).filter(LessonProgress.is_completed), 0).label(
                "minutes"
            ),
            (100 * completed / func.nullif(lessons, 0)).label("percent"),
            func.avg(LessonProgress.score).label("score"),
        )
        .select_from(Enrollment)
        .join(Track, Track.id == Enrollment.track_id)
        .outerjoin(Lesson, Lesson.track_id == Track.id)
        .outerjoin(
            LessonProgress,
            and_(LessonProgress.lesson_id == Lesson.id, LessonProgress.user_id == user_id),
        )
        .where(Enrollment.user_id == user_id)
        .group_by(Track.id)
        .order_by(Track.id)
    )
    return [dict(row) for row in rows.mappings()]
