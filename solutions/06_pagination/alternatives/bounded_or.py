"""Legacy Query; an upper bound for the index, and what of the same moment was shown, left out."""

import re
from dataclasses import dataclass
from datetime import datetime

from models import BadCursor, Track
from sqlalchemy import not_
from sqlalchemy.orm import load_only

FORM = re.compile(r"(\d{1,18})@(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{6})?[+-]\d\d:\d\d)", re.ASCII)


@dataclass
class Page:
    tracks: list
    next: str | None = None


def newest_tracks(session, *, size, after=None, level=None):
    assert_size(size)
    query = published(session, level).options(
        load_only(Track.title, Track.level, Track.published_at)
    )
    if after is not None:
        moment, track_id = parse(after)
        shown = (Track.published_at == moment) & (Track.id >= track_id)
        query = query.filter(Track.published_at <= moment, not_(shown))
    query = query.order_by(Track.published_at.desc(), Track.id.desc())
    *page, beyond = [*query.limit(size + 1), None][: size + 1]
    if beyond is None:
        return Page([track for track in page if track is not None])
    last = page[-1]
    return Page(page, f"{last.id}@{last.published_at.isoformat()}")


def published(session, level):
    query = session.query(Track).filter(Track.published_at.is_not(None))
    return query.filter(Track.level == level) if level else query


def assert_size(size):
    if not 0 < size <= 100:
        raise ValueError(size)


def parse(text):
    found = FORM.fullmatch(text)
    try:
        return datetime.fromisoformat(found[2]), int(found[1])
    except (TypeError, ValueError):
        raise BadCursor(text) from None


def count_tracks(session, *, level=None):
    return published(session, level).count()
