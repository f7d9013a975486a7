"""Core, and two statements for a page: the rest of the same moment, then what is older."""

import json
from datetime import datetime

from models import BadCursor, Track
from sqlalchemy import func, select

tracks = Track.__table__
NEWEST = (tracks.c.published_at.desc(), tracks.c.id.desc())


def newest_tracks(session, *, size, after=None, level=None):
    if size < 1 or size > 100:
        raise ValueError(f"no page has {size} tracks")
    # SQLAlchemy makes IS NOT NULL of it, as many people write it.
    listed = select(tracks).where(tracks.c.published_at != None).order_by(*NEWEST)  # noqa: E711
    if level is not None:
        listed = listed.filter_by(level=level)
    if after is None:
        rows = session.execute(listed.limit(size)).mappings().all()
    else:
        rows = rest(session, listed, size, *read(after))
    if not rows:
        return {"tracks": [], "next": None}
    moment, track_id = rows[-1]["published_at"], rows[-1]["id"]
    more = bool(rest(session, listed, 1, moment, track_id))
    there = json.dumps({"t": moment.isoformat(), "n": track_id})
    return {"tracks": rows, "next": there if more else None}


def rest(session, listed, size, moment, track_id):
    """The tracks of that moment behind the id, then those of earlier moments."""
    same = listed.where(tracks.c.published_at == moment, tracks.c.id < track_id).limit(size)
    rows = session.execute(same).mappings().all()
    if len(rows) < size:
        earlier = listed.where(tracks.c.published_at < moment).limit(size - len(rows))
        rows = [*rows, *session.execute(earlier).mappings()]
    return rows


def read(text):
    try:
        there = json.loads(text)
        moment, track_id = datetime.fromisoformat(there["t"]), int(there["n"])
        moment.utcoffset().total_seconds()
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise BadCursor(text) from error
    if abs(track_id) > 2**62:
        raise BadCursor(text)
    return moment, track_id


def count_tracks(session, *, level=None):
    by_level = select(tracks.c.level, func.count(tracks.c.published_at)).group_by(tracks.c.level)
    return sum(n for name, n in session.execute(by_level) if level in (None, name))
