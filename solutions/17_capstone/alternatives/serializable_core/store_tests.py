"""A savepoint for each method, in a transaction that is never committed."""

import contextlib

import contract
import sqlalchemy as sa
from store import CoreStore


@contextlib.contextmanager
def store_for_test(url):
    engine = sa.create_engine(url, isolation_level="SERIALIZABLE")
    with contextlib.closing(engine.connect()) as connection:
        whole = connection.begin()
        store = CoreStore(engine)
        store.begin = lambda: nested(connection)
        try:
            yield store
        finally:
            whole.rollback()
    engine.dispose()


@contextlib.contextmanager
def nested(connection):
    with connection.begin_nested():
        yield connection


class Case:
    def __init__(self, store):
        self.store = store
        self.users = [store.add_user(f"{n}@case.example", n)["id"] for n in ("una", "duo")]
        parts = [{"title": f"p{n}", "minutes": n} for n in range(3)]
        self.made = store.add_track("A case of 5_5", "intermediate", 5, 1, parts)
        self.track = self.made["id"]

    def open(self):
        self.store.change_track(self.track, {"published": True})
        return self


def says(error, method, *arguments):
    try:
        method(*arguments)
    except error:
        return
    raise AssertionError(f"{method.__name__} should say {error.__name__}")


def test_refusals(store):
    case = Case(store)
    una, duo = case.users
    says(contract.EmailTaken, store.add_user, "una@case.example", "x")
    says(contract.NotPublished, store.enroll, una, case.track)
    case.open()
    store.enroll(una, case.track)
    says(contract.AlreadyEnrolled, store.enroll, una, case.track)
    says(contract.TrackFull, store.enroll, duo, case.track)
    says(contract.NotEnrolled, store.study, duo, case.made["lessons"][1]["id"], 1, 1)


def test_changes(store):
    case = Case(store).open()
    store.change_track(case.track, {"title": "A case of 5%5"})
    assert store.track(case.track)["seats"] == 1
    store.change_track(case.track, {"seats": None})
    assert store.track(case.track)["seats"] is None


def test_searches(store):
    first, second = Case(store).open(), store.add_track("A case of 565", "advanced", 0, None, [])
    store.change_track(second["id"], {"published": True})
    for search, ids in (("5_5", [first.track]), ("F 5", [second["id"], first.track]), ("%", [])):
        found = store.tracks(search, None, 1, 50)
        mine = [one["id"] for one in found["items"] if one["id"] in (first.track, second["id"])]
        assert mine == ids
    assert store.tracks("a case of", None, 2, 1)["total"] == 2


def test_figures(store):
    case = Case(store).open()
    assert [one["learners"] for one in store.popular(999) if one["track_id"] == case.track] == [0]
    una, lesson = case.users[0], case.made["lessons"][0]["id"]
    store.enroll(una, case.track)
    for minutes, score in ((1, 10), (2, 30), (4, 20)):
        store.study(una, lesson, minutes, score)
    mine = store.progress(una)
    assert (mine["minutes"], mine["average_score"]) == (7, 30)
