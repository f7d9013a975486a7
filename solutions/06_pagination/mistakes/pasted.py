# misconception: sql-by-paste
# fails: test_bad_cursors
"""The catalog, page by page. The cursor is a part of the query."""

from typing import Any

from models import Track
from sqlalchemy import ColumnElement, func, select, text
from sqlalchemy.orm import Session

LARGEST_PAGE = 100


def newest_tracks(
    session: Session, *, size: int, after: str | None = None, level: str | None = None
) -> dict[str, Any]:
    if not 1 <= size <= LARGEST_PAGE:
        raise ValueError(f"a page has from 1 to {LARGEST_PAGE} tracks, not {size}")
    query = select(Track).where(*_published(level))
    if after is not None:
        query = query.where(text(f"(published_at, id) < ({after})"))
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
    return f"'{track.published_at.isoformat()}', {track.id}"
