"""The catalog, page by page: what the school has published, newest first."""

import re
from datetime import datetime
from typing import Any

from models import BadCursor, Track
from sqlalchemy import ColumnElement, func, select, tuple_
from sqlalchemy.orm import Session

LARGEST_PAGE = 100
CURSOR = re.compile(r"(.+[+-]\d\d:\d\d)_(\d{1,18})")  # so many digits fit into a bigint


def newest_tracks(
    session: Session, *, size: int, after: str | None = None, level: str | None = None
) -> dict[str, Any]:
    if not 1 <= size <= LARGEST_PAGE:
        raise ValueError(f"a page has from 1 to {LARGEST_PAGE} tracks, not {size}")
    query = select(Track).where(*_published(level))
    if after is not None:
        query = query.where(tuple_(Track.published_at, Track.id) < _place(after))
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
    return session.scalars(query).one()


def _published(level: str | None) -> list[ColumnElement[bool]]:
    published = [Track.published_at.is_not(None)]
    return published if level is None else [*published, Track.level == level]


def _cursor(track: Track) -> str:
    """The place of a track in the list, which stays when the track goes."""
    return f"{track.published_at}_{track.id}"


def _place(cursor: str) -> tuple[datetime, int]:
    found = CURSOR.fullmatch(cursor)
    if found is None:
        raise BadCursor(cursor)
    try:
        return datetime.fromisoformat(found[1]), int(found[2])
    except ValueError:
        raise BadCursor(cursor) from None
