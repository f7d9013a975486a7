# misconception: null-is-zero
# fails: test_percent_and_score, test_nothing_was_learned_yet
"""What a learner has done, with 0 wherever something is missing, so that no report breaks."""

from typing import Any

from models import Enrollment, Lesson, LessonProgress, Track
from sqlalchemy import and_, case, func, select
from sqlalchemy.orm import Session


def user_progress(session: Session, user_id: int) -> list[dict[str, Any]]:
    done = func.coalesce(LessonProgress.is_completed, False)
    rows = session.execute(
        select(
            Track.title.label("track"),
            func.count(Lesson.id).label("lessons"),
            func.count(case((done, 1))).label("completed"),
            func.sum(case((done, func.coalesce(Lesson.minutes, 0)), else_=0)).label("minutes"),
            func.avg(case((Lesson.id.is_not(None), case((done, 100.0), else_=0.0)))).label(
                "percent"
            ),
            func.avg(func.coalesce(LessonProgress.score, 0)).label("score"),
        )
        .join(Enrollment, and_(Enrollment.track_id == Track.id, Enrollment.user_id == user_id))
        .outerjoin(Lesson, Lesson.track_id == Track.id)
        .outerjoin(
            LessonProgress,
            and_(LessonProgress.lesson_id == Lesson.id, LessonProgress.user_id == user_id),
        )
        .group_by(Track.id)
        .order_by(Track.id)
    )
    return [dict(row) for row in rows.mappings()]
