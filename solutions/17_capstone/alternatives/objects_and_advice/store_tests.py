"""The session's own commits are savepoints; the tests are made in a loop from a table of rules."""

import contextlib

import contract
from sqlalchemy import create_engine
from store import ObjectStore


@contextlib.contextmanager
def store_for_test(url):
    with create_engine(url).connect() as connection:
        connection.begin()
        yield ObjectStore(connection, join_transaction_mode="create_savepoint")
        # What was begun here is rolled back when the connection is closed.


class Broken(Exception):
    pass


def must(holds):
    if not holds:
        raise Broken


def error_of(call):
    try:
        call()
    except contract.StoreError as error:
        return type(error).__name__
    return None


def scene(store, seats=None):
    track = store.add_track("sc%ne", "beginner", 1, seats, [{"title": "one", "minutes": 1}] * 2)
    user = store.add_user("scene@scene.example", "S")
    return user["id"], track["id"], track["lessons"][0]["id"]


def published(store, seats=None):
    user, track, lesson = scene(store, seats)
    store.change_track(track, {"published": True})
    return user, track, lesson


def rule_email(store):
    scene(store)
    must(error_of(lambda: store.add_user("scene@scene.example", "T")) == "EmailTaken")


def rule_changes(store):
    _, track, _ = scene(store, 4)
    must(store.change_track(track, {"price_cents": 7})["seats"] == 4)
    must(store.change_track(track, {"seats": None})["seats"] is None)
    must(store.track(track)["price_cents"] == 7)


def rule_total(store):
    published(store)
    for _ in range(2):
        other = store.add_track("sc%ne", "advanced", 1, None, [])
        store.change_track(other["id"], {"published": True})
    must(store.tracks("sc%ne", None, 1, 1)["total"] == 3)


def rule_search(store):
    published(store)
    must(store.tracks("C%N", None, 1, 5)["total"] == 1)
    must(store.tracks("s%e", None, 1, 5)["total"] == 0)
    must(store.tracks("sc_ne", None, 1, 5)["total"] == 0)


def rule_draft(store):
    user, track, _ = scene(store)
    must(error_of(lambda: store.enroll(user, track)) == "NotPublished")


def rule_twice(store):
    user, track, _ = published(store)
    store.enroll(user, track)
    must(error_of(lambda: store.enroll(user, track)) == "AlreadyEnrolled")


def rule_seats(store):
    user, track, _ = published(store, 1)
    store.enroll(user, track)
    late = store.add_user("late@scene.example", "L")["id"]
    must(error_of(lambda: store.enroll(late, track)) == "TrackFull")


def rule_learners(store):
    user, _, lesson = published(store)
    must(error_of(lambda: store.study(user, lesson, 1, 1)) == "NotEnrolled")


def rule_minutes(store):
    user, track, lesson = published(store)
    store.enroll(user, track)
    for score in (None, 90, 80):
        store.study(user, lesson, 20, score)
    told = store.progress(user)
    must((told["minutes"], told["average_score"], told["completed"]) == (60, 90, 1))


def rule_popular(store):
    _, track, _ = published(store)
    must(any(one["track_id"] == track for one in store.popular(100)))


for name, rule in list(globals().items()):
    if name.startswith("rule_"):
        globals()[f"test_{name}"] = rule
