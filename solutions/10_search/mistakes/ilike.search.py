# misconception: ilike-finds-words
# fails: test_one_word, test_several_words, test_the_best_come_first, test_a_search_looks_up,
#   test_what_people_type, test_hostile_queries, test_limit
"""The search box: every word that was typed must be in the title or in the content."""

from typing import Any

from models import Lesson
from sqlalchemy import func, select
from sqlalchemy.orm import Session


def find_lessons(session: Session, query: str, limit: int = 10) -> list[dict[str, Any]]:
    statement = select(Lesson.id, Lesson.title).where(Lesson.is_published)
    for word in query.replace("\0", " ").split():
        text = Lesson.title + " " + func.coalesce(Lesson.content, "")
        statement = statement.where(text.icontains(word, autoescape=True))
    rows = session.execute(statement.order_by(Lesson.id).limit(limit))
    return [dict(row) for row in rows.mappings()]
