"""SQLAlchemy Core. The words are those of the index, and a match in the title goes first."""

from models import Lesson
from sqlalchemy import desc, func, literal_column, select
from sqlalchemy.dialects.postgresql import TSVECTOR

# Written like the index, literals and all: PostgreSQL compares the expressions.
WORDS = literal_column(
    "to_tsvector('english', lessons.title || ' / ' || coalesce(lessons.content, ''))", TSVECTOR
)


def find_lessons(session, query, limit=10):
    text = query.translate({0: " "})
    wanted = func.websearch_to_tsquery(literal_column("'english'"), text)
    in_title = func.to_tsvector(literal_column("'english'"), Lesson.title).bool_op("@@")(wanted)
    return session.execute(
        select(Lesson.id, Lesson.title)
        .where(Lesson.is_published, WORDS.bool_op("@@")(wanted))
        .order_by(desc(in_title), func.ts_rank_cd(WORDS, wanted).desc(), Lesson.id)
        .limit(limit)
    ).all()
