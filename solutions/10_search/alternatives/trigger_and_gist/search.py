"""psycopg alone; the query is put together from words and phrases."""

import re
from dataclasses import dataclass

from psycopg.rows import class_row

PART = re.compile(r'(?P<no>(?<!\S)-)?(?:"(?P<phrase>[^"]*)"|(?P<word>[^\s"]+))')


@dataclass
class Found:
    id: int
    title: str


def find_lessons(session, query, limit=10):
    parts, values = [], {"limit": limit}
    for number, part in enumerate(PART.finditer(query.replace("\0", " "))):
        name = f"text{number}"
        values[name] = part["phrase"] if part["phrase"] is not None else part["word"]
        parser = "phraseto_tsquery" if part["phrase"] is not None else "plainto_tsquery"
        parts.append(f"{'!!' if part['no'] else ''}{parser}('english', %({name})s)")
    wanted = " && ".join(parts) or "''::tsquery"
    with session.connection().connection.driver_connection.cursor(
        row_factory=class_row(Found)
    ) as cursor:
        cursor.execute(
            f"SELECT id, title FROM lessons JOIN (SELECT {wanted}) AS q (wanted)"
            " ON looked_up @@ wanted WHERE is_published"
            " ORDER BY ts_rank('{0.0, 0.0, 0.1, 1.0}', looked_up, wanted) DESC, id"
            " FETCH FIRST %(limit)s ROWS ONLY",
            values,
        )
        return cursor.fetchall()
