"""Sessions stepped through an interleaving show the anomalies that PostgreSQL really has."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest

from pglab.scratch import Database, Role
from pglab.sessions import Interleaving, Level, Session, SessionError, blockers

Pair = tuple[Session, Session]
READ = "SELECT seats FROM tracks WHERE id = 1"
TAKE = "UPDATE tracks SET seats = seats - 1 WHERE id = 1"


@pytest.fixture
def stage(clone: Database) -> Iterator[Interleaving]:
    with psycopg.connect(clone.url) as connection:
        connection.execute("CREATE TABLE tracks (id int PRIMARY KEY, seats int NOT NULL)")
        connection.execute("INSERT INTO tracks VALUES (1, 5), (2, 5)")
        connection.execute("CREATE TABLE doctors (name text PRIMARY KEY, on_call boolean)")
        connection.execute("INSERT INTO doctors VALUES ('alice', true), ('bob', true)")
    with Interleaving(clone.url) as one:
        yield one


@pytest.fixture
def pair(stage: Interleaving) -> Pair:
    alice, bob = stage.enter("alice", "bob")
    return alice, bob


def told(stage: Interleaving) -> list[str]:
    return [f"{e.session} {e.outcome}{' resumed' * e.resumed}" for e in stage.events]


def test_a_step_tells_what_it_found(pair: Pair) -> None:
    alice, _ = pair
    event = alice.run("SELECT %s::int + seats FROM tracks WHERE id = 1", [2])
    assert (event.outcome, event.rows, event.affected) == ("done", [(7,)], 1)
    assert alice.run(TAKE).affected == 1
    event = alice.run("SELECT * FROM nothing")
    assert (event.outcome, event.sqlstate) == ("failed", "42P01")
    assert event.message == 'relation "nothing" does not exist'


def test_a_commit_of_what_had_failed_says_that_it_rolled_back(pair: Pair) -> None:
    alice, _ = pair
    alice.begin()
    alice.run("SELECT * FROM nothing")
    event = alice.commit()
    assert (event.outcome, event.tag) == ("done", "ROLLBACK")
    alice.begin()
    assert alice.commit().tag == "COMMIT"


def test_who_waits_says_for_whom_and_goes_on_when_that_one_ends(
    stage: Interleaving, pair: Pair
) -> None:
    alice, bob = pair
    alice.begin()
    alice.run(TAKE)
    event = bob.run(TAKE)
    assert (event.outcome, event.waits_for, bob.is_waiting) == ("waits", ("alice",), True)
    assert alice.commit().outcome == "done"
    assert not bob.is_waiting
    assert told(stage) == [
        "alice done",
        "alice done",
        "bob waits",
        "alice done",
        "bob done resumed",
    ]
    assert [e.step for e in stage.events] == [1, 2, 3, 4, 4]
    assert str(stage.events[2]) == f"3. bob: {TAKE} → waits for alice"
    assert str(stage.events[4]) == f"4. bob: {TAKE} (had waited) → done, rows: 1"


def test_a_lost_update(pair: Pair) -> None:
    for session in pair:
        session.begin()
        assert session.run(READ).rows == [(5,)]
    alice, bob = pair
    alice.run("UPDATE tracks SET seats = 4 WHERE id = 1")
    bob.run("UPDATE tracks SET seats = 4 WHERE id = 1")
    alice.commit()
    bob.commit()
    assert alice.run(READ).rows == [(4,)]  # two seats were taken


def test_repeatable_read_refuses_a_lost_update(stage: Interleaving, pair: Pair) -> None:
    alice, bob = pair
    for session in pair:
        session.begin("repeatable read")
        session.run(READ)
    alice.run(TAKE)
    bob.run(TAKE)
    alice.commit()
    last = stage.events[-1]
    assert (last.session, last.outcome, last.sqlstate) == ("bob", "failed", "40001")


@pytest.mark.parametrize(
    ("level", "seen", "again"),
    [("read committed", 2, 3), ("repeatable read", 2, 2), ("serializable", 2, 2)],
)
def test_a_phantom_appears_at_the_lowest_level_only(
    pair: Pair, level: Level, seen: int, again: int
) -> None:
    alice, bob = pair
    alice.begin(level)
    count = "SELECT count(*) FROM tracks"
    assert alice.run(count).rows == [(seen,)]
    bob.run("INSERT INTO tracks VALUES (3, 5)")
    assert alice.run(count).rows == [(again,)]


def leave(session: Session) -> None:
    session.run("SELECT count(*) FROM doctors WHERE on_call")
    session.run(f"UPDATE doctors SET on_call = false WHERE name = '{session.name}'")


def test_write_skew_gets_past_repeatable_read(pair: Pair) -> None:
    for session in pair:
        session.begin("repeatable read")
    for session in pair:
        leave(session)
    assert [session.commit().outcome for session in pair] == ["done", "done"]
    assert pair[0].run("SELECT count(*) FROM doctors WHERE on_call").rows == [(0,)]


def test_write_skew_does_not_get_past_serializable(pair: Pair) -> None:
    for session in pair:
        session.begin("serializable")
    for session in pair:
        leave(session)
    assert [session.commit().sqlstate for session in pair] == [None, "40001"]
    assert pair[0].run("SELECT count(*) FROM doctors WHERE on_call").rows == [(1,)]


def test_a_deadlock_ends_with_an_error_for_whoever_closed_the_circle(
    stage: Interleaving, pair: Pair
) -> None:
    alice, bob = pair
    for number, session in enumerate(pair, 1):
        session.begin()
        session.run(f"UPDATE tracks SET seats = 0 WHERE id = {number}")
    assert alice.run("UPDATE tracks SET seats = 0 WHERE id = 2").waits_for == ("bob",)
    event = bob.run("UPDATE tracks SET seats = 0 WHERE id = 1")
    assert (event.outcome, event.sqlstate) == ("failed", "40P01")
    assert told(stage)[-1] == "alice done resumed"


def test_three_sessions_queue_for_one_lock(stage: Interleaving, pair: Pair) -> None:
    (carol,) = stage.enter("carol")
    for session in (*pair, carol):
        session.begin()
        session.run("SELECT * FROM tracks WHERE id = 1 FOR UPDATE")
    assert [s.is_waiting for s in (*pair, carol)] == [False, True, True]
    pair[0].commit()
    assert [s.is_waiting for s in (*pair, carol)] == [False, False, True]
    pair[1].rollback()
    assert not carol.is_waiting


def test_a_lock_of_somebody_outside_is_told_too(pair: Pair, clone: Database) -> None:
    with psycopg.connect(clone.url) as outside:
        outside.execute("LOCK TABLE tracks")
        assert pair[0].run(READ).waits_for == ("another session",)


def test_who_waits_can_take_no_step(pair: Pair) -> None:
    alice, bob = pair
    alice.begin()
    alice.run(TAKE)
    bob.run(TAKE)
    with pytest.raises(SessionError, match="bob still waits with: UPDATE tracks"):
        bob.run(READ)


def test_a_statement_that_never_comes_to_rest_is_given_up(clone: Database) -> None:
    with Interleaving(clone.url, patience_s=0.1) as stage:
        (alice,) = stage.enter("alice")
        with pytest.raises(SessionError, match=r"alice neither ended nor waits .* pg_sleep"):
            alice.run("SELECT pg_sleep(60)")


def test_nothing_is_left_when_the_stage_closes(
    clone: Database, query: Callable[..., list[tuple[object, ...]]]
) -> None:
    with Interleaving(clone.url) as stage:
        alice, bob = stage.enter("alice", "bob")
        alice.begin()
        alice.run("UPDATE notes SET body = 'x'")
        bob.run("UPDATE notes SET body = 'y'")
    sessions = "SELECT count(*) FROM pg_stat_activity WHERE datname = %s AND state <> 'idle'"
    while query(sessions, clone.name) != [(0,)]:  # the server notices a little later
        time.sleep(0.01)
    with psycopg.connect(clone.url) as connection:
        assert connection.execute("SELECT body FROM notes").fetchall() == [("first",)]


def test_it_works_without_a_superusers_rights(clone: Database, student: Role) -> None:
    with Interleaving(clone.url_for(student)) as stage:
        alice, bob = stage.enter("alice", "bob")
        alice.begin()
        alice.run("UPDATE notes SET body = 'x'")
        assert bob.run("UPDATE notes SET body = 'y'").waits_for == ("alice",)
        alice.commit()
        assert not bob.is_waiting


def test_who_waits_for_the_question_itself_waits_for_nobody(clone: Database) -> None:
    with (
        psycopg.connect(clone.url, autocommit=True) as asks,
        psycopg.connect(clone.url, autocommit=True) as waits,
        ThreadPoolExecutor(1) as thread,
    ):
        asks.execute("SELECT pg_advisory_lock(1)")
        waiting = thread.submit(waits.execute, "SELECT pg_advisory_lock(1)")
        pid, holds = waits.info.backend_pid, asks.info.backend_pid
        with psycopg.connect(clone.url, autocommit=True) as other:
            while not blockers(other, [pid]):
                assert not waiting.done()
            seen_by_another = blockers(other, [pid])
        seen_by_itself = blockers(asks, [pid])
        asks.execute("SELECT pg_advisory_unlock(1)")
        waiting.result()
    assert seen_by_another == {pid: [holds]}
    assert seen_by_itself == {}
