"""Plain psycopg; the cursor is packed as bytes, with the time in microseconds."""

import base64
import struct
from collections import namedtuple
from datetime import UTC, datetime, timedelta

from models import BadCursor

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
PLACE = struct.Struct(">qq")
Page = namedtuple("Page", "tracks next")
Shown = namedtuple("Shown", "id title level published_at")

QUERY = """
SELECT id, title, level, published_at FROM tracks
WHERE published_at IS NOT NULL {level} {after}
ORDER BY published_at DESC, id DESC FETCH FIRST %(many)s ROWS ONLY
"""


def cursor_of(session):
    return session.connection().connection.driver_connection.cursor()


def newest_tracks(session, *, size, after=None, level=None):
    if size not in range(1, 101):
        raise ValueError("size")
    values = {"many": size + 1, "level": level}
    if after is not None:
        values |= unpacked(after)
    query = QUERY.format(
        level="" if level is None else "AND level = %(level)s",
        after="" if after is None else "AND ROW(published_at, id) < ROW(%(moment)s, %(id)s)",
    )
    rows = cursor_of(session).execute(query, values).fetchall()
    shown = [Shown(*row) for row in rows[:size]]
    return Page(shown, packed(shown[-1]) if rows[size:] else None)


def count_tracks(session, *, level=None):
    query = "SELECT count(published_at) FILTER (WHERE level = %s OR %s) FROM tracks"
    return cursor_of(session).execute(query, [level or "", level is None]).fetchone()[0]


def packed(track):
    microseconds = (track.published_at - EPOCH) // timedelta(microseconds=1)
    return base64.urlsafe_b64encode(PLACE.pack(microseconds, track.id)).decode()


def unpacked(text):
    try:
        microseconds, track_id = PLACE.unpack(base64.b64decode(text, altchars=b"-_", validate=True))
        return {"moment": EPOCH + timedelta(microseconds=microseconds), "id": track_id}
    except (ValueError, struct.error, OverflowError) as error:
        raise BadCursor from error
