"""The search box on top of every page.

It finds the lesson whose title one knows already. README.md says what the learners asked for.
"""

from typing import Any

from models import Lesson
from sqlalchemy import select
from sqlalchemy.orm import Session


def find_lessons(session: Session, query: str, limit: int = 10) -> list[dict[str, Any]]:
    """Return the lessons that are called so."""
    rows = session.execute(select(Lesson.id, Lesson.title).where(Lesson.title == query))
    return [dict(row) for row in rows.mappings()]
