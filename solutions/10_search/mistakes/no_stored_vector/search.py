"""The search box, on PostgreSQL's full text search."""

from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

FIND = text(
    """
    SELECT id, title
    FROM lessons,
         websearch_to_tsquery('english', :query) AS wanted,
         LATERAL (SELECT setweight(to_tsvector('english', title), 'A')
                      || setweight(to_tsvector('english', coalesce(content, '')), 'D') AS words
                 ) AS of_lesson
    WHERE is_published AND words @@ wanted
    ORDER BY ts_rank(words, wanted) DESC, id
    LIMIT :limit
    """
)


def find_lessons(session: Session, query: str, limit: int = 10) -> list[dict[str, Any]]:
    values = {"query": query.replace("\0", " "), "limit": limit}
    return [dict(row) for row in session.execute(FIND, values).mappings()]
