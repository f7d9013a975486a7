# misconception: green-is-right
# fails: test_the_tests_notice, test_the_tests_notice_more
"""One test for each rule."""

import contextlib
from collections.abc import Iterator
from typing import Any

from contract import Store, StoreError
from sqlalchemy import create_engine
from sqlalchemy.orm import sessionmaker
from store import PostgresStore


@contextlib.contextmanager
def store_for_test(url: str) -> Iterator[Store]:
    engine = create_engine(url)
    with engine.connect() as connection, connection.begin() as transaction:
        # What the store commits is a savepoint of this transaction, which is never committed.
        sessions = sessionmaker(connection, join_transaction_mode="create_savepoint")
        try:
            yield PostgresStore(sessions, engine)
        finally:
            transaction.rollback()
    engine.dispose()


def a_track(store: Store, title: str = "Joins", **changes: Any) -> dict[str, Any]:
    track = store.add_track(title, "beginner", 0, None, [{"title": "ON", "minutes": 10}])
    return store.change_track(track["id"], {"published": True, **changes})


def test_emails(store: Store) -> None:
    store.add_user("ada@tests.example", "Ada")
    try:
        store.add_user("ada@tests.example", "Another Ada")
    except StoreError as error:
        assert "email" in str(error).lower()


def test_changes(store: Store) -> None:
    track = a_track(store, title="Locks")
    assert store.track(track["id"])["title"] == "Locks"


def test_the_total(store: Store) -> None:
    a_track(store, "quetzal")
    page = store.tracks("quetzal", None, 1, 10)
    assert page["total"] == len(page["items"])


def test_searches(store: Store) -> None:
    a_track(store, "100% quetzal")
    assert store.tracks("100% q", None, 1, 10)["total"] == 1


def test_enrolling(store: Store) -> None:
    user, track = store.add_user("ada@tests.example", "Ada"), a_track(store, seats=2)
    store.enroll(user["id"], track["id"])
    try:
        store.enroll(user["id"], track["id"])
    except StoreError:
        pass
    assert len(store.enrollments(user["id"])) == 1


def test_learning(store: Store) -> None:
    user, track = store.add_user("ada@tests.example", "Ada"), a_track(store)
    store.enroll(user["id"], track["id"])
    told = store.study(user["id"], track["lessons"][0]["id"], 10, 80)
    assert told["minutes"] == 10
    assert store.progress(user["id"])["average_score"] == 80


def test_popular_tracks(store: Store) -> None:
    user, track = store.add_user("ada@tests.example", "Ada"), a_track(store)
    store.enroll(user["id"], track["id"])
    assert store.popular(10)
