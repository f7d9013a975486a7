from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import timedelta
from decimal import Decimal
from uuid import UUID

import pytest
from sqlalchemy import func, text, update
from sqlalchemy.orm import Session

from tracker.analytics import tracks as analytics
from tracker.errors import InvalidData, NotFound
from tracker.models import Track, TrackAnalytics, User
from tracker.repositories import track_analytics
from tracker.repositories.track_analytics import Figure
from tracker.services import learning

Statements = Callable[[], AbstractContextManager[list[str]]]


def test_figures_are_read_as_they_were_computed(
    session: Session,
    make_user: Callable[..., User],
    make_track: Callable[..., Track],
    stranger: UUID,
) -> None:
    track = make_track(lessons=1)
    learner = make_user()
    learning.enroll(session, learner.id, track.id)
    with pytest.raises(NotFound):
        track_analytics.get(session, track.id)
    analytics.record(session)
    figures = track_analytics.get(session, track.id)
    assert (figures.title, figures.total_enrollments, figures.active_enrollments) == (
        "SQL 101",
        1,
        1,
    )
    assert (figures.average_rating, figures.total_revenue_cents) == (None, 0)
    with pytest.raises(NotFound):
        track_analytics.get(session, stranger)


def test_a_rating_is_set_and_emptied_and_computing_anew_leaves_it(
    session: Session, make_track: Callable[..., Track]
) -> None:
    track = make_track()
    analytics.record(session)
    rated = track_analytics.update_fields(session, track.id, {"average_rating": Decimal("4.25")})
    assert rated.average_rating == Decimal("4.25")
    analytics.record(session)
    assert track_analytics.get(session, track.id).average_rating == Decimal("4.25")
    emptied = track_analytics.update_fields(session, track.id, {"average_rating": None})
    assert emptied.average_rating is None
    with pytest.raises(InvalidData), session.begin_nested():
        track_analytics.update_fields(session, track.id, {"average_rating": Decimal(6)})
    with pytest.raises(InvalidData, match="total_revenue_cents"):
        track_analytics.update_fields(session, track.id, {"total_revenue_cents": 1})


@pytest.mark.parametrize("figure", Figure)
def test_the_highest_comes_first_and_who_has_none_last(
    session: Session, make_track: Callable[..., Track], figure: Figure
) -> None:
    values = [2, 5, 1]
    made = [make_track(title=f"T{value}") for value in values]
    unrated = make_track(title="T")
    for track, value in zip(made, values, strict=True):
        figures = {figure: value, "total_enrollments": value}
        session.add(TrackAnalytics(track_id=track.id, **figures))
    session.add(TrackAnalytics(track_id=unrated.id))
    session.flush()
    found = track_analytics.find(session, highest=figure)
    assert [item.title for item in found.items] == ["T5", "T2", "T1", "T"]


def test_search_has_no_wildcards_and_narrows_the_total(
    session: Session, make_track: Callable[..., Track]
) -> None:
    mine = make_track(title="100% SQL")
    make_track(title="Indexes")
    make_track(title="Not computed yet")
    analytics.record(session)
    session.execute(
        text(
            "DELETE FROM track_analytics a USING tracks t WHERE t.id = track_id AND title ~ '^Not'"
        )
    )
    for search, expected in (("%", ["100% SQL"]), ("_", []), ("SQL", ["100% SQL"]), ("not", [])):
        found = track_analytics.find(session, search=search)
        assert ([item.title for item in found.items], found.total) == (expected, len(expected))
    assert track_analytics.find(session, author_id=mine.author_id).total == 1
    first = track_analytics.find(session, limit=1)
    assert (len(first.items), first.total, first.total_pages) == (1, 2, 2)


def test_listing_takes_two_statements_whatever_its_size(
    session: Session, make_track: Callable[..., Track], statements: Statements
) -> None:
    counts = []
    for size in (3, 6):
        for _ in range(size):
            make_track()
        analytics.record(session)
        with statements() as sent:
            track_analytics.find(session, limit=100)
        counts.append(len(sent))
    assert counts == [2, 2]


def test_figures_that_are_old_or_missing_are_named(
    session: Session, make_track: Callable[..., Track]
) -> None:
    old, fresh = make_track(), make_track()
    analytics.record(session)
    session.execute(
        update(TrackAnalytics)
        .where(TrackAnalytics.track_id == old.id)
        .values(calculated_at=func.now() - timedelta(hours=2))
    )
    missing = make_track()
    assert set(track_analytics.older_than(session, timedelta(hours=1))) == {old.id, missing.id}
    assert fresh.id not in track_analytics.older_than(session, timedelta(minutes=1))
