"""The progress by lesson of the large demo data: a million rows, packed as COPY takes them.

Made as dictionaries like all other rows, with dates and UUIDs that psycopg then turns into bytes,
they would take four times as long (bench/tracker_seeding.py).
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from struct import Struct

from tracker.identifiers import uuid7_from
from tracker.seeding.rows import random_for
from tracker.seeding.school import School

COLUMNS = (
    "id",
    "user_id",
    "lesson_id",
    "created_at",
    "updated_at",
    "last_accessed_at",
    "completed",
    "completed_at",
    "time_spent_minutes",
    "score",
)

# A row is the number of its columns, and for each the length in bytes (-1: NULL) and the value. A
# timestamptz is microseconds since 2000; a numeric is some counts and then digits to base 10,000.
# What several rows share is packed once, and a row is put together from its parts.
_TO_ID = Struct("!hiQ").pack  # the first half of the identifier, which is of the moment
_ID = Struct("!Q").pack
_USER_TO_LESSON = Struct("!i16si").pack
_CREATED = Struct("!iq").pack
_MOMENT, _BOOLEAN, _INTEGER, _NUMERIC, _NULL = "iq", "i?", "ii", "i5h", "i"
_FINISHED = Struct("!" + 2 * _MOMENT + _BOOLEAN + _MOMENT + _INTEGER + _NUMERIC).pack
_UNTOUCHED = Struct("!" + 2 * _MOMENT + _BOOLEAN + _NULL + _INTEGER + _NULL).pack
_WHOLE_NUMBER = (1, 0, 0, 0)  # one digit, which stands for 10,000 to the 0th, positive, no decimals
_VARIANT = 0b10 << 62  # of a UUID

_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def lesson_progress(school: School) -> Iterator[bytes]:
    """One row for each lesson of each track that somebody takes; a track's rows at a time."""
    random = random_for(school.number, "large", "lesson_progress")
    lessons = {track.id: [one.bytes for one in track.lesson_ids] for track in school.catalog}
    for taken in school.taken:
        at, pace = (taken.at - _EPOCH) // _MICROSECOND, taken.pace // _MICROSECOND
        # Of the same moment, but random: what `identifier` does, without making an object of it.
        first_id = uuid7_from(int(taken.at.timestamp()) * 1_000_000_000, 0).int
        to_id = _TO_ID(len(COLUMNS), 16, first_id >> 64)
        user = _USER_TO_LESSON(16, taken.user_id.bytes, 16)
        created = _CREATED(8, at)
        untouched = created + _UNTOUCHED(8, at, 8, at, 1, False, -1, 4, 0, -1)
        parts: list[bytes] = []
        for place, lesson in enumerate(lessons[taken.track.id], start=1):
            key = _ID(_VARIANT | random.getrandbits(62))
            if place > taken.finished:
                parts += (to_id, key, user, lesson, untouched)
                continue
            moment = at + place * pace
            minutes = 10 + int(60 * random.random())
            score = 50 + int(51 * random.random())
            finished = _FINISHED(
                8, moment, 8, moment, 1, True, 8, moment, 4, minutes, 10, *_WHOLE_NUMBER, score
            )
            parts += (to_id, key, user, lesson, created, finished)
        yield b"".join(parts)
