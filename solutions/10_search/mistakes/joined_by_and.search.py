# misconception: to-tsquery-takes-text
# fails: test_several_words, test_what_people_type, test_nothing_is_sql, test_hostile_queries
"""The search box, on PostgreSQL's full text search. Between the words goes an &, - is a !."""

from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

FIND = text(
    """
    SELECT id, title
    FROM lessons, to_tsquery('english', :query) AS wanted
    WHERE is_published AND words @@ wanted
    ORDER BY ts_rank(words, wanted) DESC, id
    LIMIT :limit
    """
)


def find_lessons(session: Session, query: str, limit: int = 10) -> list[dict[str, Any]]:
    words = query.replace("\0", " ").replace(" -", " !").split()
    if not words:
        return []
    values = {"query": " & ".join(words), "limit": limit}
    return [dict(row) for row in session.execute(FIND, values).mappings()]
