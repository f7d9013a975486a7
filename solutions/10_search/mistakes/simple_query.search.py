# misconception: two-configurations
# fails: test_one_word, test_several_words
"""The search box. What was typed is taken as it is: 'simple' leaves every word alone."""

from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

FIND = text(
    """
    SELECT id, title
    FROM lessons, websearch_to_tsquery('simple', :query) AS wanted
    WHERE is_published AND words @@ wanted
    ORDER BY ts_rank(words, wanted) DESC, id
    LIMIT :limit
    """
)


def find_lessons(session: Session, query: str, limit: int = 10) -> list[dict[str, Any]]:
    values = {"query": query.replace("\0", " "), "limit": limit}
    return [dict(row) for row in session.execute(FIND, values).mappings()]
