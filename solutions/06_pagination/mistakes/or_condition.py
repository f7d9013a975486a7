# misconception: or-finds-the-place
# fails: test_deep_pages
"""The catalog, page by page. Before that moment, or in it and with a smaller id."""

from datetime import datetime
from typing import Any

from models import BadCursor, Track
from sqlalchemy import ColumnElement, and_, func, or_, select
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
        moment, track_id = _place(after)
        earlier = Track.published_at < moment
        same = and_(Track.published_at == moment, Track.id < track_id)
        query = query.where(or_(earlier, same))
    newest_first = query.order_by(Track.published_at.desc(), Track.id.desc())
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
    """The place of a track in the list, which stays when the track goes."""
    return f"{track.published_at.isoformat()}_{track.id}"


def _place(cursor: str) -> tuple[datetime, int]:
    moment, _, track_id = cursor.partition("_")
    try:
        place = datetime.fromisoformat(moment), int(track_id)
    except ValueError:
        raise BadCursor(cursor) from None
    if place[0].tzinfo is None or not 0 <= place[1] <= LARGEST_ID:
        raise BadCursor(cursor)
    return place
