# misconception: larger-id-is-newer
# fails: test_every_track_once, test_one_level, test_same_moment, test_others_publish_meanwhile,
#   test_deep_pages, test_the_last_one_goes, test_microseconds, test_sizes
"""The catalog, page by page. Ids count upwards, so the newest is the largest."""

from typing import Any

from models import BadCursor, Track
from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

LARGEST_PAGE = 100
LARGEST_ID = 2**63 - 1


def newest_tracks(
    session: Session, *, size: int, after: str | None = None, level: str | None = None
) -> dict[str, Any]:
    if not 1 <= size <= LARGEST_PAGE:
        raise ValueError(f"a page has from 1 to {LARGEST_PAGE} tracks, not {size}")
    query = select(Track).where(*_published(level))
    if after is not None:
        query = query.where(Track.id < _id(after))
    newest_first = query.order_by(Track.id.desc())
    found = session.scalars(newest_first.limit(size + 1)).all()
    tracks = found[:size]
    return {
        "tracks": [
            {"id": t.id, "title": t.title, "level": t.level, "published_at": t.published_at}
            for t in tracks
        ],
        "next": _cursor(tracks[-1]) if len(found) > size else None,
    }


def count_tracks(session: Session, *, level: str | None = None) -> int:
    query = select(func.count()).select_from(Track).where(*_published(level))
    return session.scalar(query) or 0


def _published(level: str | None) -> list[ColumnElement[bool]]:
    published = [Track.published_at.is_not(None)]
    return published if level is None else [*published, Track.level == level]


def _cursor(track: Track) -> str:
    return str(track.id)


def _id(cursor: str) -> int:
    if not cursor.isdecimal() or int(cursor) > LARGEST_ID:
        raise BadCursor(cursor)
    return int(cursor)
