"""The search box: in titles or in contents, the titles first."""

from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

FIND = text(
    """
    SELECT id, title
    FROM lessons, websearch_to_tsquery('english', :query) AS wanted
    WHERE is_published AND title_words @@ wanted OR content_words @@ wanted
    ORDER BY title_words @@ wanted DESC, ts_rank(content_words, wanted) DESC, id
    LIMIT :limit
    """
)


def find_lessons(session: Session, query: str, limit: int = 10) -> list[dict[str, Any]]:
    values = {"query": query.replace("\0", " "), "limit": limit}
    return [dict(row) for row in session.execute(FIND, values).mappings()]
