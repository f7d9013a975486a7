# misconception: sql-by-paste
# fails: test_what_people_type, test_nothing_is_sql, test_hostile_queries
"""The search box, on PostgreSQL's full text search."""

from typing import Any

from sqlalchemy.orm import Session


def find_lessons(session: Session, query: str, limit: int = 10) -> list[dict[str, Any]]:
    query = query.replace("\0", " ").strip()
    wanted = f"websearch_to_tsquery('english', '{query}')"
    rows = session.connection().exec_driver_sql(
        f"SELECT id, title FROM lessons WHERE is_published AND words @@ {wanted}"
        f" ORDER BY ts_rank(words, {wanted}) DESC, id LIMIT {limit}"
    )
    return [dict(row) for row in rows.mappings()]
