"""OAuth accounts and stored figures against dictionaries that do the same."""

from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from tracker.errors import AccountLinked, NotFound
from tracker.models import Track, TrackAnalytics, User
from tracker.repositories import oauth_accounts, track_analytics
from tracker.repositories.track_analytics import Figure

relaxed = settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)

# OAuth accounts

providers = st.sampled_from(["github", "gitlab"])
names = st.sampled_from(["1", "2", "é'%_"])
places = st.integers(0, 2)
token_changes = st.fixed_dictionaries(
    {},
    optional={
        "access_token": st.none() | st.sampled_from(["a", "b"]),
        "scope": st.none() | st.text("aé%_' ", max_size=3),
        "expires_at": st.none()
        | st.datetimes(
            min_value=datetime(2000, 1, 1), max_value=datetime(2100, 1, 1), timezones=st.just(UTC)
        ),
    },
)
account_steps = st.lists(
    st.one_of(
        st.tuples(st.just("link"), places, providers, names),
        st.tuples(st.just("link"), places, providers, names),
        st.tuples(st.just("renew"), providers, names, token_changes),
        st.tuples(st.just("unlink"), places, providers, names),
        st.tuples(st.just("deactivate"), places),
    ),
    max_size=12,
)


class Accounts:
    """What the repository keeps, in a dictionary by provider and its name for the account."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.users = [
            User(email=f"u{n}@example.com", username=f"u{n}", password_hash="x") for n in range(3)
        ]
        session.add_all(self.users)
        session.flush()
        self.kept: dict[tuple[str, str], dict[str, Any]] = {}

    def link(self, place: int, provider: str, name: str) -> None:
        user_id = self.users[place].id
        known = self.kept.get((provider, name))
        if known and known["user_id"] != user_id:
            with pytest.raises(AccountLinked):
                oauth_accounts.link(self.session, user_id, provider, name)
            return
        made = oauth_accounts.link(self.session, user_id, provider, name)
        new = {"user_id": user_id, "access_token": None, "scope": None, "expires_at": None}
        expected = self.kept.setdefault((provider, name), new | {"id": made.id})
        assert (made.id, made.user_id) == (expected["id"], user_id)

    def renew(self, provider: str, name: str, changes: oauth_accounts.TokenChanges) -> None:
        known = self.kept.get((provider, name))
        if known:
            known.update(changes)
            renewed = oauth_accounts.renew(self.session, known["id"], changes)
            assert (renewed.scope, renewed.expires_at) == (known["scope"], known["expires_at"])

    def unlink(self, place: int, provider: str, name: str) -> None:
        user_id = self.users[place].id
        known = self.kept.get((provider, name))
        if not known:
            return
        if known["user_id"] != user_id:
            with pytest.raises(NotFound):
                oauth_accounts.unlink(self.session, user_id, known["id"])
            return
        oauth_accounts.unlink(self.session, user_id, known["id"])
        del self.kept[provider, name]

    def deactivate(self, place: int) -> None:
        self.users[place].is_active = False
        self.session.flush()

    def look(self) -> None:
        """Compare all that can be read."""
        active = {user.id for user in self.users if user.is_active}
        for (provider, name), known in self.kept.items():
            expected = known["user_id"] if known["user_id"] in active else None
            assert oauth_accounts.user_of(self.session, provider, name) == expected
            token = oauth_accounts.access_token_of(self.session, known["id"])
            assert token == known["access_token"]
        for user in self.users:
            own = [one["id"] for one in self.kept.values() if one["user_id"] == user.id]
            found = [one.id for one in oauth_accounts.of_user(self.session, user.id)]
            assert sorted(found) == sorted(own)


@relaxed
@given(account_steps)
def test_accounts_are_what_a_dictionary_makes_of_the_same_steps(
    shared_engine: Engine, steps: list[tuple[Any, ...]]
) -> None:
    with Session(shared_engine) as session:
        accounts = Accounts(session)
        for kind, *rest in steps:
            getattr(accounts, kind)(*rest)
        accounts.look()


# Stored figures

percents = st.decimals(0, 100, places=2)
figures = st.fixed_dictionaries(
    {
        "total_enrollments": st.integers(0, 3),
        "completion_rate": percents,
        "average_progress": percents,
        "total_revenue_cents": st.integers(0, 2),
        "average_rating": st.none() | st.decimals(1, 5, places=2),
        "age": st.integers(0, 4),  # days
    }
)
LETTERS = "aAbBéÉ %_\\'"
titles = st.text(LETTERS, min_size=1, max_size=4).filter(str.strip)
computed = st.lists(st.tuples(titles, st.none() | figures), max_size=6)
Worlds = list[tuple[str, dict[str, Any] | None]]


def store(session: Session, world: Worlds) -> dict[UUID, tuple[str, dict[str, Any] | None]]:
    """Save tracks, some with figures; return them by identifier."""
    author = User(email="a@example.com", username="a", password_hash="x")
    session.add(author)
    session.flush()
    saved = {}
    for title, numbers in world:
        track = Track(title=title, author_id=author.id)
        session.add(track)
        session.flush()
        saved[track.id] = title, numbers
        if numbers is not None:
            kept = {name: value for name, value in numbers.items() if name != "age"}
            moment = datetime.now(UTC) - timedelta(days=numbers["age"], minutes=1)
            session.add(TrackAnalytics(track_id=track.id, calculated_at=moment, **kept))
    session.flush()
    return saved


@relaxed
@given(computed, st.sampled_from(Figure), st.none() | st.text(LETTERS, min_size=1, max_size=2))
def test_figures_are_filtered_and_in_order_whatever_the_pages(
    shared_engine: Engine, world: Worlds, highest: Figure, search: str | None
) -> None:
    with Session(shared_engine) as session:
        saved = store(session, world)
        chosen = [
            (numbers[highest], track_id)
            for track_id, (title, numbers) in saved.items()
            if numbers is not None and (search is None or search.lower() in title.lower())
        ]
        expected = sorted(chosen, key=lambda one: (one[0] is None, -(one[0] or 0), one[1]))
        pages = [
            track_analytics.find(session, search=search, highest=highest, page=page, limit=2)
            for page in range(1, len(expected) // 2 + 2)
        ]
        found = [(getattr(one, highest), one.track_id) for page in pages for one in page.items]
        assert found == expected
        assert {page.total for page in pages} == {len(expected)}


@relaxed
@given(computed, st.integers(0, 4))
def test_old_figures_are_those_before_the_day_and_those_that_are_not_there(
    shared_engine: Engine, world: Worlds, days: int
) -> None:
    with Session(shared_engine) as session:
        saved = store(session, world)
        expected = [
            track_id
            for track_id, (_, numbers) in saved.items()
            if numbers is None or numbers["age"] >= days
        ]
        assert track_analytics.older_than(session, timedelta(days=days)) == sorted(expected)


@relaxed
@given(figures, st.lists(st.none() | st.decimals(1, 5, places=2), max_size=4))
def test_updates_of_figures_are_dictionary_updates(
    shared_engine: Engine, numbers: dict[str, Any], ratings: list[Decimal | None]
) -> None:
    with Session(shared_engine) as session:
        (track_id,) = store(session, [("A", numbers)])
        expected = asdict(track_analytics.get(session, track_id))
        for rating in ratings:
            changes: track_analytics.FigureChanges = {"average_rating": rating}
            expected.update(changes)
            assert asdict(track_analytics.update_fields(session, track_id, changes)) == expected
