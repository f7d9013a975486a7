# misconception: offset-is-a-place
# fails: test_others_publish_meanwhile, test_deep_pages
"""The catalog, page by page. The cursor says how many tracks were shown."""

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
    shown = 0 if after is None else _shown(after)
    newest_first = query.order_by(Track.published_at.desc(), Track.id.desc())
    found = session.scalars(newest_first.offset(shown).limit(size + 1)).all()
    tracks = found[:size]
    return {
        "tracks": [
            {"id": t.id, "title": t.title, "level": t.level, "published_at": t.published_at}
            for t in tracks
        ],
        "next": str(shown + size) if len(found) > size else None,
    }


def count_tracks(session: Session, *, level: str | None = None) -> int:
    query = select(func.count()).select_from(Track).where(*_published(level))
    return session.scalar(query) or 0


def _published(level: str | None) -> list[ColumnElement[bool]]:
    published = [Track.published_at.is_not(None)]
    return published if level is None else [*published, Track.level == level]


def _shown(cursor: str) -> int:
    if not cursor.isdecimal() or int(cursor) > LARGEST_ID:
        raise BadCursor(cursor)
    return int(cursor)
