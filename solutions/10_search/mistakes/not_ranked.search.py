# misconception: matching-is-not-ranking
# fails: test_the_best_come_first, test_limit
"""The search box: the lessons that match."""

from typing import Any

from models import Lesson
from sqlalchemy import func, literal_column, select
from sqlalchemy.orm import Session


def find_lessons(session: Session, query: str, limit: int = 10) -> list[dict[str, Any]]:
    wanted = func.websearch_to_tsquery("english", query.replace("\0", " "))
    rows = session.execute(
        select(Lesson.id, Lesson.title)
        .where(Lesson.is_published, literal_column("lessons.words").bool_op("@@")(wanted))
        .order_by(Lesson.id)
        .limit(limit)
    )
    return [dict(row) for row in rows.mappings()]
