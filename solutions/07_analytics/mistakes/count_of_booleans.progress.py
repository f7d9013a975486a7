# misconception: count-of-booleans
# fails: test_lessons_of_a_user
"""What a learner has done: lessons, completed lessons and scores of each track."""

from typing import Any

from models import Enrollment, Lesson, LessonProgress, Track
from sqlalchemy import and_, func, select
from sqlalchemy.orm import Session


def user_progress(session: Session, user_id: int) -> list[dict[str, Any]]:
    lessons = func.count(Lesson.id)
    completed = func.count(LessonProgress.is_completed)
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
        .join(Enrollment, Enrollment.track_id == Track.id)
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
