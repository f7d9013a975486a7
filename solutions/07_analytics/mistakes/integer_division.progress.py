# misconception: integer-division
# fails: test_percent_and_score
"""What a learner has done, in one statement."""

from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

PROGRESS = text(
    """
    SELECT t.title AS track,
           count(l.id) AS lessons,
           count(*) FILTER (WHERE p.is_completed) AS completed,
           coalesce(sum(l.minutes) FILTER (WHERE p.is_completed), 0) AS minutes,
           round(100 * count(*) FILTER (WHERE p.is_completed) / nullif(count(l.id), 0), 2)
               AS percent,
           round(avg(p.score), 2) AS score
    FROM enrollments e
    JOIN tracks t ON t.id = e.track_id
    LEFT JOIN lessons l ON l.track_id = t.id
    LEFT JOIN lesson_progress p ON p.lesson_id = l.id AND p.user_id = e.user_id
    WHERE e.user_id = :user_id
    GROUP BY t.id
    ORDER BY t.id
    """
)


def user_progress(session: Session, user_id: int) -> list[dict[str, Any]]:
    return [dict(row) for row in session.execute(PROGRESS, {"user_id": user_id}).mappings()]
