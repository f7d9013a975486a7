"""A TCP door to the learner's server, with a look at its answers."""

import psycopg
import pytest
from sqlalchemy import make_url

from kit.notebook.doorway import Doorway, Peephole
from pglab.servers import open_server


@pytest.fixture
def door(learner, tracker_url):
    with Doorway(open_server("embedded", home=learner, disposable=False)) as opened:
        yield opened


@pytest.fixture
def through(door, tracker_url):
    """The URL of the database through the door, with some parts changed."""

    def make(**changes):
        url = make_url(tracker_url).set(host=door.host, port=door.port, query={}).set(**changes)
        return url.render_as_string(hide_password=False)

    return make


def test_a_connection_through_the_door_is_a_connection_to_the_server(door, through):
    with psycopg.connect(through()) as connection:
        assert connection.execute("SELECT current_database()").fetchone() == ("tracker",)
    assert door.answer == "00000"


@pytest.mark.parametrize(
    ("changes", "sqlstate"),
    [
        ({"password": "guess"}, "28P01"),
        ({"username": "nobody_here"}, "28P01"),
        ({"database": "no_such_database"}, "3D000"),
    ],
)
def test_the_door_hears_why_a_login_was_refused(door, through, changes, sqlstate):
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(through(**changes))
    assert door.answer == sqlstate


def test_encryption_that_the_server_has_not_is_refused_without_an_answer(door, through):
    with pytest.raises(psycopg.OperationalError, match="does not support SSL"):
        psycopg.connect(through(), sslmode="require")
    assert door.answer is None


def test_large_results_come_through_whole(door, through):
    with psycopg.connect(through()) as connection:
        [text] = connection.execute("SELECT repeat('x', 5000000)").fetchone()
    assert len(text) == 5_000_000


def test_a_closed_door_refuses_and_lets_those_inside_finish(learner, tracker_url):
    door = Doorway(open_server("embedded", home=learner, disposable=False))
    url = make_url(tracker_url).set(host=door.host, port=door.port, query={})
    inside = psycopg.connect(url.render_as_string(hide_password=False))
    door.close()
    with pytest.raises(psycopg.OperationalError, match="refused"):
        psycopg.connect(url.render_as_string(hide_password=False))
    assert inside.execute("SELECT 1").fetchone() == (1,)
    inside.close()


READY = b"R\0\0\0\x08\0\0\0\0" + b"S\0\0\0\x0bname\0v\0" + b"Z\0\0\0\x05I"
REFUSED = b"E\0\0\0\x14SFATAL\0C28P01\0\0\0"


@pytest.mark.parametrize("size", [1, 2, 7, 1000])
@pytest.mark.parametrize(
    ("said", "answer"),
    [
        (READY, "00000"),
        (b"N" + READY, "00000"),
        (b"NN" + READY, "00000"),
        (b"N" + REFUSED, "28P01"),
        (REFUSED, "28P01"),
        (b"S\x16\x03\x01", "encrypted"),
        (b"N", None),
        (b"", None),
    ],
)
def test_the_answer_is_found_however_the_bytes_are_cut(said, answer, size):
    peephole = Peephole()
    found = None
    for start in range(0, len(said), size):
        if found is None:
            found = peephole.look(said[start : start + size])
    assert found == answer
