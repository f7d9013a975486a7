"""One statement that gives the page as JSON; PostgreSQL also makes the cursor."""

from models import BadCursor
from sqlalchemy import text
from sqlalchemy.exc import DataError

PAGE = text("""
WITH listed AS (
    SELECT id, title, level, published_at FROM tracks
    WHERE published_at IS NOT NULL
      AND (published_at, id) < (CAST(:moment AS timestamptz), CAST(:id AS bigint))
      AND (CAST(:level AS text) IS NULL OR level = :level)
    ORDER BY published_at DESC, id DESC LIMIT :size + 1
), numbered AS (
    SELECT *, row_number() OVER (ORDER BY published_at DESC, id DESC) AS n FROM listed
)
SELECT id, title, level, published_at,
       CAST(extract(epoch FROM published_at) AS text) || ' ' || id AS place,
       n = :size AND EXISTS (SELECT FROM numbered WHERE n > :size) AS more
FROM numbered WHERE n <= :size ORDER BY n
""")


def newest_tracks(session, *, size, after=None, level=None):
    if not 1 <= size <= 100:
        raise ValueError(size)
    moment, track_id = ("infinity", 0) if after is None else place(session, after)
    values = {"moment": moment, "id": track_id, "level": level, "size": size}
    rows = session.execute(PAGE, values).all()
    tracks = [{"id": r[0], "title": r[1], "level": r[2], "published_at": r[3]} for r in rows]
    return {"tracks": tracks, "next": rows[-1].place if rows and rows[-1].more else None}


def place(session, after):
    """Let PostgreSQL read the cursor; in a savepoint, because it may refuse."""
    moment, _, track_id = after.partition(" ")
    query = (
        "SELECT to_timestamp(0) + CAST(:s AS numeric) * interval '1 second', CAST(:id AS bigint)"
    )
    try:
        with session.begin_nested():
            return session.execute(text(query), {"s": moment, "id": track_id}).one()
    except DataError:
        raise BadCursor(after) from None


def count_tracks(session, *, level=None):
    query = "SELECT count(*) FROM tracks WHERE published_at IS NOT NULL"
    if level is None:
        return session.scalar(text(query))
    return session.scalar(text(f"{query} AND level = :level"), {"level": level})
