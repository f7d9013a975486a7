"""Tests that every store must pass, and a place to run them in that is as it was afterwards."""

import contextlib
from collections.abc import Iterator
from typing import Any

import contract
from contract import Store
from sqlalchemy import create_engine
from store import PostgresStore


@contextlib.contextmanager
def store_for_test(url: str) -> Iterator[Store]:
    engine = create_engine(url)
    with engine.connect() as connection, connection.begin() as transaction:
        # What the store commits is a savepoint of this transaction, which is never committed.
        try:
            yield PostgresStore(url, connection)
        finally:
            transaction.rollback()
    engine.dispose()


def refused(error: type[Exception], method: Any, *arguments: Any) -> bool:
    try:
        method(*arguments)
    except error:
        return True
    return False


def a_user(store: Store, name: str = "ada") -> int:
    return store.add_user(f"{name}@tests.example", name)["id"]


def a_track(store: Store, title: str = "Joins", lessons: int = 2, **changes: Any) -> dict[str, Any]:
    parts = [{"title": f"Part {n}", "minutes": 10} for n in range(lessons)]
    track = store.add_track(title, "beginner", 0, None, parts)
    return store.change_track(track["id"], {"published": True, **changes})


def test_an_email_belongs_to_one_user(store: Store) -> None:
    a_user(store)
    assert refused(contract.EmailTaken, store.add_user, "ada@tests.example", "Another Ada")


def test_what_is_left_out_stays_and_null_empties(store: Store) -> None:
    track = a_track(store, seats=3)
    assert store.change_track(track["id"], {"title": "Locks"})["seats"] == 3
    changed = store.change_track(track["id"], {"seats": None})
    assert (changed["title"], changed["seats"]) == ("Locks", None)


def test_the_total_counts_beyond_the_page(store: Store) -> None:
    for n in range(3):
        a_track(store, f"quetzal {n}")
    page = store.tracks("quetzal", None, 1, 2)
    assert (len(page["items"]), page["total"]) == (2, 3)


def test_every_character_of_a_search_means_itself(store: Store) -> None:
    wanted = a_track(store, "50% quetzal")
    a_track(store, "500 quetzals")
    found = store.tracks("50% q", None, 1, 10)["items"]
    assert [one["id"] for one in found] == [wanted["id"]]
    assert store.tracks("quetza_", None, 1, 10)["items"] == []


def test_a_draft_takes_nobody(store: Store) -> None:
    user, draft = a_user(store), a_track(store, published=False)
    assert refused(contract.NotPublished, store.enroll, user, draft["id"])
    assert store.enrollments(user) == []


def test_one_is_enrolled_once(store: Store) -> None:
    user, track = a_user(store), a_track(store)
    store.enroll(user, track["id"])
    assert refused(contract.AlreadyEnrolled, store.enroll, user, track["id"])


def test_nobody_sits_on_the_floor(store: Store) -> None:
    ada, bob, track = a_user(store), a_user(store, "bob"), a_track(store, seats=1)
    store.enroll(ada, track["id"])
    assert refused(contract.TrackFull, store.enroll, bob, track["id"])


def test_only_those_who_are_enrolled_learn(store: Store) -> None:
    user, track = a_user(store), a_track(store)
    assert refused(contract.NotEnrolled, store.study, user, track["lessons"][0]["id"], 5, None)


def test_minutes_add_up_and_the_best_score_stays(store: Store) -> None:
    user, track = a_user(store), a_track(store)
    store.enroll(user, track["id"])
    lesson = track["lessons"][0]["id"]
    store.study(user, lesson, 10, 80)
    store.study(user, lesson, 5, 60)
    again = store.study(user, lesson, 1, None)
    assert (again["minutes"], again["score"]) == (16, 80)
    assert store.progress(user)["completed"] == 1


def test_a_track_that_nobody_learns_is_in_the_list(store: Store) -> None:
    track = a_track(store)
    found = {one["track_id"]: one for one in store.popular(100)}
    assert found[track["id"]]["learners"] == 0
