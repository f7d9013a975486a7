"""The search box: PostgreSQL makes a query of whatever was typed, and looks it up in the index."""

from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

FIND = text(
    """
    SELECT id, title
    FROM lessons, websearch_to_tsquery('english', :query) AS wanted
    WHERE words @@ wanted AND is_published
    ORDER BY ts_rank(words, wanted) DESC, id
    LIMIT :limit
    """
)


def find_lessons(session: Session, query: str, limit: int = 10) -> list[dict[str, Any]]:
    # NUL stands in no text of PostgreSQL's.
    values = {"query": query.replace("\0", " "), "limit": limit}
    return [dict(row) for row in session.execute(FIND, values).mappings()]
