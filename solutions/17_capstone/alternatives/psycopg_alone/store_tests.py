"""One connection, one transaction around all; and a few long tests in place of many short ones."""

import contextlib

import contract
import psycopg
from psycopg.rows import dict_row
from store import Store


class Borrowed:
    def __init__(self, connection):
        self.connection = connection

    @contextlib.contextmanager
    def one(self):
        yield self.connection

    def close(self):
        pass


@contextlib.contextmanager
def store_for_test(url):
    address = url.replace("+psycopg", "", 1)
    with (
        psycopg.connect(address, autocommit=True, row_factory=dict_row) as connection,
        connection.transaction(force_rollback=True),
    ):
        yield Store(Borrowed(connection))


@contextlib.contextmanager
def raises(error):
    try:
        yield
    except error:
        return
    raise AssertionError(f"no {error.__name__}")


def test_the_catalog(store):
    mine = [store.add_track(f"zyx{n}_%", "advanced", 100, 7, []) for n in "abc"]
    other = store.add_track("zyxa__", "advanced", 100, 7, [])
    for track in (*mine, other):
        store.change_track(track["id"], {"published": True})
    page = store.tracks("ZYX", "advanced", 1, 2)
    assert [one["id"] for one in page["items"]] == [other["id"], mine[2]["id"]]
    assert page["total"] == 4
    found = store.tracks("xa_%", None, 1, 9)["items"]
    assert [one["id"] for one in found] == [mine[0]["id"]], found
    assert store.tracks("zyx__", None, 1, 9)["total"] == 0
    assert store.change_track(other["id"], {"title": "zyx"})["seats"] == 7
    assert store.change_track(other["id"], {"seats": None})["seats"] is None
    assert store.track(other["id"])["title"] == "zyx"


def test_learning(store):
    lessons = [{"title": "first", "minutes": 1}]
    track = store.add_track("zyx", "beginner", 0, 1, lessons)
    here, lesson = track["id"], track["lessons"][0]["id"]
    eva, kim = (store.add_user(f"{n}@zyx.example", n)["id"] for n in ("eva", "kim"))
    with raises(contract.EmailTaken):
        store.add_user("kim@zyx.example", "Kim")
    with raises(contract.NotPublished):
        store.enroll(eva, here)
    store.change_track(here, {"published": True})
    assert here in [one["track_id"] for one in store.popular(1000)]
    store.enroll(eva, here)
    with raises(contract.AlreadyEnrolled):
        store.enroll(eva, here)
    with raises(contract.TrackFull):
        store.enroll(kim, here)
    with raises(contract.NotEnrolled):
        store.study(kim, lesson, 9, 9)
    for minutes, score in ((10, 50), (10, 40), (10, None)):
        last = store.study(eva, lesson, minutes, score)
    assert (last["minutes"], last["score"]) == (30, 50)
