"""What a learner has done, track by track.

The first version was for the welcome page, where everybody has opened one lesson. README.md says
what the director wants to see now.
"""

from typing import Any

from models import Enrollment, Lesson, LessonProgress, Track
from sqlalchemy import func, select
from sqlalchemy.orm import Session


def user_progress(session: Session, user_id: int) -> list[dict[str, Any]]:
    """Return a row for each track of the user."""
    rows = session.execute(
        select(Track.title.label("track"), func.count(LessonProgress.is_completed).label("opened"))
        .join(Enrollment, Enrollment.track_id == Track.id)
        .join(Lesson, Lesson.track_id == Track.id)
        .join(LessonProgress, LessonProgress.lesson_id == Lesson.id)
        .where(Enrollment.user_id == user_id)
        .group_by(Track.id)
    )
    return [dict(row) for row in rows.mappings()]
