"""Clones made ahead and dropped behind."""

from __future__ import annotations

import os
import re
import threading
import time
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from pglab.errors import PglabError, ScratchError, ServerUnavailable
from pglab.scratch import Role, Scratch
from pglab.servers import Server, open_server

Query = Callable[..., list[tuple[object, ...]]]


def count_of(scratch: Scratch, query: Query) -> object:
    (row,) = query(
        "SELECT count(*) FROM pg_database WHERE datname LIKE %s",
        f"kit\\_c\\_{scratch._owner:08x}\\_%",
    )
    return row[0]


def test_a_clone_from_the_pool_is_as_good_as_any(
    scratch: Scratch, notes: str, student: Role
) -> None:
    with scratch.pool(notes) as pool:
        one, other = pool.take(student.name), pool.take(student.name)
        assert one.name != other.name
        with psycopg.connect(one.url_for(student)) as connection:
            connection.execute("INSERT INTO notes VALUES (2, 'mine')")
        with psycopg.connect(other.url_for(student)) as connection:
            assert connection.execute("SELECT id FROM notes").fetchall() == [(1,)]


def test_clones_are_made_before_anybody_asks(scratch: Scratch, notes: str, query: Query) -> None:
    with scratch.pool(notes, ahead=3):
        while count_of(scratch, query) != 3:
            pass


def test_closing_leaves_nothing_taken_or_not(scratch: Scratch, notes: str, query: Query) -> None:
    pool = scratch.pool(notes, ahead=3)
    kept, dropped = pool.take(), pool.take()
    dropped.drop()
    with psycopg.connect(kept.url) as connection:
        pool.close()
        with pytest.raises(psycopg.OperationalError):
            connection.execute("SELECT 1")
    assert count_of(scratch, query) == 0
    pool.close()
    kept.drop()
    with pytest.raises(ScratchError, match="closed"):
        pool.take()


def test_dropping_twice_drops_once(scratch: Scratch, notes: str, query: Query) -> None:
    with scratch.pool(notes) as pool:
        database = pool.take()
        database.drop()
        database.drop()
    assert count_of(scratch, query) == 0


def test_a_quick_taker_waits_for_the_drops(scratch: Scratch, notes: str, query: Query) -> None:
    with scratch.pool(notes, ahead=1) as pool:
        third = threading.Event()

        def take_and_drop() -> None:
            for number in range(6):
                database = pool.take()
                if number == 2:
                    third.set()
                database.drop()

        quick = threading.Thread(target=take_and_drop)
        with scratch._dropping:  # nothing can be dropped for now
            quick.start()
            third.wait()
            quick.join(timeout=0.5)
            assert quick.is_alive()
            # Two wait to be dropped, the third for room, one is ready and one more may be made.
            while count_of(scratch, query) == 3:
                time.sleep(0.01)
            assert count_of(scratch, query) in {4, 5}
        quick.join()
    assert count_of(scratch, query) == 0


def test_a_taker_that_waits_is_told_when_the_pool_closes(scratch: Scratch, notes: str) -> None:
    pool = scratch.pool("kit_t_nothing")
    caught: list[BaseException] = []

    def take_for_ever() -> None:
        try:
            while True:
                with pytest.raises(ScratchError, match="kit_t_nothing"):
                    pool.take()
        except BaseException as error:
            caught.append(error)

    taker = threading.Thread(target=take_for_ever)
    taker.start()
    pool.close()
    taker.join()
    assert len(caught) == 1


def test_what_fails_in_the_background_is_raised_from_take(scratch: Scratch) -> None:
    with (
        scratch.pool("kit_t_nothing") as pool,
        pytest.raises(ScratchError, match="kit_t_nothing"),
    ):
        pool.take()


def test_a_pool_recovers_when_its_sessions_were_ended(
    scratch: Scratch, notes: str, server: Server
) -> None:
    with scratch.pool(notes, ahead=1) as pool:
        pool.take().drop()
        pool.take().drop()
        with psycopg.connect(server.admin_url, autocommit=True) as admin:
            admin.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE application_name = 'kit' AND pid <> ALL (%s)",
                ([admin.info.backend_pid, scratch._connection.info.backend_pid],),
            )
        taken = 0
        while taken < 3:
            try:
                pool.take().drop()
                taken += 1
            except ScratchError:
                taken = 0
        assert taken == 3


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (ServerUnavailable, "does not answer"),  # what was made ahead cannot be opened
        (ScratchError, "could not be made or dropped.*does not answer"),  # nor is more made
    ],
)
def test_a_server_that_dies_is_an_error_and_not_a_hang(
    home: Path, error: type[PglabError], told: str
) -> None:
    with open_server("embedded", home=home, disposable=True) as server:
        scratch = Scratch(server)
        pool = scratch.pool(scratch.template("empty", lambda url: None))
        pool.take().drop()
        while len(pool._ready) < 2:
            time.sleep(0.01)
        server.stop()
        found: list[PglabError] = []
        while not any(type(each) is error for each in found):
            with pytest.raises(PglabError) as caught:
                pool.take()
            found.append(caught.value)
        assert re.search(told, str(found[-1]))
        with pytest.raises(ServerUnavailable, match="does not answer"):
            pool.close()  # it cannot say that nothing is left
        pool.close()


def test_a_forked_child_is_told_that_the_pool_is_not_its_own(scratch: Scratch, notes: str) -> None:
    with scratch.pool(notes) as pool:
        child = os.fork()
        if child == 0:
            try:
                pool.take()
            except ScratchError:
                os._exit(7)
            finally:
                os._exit(1)
        _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 7


def test_a_pool_without_work_keeps_no_connection(
    scratch: Scratch, notes: str, query: Query, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pglab.clonepool._IDLE_S", 0.01)
    with scratch.pool(notes, ahead=2) as pool:
        for _ in range(2):
            pool.take().drop()
            while query(
                "SELECT 1 FROM pg_stat_activity WHERE application_name = 'kit' AND pid <> %s",
                scratch._connection.info.backend_pid,
            ):
                pass
        assert pool.take().name


def test_a_server_that_makes_nothing_is_not_waited_for_for_ever(
    scratch: Scratch, notes: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pglab.clonepool._PATIENCE_S", 0.1)
    released = threading.Event()
    real = scratch.make_clone

    def slow(connection: psycopg.Connection, template: str) -> str:
        released.wait()
        return real(connection, template)

    monkeypatch.setattr(scratch, "make_clone", slow)
    pool = scratch.pool(notes)
    with pytest.raises(ScratchError, match="made no database within"):
        pool.take()
    released.set()
    pool.close()


def test_a_pool_keeps_at_least_one_ready(scratch: Scratch, notes: str) -> None:
    with pytest.raises(ValueError, match="at least one"):
        scratch.pool(notes, ahead=0)


def test_a_stock_is_made_at_once_and_dropped_at_the_end(
    scratch: Scratch, notes: str, query: Query
) -> None:
    with scratch.pool(notes, ahead=1, stock=4) as pool:
        while count_of(scratch, query) != 4:
            pass
        for _ in range(3):
            pool.take().drop()
        assert count_of(scratch, query) == 4  # none was made, none was dropped
        taken = {pool.take().name for _ in range(3)}
        assert len(taken) == 3
    assert count_of(scratch, query) == 0
