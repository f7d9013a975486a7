# misconception: to-tsquery-takes-text
# fails: test_several_words, test_what_people_type, test_nothing_is_sql, test_hostile_queries
"""The search box, on PostgreSQL's full text search."""

from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

FIND = text(
    """
    SELECT id, title
    FROM lessons
    WHERE is_published AND words @@ to_tsquery('english', :query)
    ORDER BY ts_rank(words, to_tsquery('english', :query)) DESC, id
    LIMIT :limit
    """
)


def find_lessons(session: Session, query: str, limit: int = 10) -> list[dict[str, Any]]:
    values = {"query": query.replace("\0", " "), "limit": limit}
    return [dict(row) for row in session.execute(FIND, values).mappings()]
