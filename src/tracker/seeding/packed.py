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
_UUID, _MOMENT, _BOOLEAN, _INTEGER, _NUMERIC, _NULL = "i16s", "iq", "i?", "ii", "i5h", "i"
_BEGIN = "!h" + 3 * _UUID + 3 * _MOMENT + _BOOLEAN
_FINISHED = Struct(_BEGIN + _MOMENT + _INTEGER + _NUMERIC).pack
_UNTOUCHED = Struct(_BEGIN + _NULL + _INTEGER + _NULL).pack
_WHOLE_NUMBER = (1, 0, 0, 0)  # one digit, which stands for 10,000 to the 0th, positive, no decimals

_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def lesson_progress(school: School) -> Iterator[bytes]:
    """One row for each lesson of each track that somebody takes."""
    random = random_for(school.number, "large", "lesson_progress")
    lessons = {track.id: [one.bytes for one in track.lesson_ids] for track in school.catalog}
    for taken in school.taken:
        user = taken.user_id.bytes
        at, pace = (taken.at - _EPOCH) // _MICROSECOND, taken.pace // _MICROSECOND
        # Of the same moment, but random: what `identifier` does, without making an object of it.
        first_id = uuid7_from(int(taken.at.timestamp()) * 1_000_000_000, 0).int
        for place, lesson in enumerate(lessons[taken.track.id], start=1):
            key = (first_id | random.getrandbits(62)).to_bytes(16)
            start = (10, 16, key, 16, user, 16, lesson, 8, at)
            if place > taken.finished:
                yield _UNTOUCHED(*start, 8, at, 8, at, 1, False, -1, 4, 0, -1)
                continue
            moment = at + place * pace
            minutes = 10 + int(60 * random.random())
            score = 50 + int(51 * random.random())
            yield _FINISHED(
                *start, 8, moment, 8, moment, 1, True,
                8, moment, 4, minutes, 10, *_WHOLE_NUMBER, score,
            )  # fmt: skip
