"""Full text search over tracks and lessons: ranked, with the words found marked.

The server keeps the words of each row in a generated column, reduced to their stems ("indexes" and
"indexing" are one word), and a GIN index over it. Words of a title weigh most.

Source: PostgreSQL manual, chapter 12, Full Text Search.
"""

import html
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    SQLColumnExpression,
    cast,
    exists,
    func,
    literal,
    select,
)
from sqlalchemy.dialects.postgresql import REGCONFIG
from sqlalchemy.orm import Session

from tracker.models import Difficulty, Lesson, Track, TrackProgress
from tracker.repositories.pages import Page, paged, total_of

LONGEST_QUERY = 200  # characters; what comes after is not looked at

# Characters that stand for the beginning and end of a mark until the text is safe for HTML.
_START, _STOP = "\x02", "\x03"
_HEADLINE = f'StartSel="{_START}", StopSel="{_STOP}", MaxFragments=2, MaxWords=30, MinWords=10'


# Not attributes of the models: nobody reads them, and each write would bring them back.
_WORDS_OF_TRACK = Track.__table__.c.search_vector
_WORDS_OF_LESSON = Lesson.__table__.c.search_vector


@dataclass(frozen=True)
class FoundTrack:
    """A track that a search found. The extract is HTML, safe to show as it is."""

    id: UUID
    slug: str
    title: str
    difficulty: Difficulty
    rank: float
    extract: str


@dataclass(frozen=True)
class FoundLesson:
    """A lesson that a search found. The extract is HTML, safe to show as it is."""

    id: UUID
    track_id: UUID
    track_title: str
    title: str
    rank: float
    extract: str


Found = TypeVar("Found", FoundTrack, FoundLesson)


def find_tracks(
    session: Session,
    query: str,
    *,
    difficulties: Sequence[Difficulty] = (),
    categories: Sequence[str] = (),
    tag: str | None = None,
    highest_price_cents: int | None = None,
    not_completed_by: UUID | None = None,
    page: int = 1,
    limit: int = 10,
) -> Page[FoundTrack]:
    """Search title, description, tags and category of the published tracks, the best first.

    Arguments:
        query: as people type it into a search box: words, "a phrase", `or`, and - before a word
            that must not be there. No text is an error; one without words finds nothing.
        difficulties: only tracks of one of these; all if empty.
        categories: only tracks of one of these; all if empty.
        tag: only tracks that have exactly this tag.
        highest_price_cents: only tracks that cost no more.
        not_completed_by: leave out what this user has completed.
        page: counted from 1.
        limit: tracks on a page, at most 100.
    """
    wanted = _tsquery(query)
    rank = func.ts_rank(_WORDS_OF_TRACK, wanted).label("rank")
    matches = _WORDS_OF_TRACK.bool_op("@@")(wanted)
    statement = select(Track.id, rank).where(Track.is_published, matches)
    if difficulties:
        statement = statement.where(Track.difficulty.in_(difficulties))
    if categories:
        statement = statement.where(Track.category.in_(categories))
    if tag is not None:
        statement = statement.where(Track.tags.contains([tag]))
    if highest_price_cents is not None:
        statement = statement.where(Track.price_cents <= highest_price_cents)
    if not_completed_by is not None:
        completed = exists().where(
            TrackProgress.user_id == not_completed_by,
            TrackProgress.track_id == Track.id,
            TrackProgress.completed_at.is_not(None),
        )
        statement = statement.where(~completed)
    best = paged(statement.order_by(rank.desc(), Track.id), page, limit).subquery()
    text = func.coalesce(Track.description, Track.title)
    rows = session.execute(
        select(
            Track.id,
            Track.slug,
            Track.title,
            Track.difficulty,
            best.c.rank,
            _headline(text, wanted),
        )
        .join(best, best.c.id == Track.id)
        .order_by(best.c.rank.desc(), Track.id)
    )
    found = [_made_safe(FoundTrack(*row)) for row in rows]
    return Page(found, page, limit, total_of(session, statement))


def find_lessons(
    session: Session,
    query: str,
    *,
    track_id: UUID | None = None,
    page: int = 1,
    limit: int = 10,
) -> Page[FoundLesson]:
    """Search title and content of the published lessons of published tracks, the best first.

    Arguments:
        query: as in `find_tracks`.
        track_id: only lessons of this track.
        page: counted from 1.
        limit: lessons on a page, at most 100.
    """
    wanted = _tsquery(query)
    rank = func.ts_rank(_WORDS_OF_LESSON, wanted).label("rank")
    matches = _WORDS_OF_LESSON.bool_op("@@")(wanted)
    statement = (
        select(Lesson.id, rank)
        .join(Lesson.track)
        .where(Track.is_published, Lesson.is_published, matches)
    )
    if track_id is not None:
        statement = statement.where(Lesson.track_id == track_id)
    best = paged(statement.order_by(rank.desc(), Lesson.id), page, limit).subquery()
    rows = session.execute(
        select(
            Lesson.id,
            Track.id,
            Track.title,
            Lesson.title,
            best.c.rank,
            _headline(Lesson.content, wanted),
        )
        .join(best, best.c.id == Lesson.id)
        .join(Lesson.track)
        .order_by(best.c.rank.desc(), Lesson.id)
    )
    found = [_made_safe(FoundLesson(*row)) for row in rows]
    return Page(found, page, limit, total_of(session, statement))


def _tsquery(query: str) -> ColumnElement[Any]:
    """Return the query for the server.

    `websearch_to_tsquery` finds a meaning in every text, where `to_tsquery` fails on "C++ &". What
    no PostgreSQL text can hold is taken out before: NUL, and halves of surrogate pairs.
    """
    text = query.replace("\0", " ").encode("utf-8", "ignore").decode()[:LONGEST_QUERY]
    return func.websearch_to_tsquery(_english(), text)


def _english() -> ColumnElement[Any]:
    return cast(literal("english"), REGCONFIG)


def _headline(text: SQLColumnExpression[str], wanted: ColumnElement[Any]) -> ColumnElement[str]:
    """Cut out where the words stand, with marks around them.

    Called for the rows of a page only: it reads the whole text, not the index.
    """
    unmarked = func.translate(text, _START + _STOP, "")
    return func.ts_headline(_english(), unmarked, wanted, _HEADLINE)


def _made_safe(found: Found) -> Found:
    """Escape what an author wrote, then turn the marks into tags.

    In the other order the tags would be escaped too. And without escaping, what looks like HTML in
    a lesson would be HTML in the page: `ts_headline` takes out simple tags, but promises nothing.
    """
    escaped = html.escape(found.extract)
    marked = escaped.replace(_START, "<mark>").replace(_STOP, "</mark>")
    return replace(found, extract=marked)
