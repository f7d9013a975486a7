# misconception: inner-join-loses-zeros
# fails: test_nothing_was_learned_yet
"""What a learner has done, from tracks by lessons to progress."""

from typing import Any

from models import Enrollment, Lesson, LessonProgress, Track
from sqlalchemy import func, select
from sqlalchemy.orm import Session


def user_progress(session: Session, user_id: int) -> list[dict[str, Any]]:
    rows = session.execute(
        select(
            Track.title,
            func.count(Lesson.id),
            func.count().filter(LessonProgress.is_completed),
            func.sum(Lesson.minutes).filter(LessonProgress.is_completed),
            func.avg(LessonProgress.score),
        )
        .join(Enrollment, Enrollment.track_id == Track.id)
        .join(Lesson, Lesson.track_id == Track.id)
        .join(LessonProgress, LessonProgress.lesson_id == Lesson.id)
        .where(Enrollment.user_id == user_id, LessonProgress.user_id == user_id)
        .group_by(Track.id)
        .order_by(Track.id)
    )
    return [
        {
            "track": title,
            "lessons": lessons,
            "completed": completed,
            "minutes": minutes or 0,
            "percent": 100 * completed / lessons,
            "score": score,
        }
        for title, lessons, completed, minutes, score in rows
    ]
