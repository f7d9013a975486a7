"""What the indexes of the tracker are worth on a million rows of progress, and what they cost.

    python bench/tracker_indexes.py [--rounds N] [--users N --tracks N]

Checks claims that are often made for such a set of indexes: catalog page, learner's dashboard,
payment history and full text search ten times faster; writes 5 to 10 percent dearer; 15 to 20
percent more storage. Each query of the tracker runs in one database without any index, with only
those that keys and unique constraints bring along, and with all of them; what was dropped comes
back by a rollback. Prints ratios, plans, and which claims hold: also where they do not.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Engine, event, func, select, text
from sqlalchemy.orm import Session
from tracker_seeding import durable_scratch, read_options

from tracker import migrations, search
from tracker.analytics import learners
from tracker.db import connected
from tracker.models import Enrollment, Payment
from tracker.repositories import enrollments, payments, tracks
from tracker.seeding import seed
from tracker.seeding.bulk import take_off
from tracker.seeding.loading import TABLES
from tracker.services import learning

NOTHING, KEYS, ALL = "no index", "keys only", "all indexes"
STATES = (NOTHING, KEYS, ALL)
FASTER = 10
RARE, COMMON = "kurtosis", "table"
WRITTEN_AT_ONCE = 50_000

Query = Callable[[Session], object]


@dataclass
class Measured:
    """A query in one state: milliseconds as the client sees it and at the server, and its plan."""

    client: float
    server: float
    nodes: list[str]


@dataclass
class Claim:
    """What is said of indexes, with what was measured, and whether that bears it out."""

    said: str
    holds: bool


def main() -> None:
    size, options = read_options(__doc__, rounds=5)
    with durable_scratch() as scratch:
        database = scratch.clone("template0")
        migrations.upgrade(database.url)
        with connected(database.url) as sessions:
            with sessions() as session:
                seed(session, 1, size)
            engine = sessions.kw["bind"]
            vacuum(engine)
            measured = {state: measure_reads(engine, state, options.rounds) for state in STATES}
            claims: list[Claim] = []
            report_reads(measured, claims)
            report_writes(engine, options.rounds, claims)
            report_storage(engine, claims)
        database.drop()
    print("\nclaims")
    for claim in claims:
        print(f"  {'holds        ' if claim.holds else 'does NOT hold'}  {claim.said}")


def queries(connection: Connection) -> dict[str, Query]:
    """What is measured: queries that the tracker itself sends, for whoever has most rows."""
    learner, payer = (
        connection.scalar(
            select(owner).group_by(owner).order_by(func.count().desc(), owner).limit(1)
        )
        for owner in (Enrollment.user_id, Payment.user_id)
    )

    def dashboard(session: Session) -> None:
        enrollments.of_user(session, learner)
        learners.user_progress(session, learner)

    return {
        "catalog page": lambda session: tracks.find(session, page=5),
        "learner's dashboard": dashboard,
        "payment history": lambda session: payments.of_user(session, payer),
        f"full text, rare word ({RARE})": lambda session: search.find_lessons(session, RARE),
        f"full text, common word ({COMMON})": lambda session: search.find_lessons(session, COMMON),
    }


@contextmanager
def in_state(engine: Engine, state: str) -> Iterator[Session]:
    """Give a session that sees only these indexes. Whatever it does is rolled back."""
    with engine.connect() as connection:
        cursor = connection.connection.cursor()
        if state == NOTHING:
            take_off(cursor, TABLES)
        elif state == KEYS:
            for index in connection.execute(text(BESIDE_KEYS)).all():
                connection.execute(text(index.drop))
        with Session(connection, join_transaction_mode="create_savepoint") as session:
            yield session
        connection.rollback()


BESIDE_KEYS = """
SELECT format('DROP INDEX %s', indexrelid::regclass) AS drop, pg_relation_size(indexrelid) AS size
  FROM pg_index JOIN pg_class c ON c.oid = indrelid
 WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r' AND NOT indisunique"""


def measure_reads(engine: Engine, state: str, rounds: int) -> dict[str, Measured]:
    with in_state(engine, state) as session:
        return {
            name: measure(session, query, rounds)
            for name, query in queries(session.connection()).items()
        }


def measure(session: Session, query: Query, rounds: int) -> Measured:
    sent = statements_of(session, query)  # and the caches are warm
    client = []
    for _ in range(rounds):
        session.expunge_all()
        began = time.perf_counter()
        query(session)
        client.append(1000 * (time.perf_counter() - began))
    server = []
    for _ in range(rounds):
        plans = [explain(session.connection(), *statement) for statement in sent]
        server.append(sum(plan["Execution Time"] for plan in plans))
    nodes = [short(plan["Plan"]) for plan in plans]
    return Measured(statistics.median(client), statistics.median(server), nodes)


def statements_of(session: Session, query: Query) -> list[tuple[str, Any]]:
    """Run a query and return the statements that it sends, with their parameters."""
    sent: list[tuple[str, Any]] = []

    def note(_c: object, _k: object, statement: str, parameters: Any, *_: object) -> None:
        if statement.startswith("SELECT"):
            sent.append((statement, parameters))

    engine = session.connection().engine
    event.listen(engine, "before_cursor_execute", note)
    try:
        query(session)
    finally:
        event.remove(engine, "before_cursor_execute", note)
    return sent


def explain(connection: Connection, statement: str, parameters: Any) -> dict[str, Any]:
    result = connection.exec_driver_sql(
        f"EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) {statement}", parameters
    )
    plan: dict[str, Any] = result.scalar_one()[0]
    return plan


def short(node: dict[str, Any]) -> str:
    """Write a plan as Limit(Sort(Seq Scan tracks, …))."""
    target = node.get("Index Name") or node.get("Relation Name")
    name = f"{node['Node Type']} {target}" if target else str(node["Node Type"])
    children = ", ".join(short(child) for child in node.get("Plans", ()))
    return f"{name}({children})" if children else name


def report_reads(measured: dict[str, dict[str, Measured]], claims: list[Claim]) -> None:
    for name, best in measured[ALL].items():
        print(f"\n{name}")
        for state in STATES:
            one = measured[state][name]
            server, client = one.server / best.server, one.client / best.client
            print(
                f"  {state:12}{one.server:9.2f} ms at the server{one.client:9.2f} ms in all:"
                f"{server:7.1f} and{client:6.1f} times as long"
            )
            for nodes in one.nodes:
                print(f"    {nodes}")
            if state != ALL:
                said = f"{name} {FASTER} times faster than with {state}"
                claims.append(Claim(f"{said}, at the server: {server:.1f}", server >= FASTER))
                claims.append(Claim(f"{said}, in all: {client:.1f}", client >= FASTER))


def report_writes(engine: Engine, rounds: int, claims: list[Claim]) -> None:
    """Compare the work of writing, without the wait for the disk at the end of a transaction."""
    one = best_in_turns(rounds, (KEYS, ALL), lambda state: median_enrollment(engine, state, 30))
    many = best_in_turns(rounds // 2, STATES, lambda state: bulk(engine, state))
    print(f"\nwriting: one enrollment, and {WRITTEN_AT_ONCE:,} rows of progress at once")
    for state in STATES:
        single = f"{one[state]:.2f} ms" if state in one else "(needs keys)"
        print(f"  {state:12}{single:>18}{many[state]:10.0f} ms")
    print(f"  with all indexes, rows at once take {many[ALL] / many[NOTHING]:.1f} times as long")
    for what, times in (("an enrollment", one), ("rows at once", many)):
        dearer = 100 * (times[ALL] / times[KEYS] - 1)
        said = f"{what} at most 10 percent dearer than with keys only: {dearer:+.0f} %"
        claims.append(Claim(said, dearer <= 10))


def best_in_turns(
    rounds: int, states: Sequence[str], measure_one: Callable[[str], float]
) -> dict[str, float]:
    """Measure the states in turns, so that a busy machine slows them all alike."""
    found = [{state: measure_one(state) for state in states} for _ in range(max(rounds, 1))]
    return {state: min(one[state] for one in found) for state in states}


def median_enrollment(engine: Engine, state: str, times: int) -> float:
    with in_state(engine, state) as session:
        track_id = session.scalar(text(OPEN_TRACK))
        waiting = session.scalars(text(NOT_ENROLLED), {"times": times}).all()
        assert track_id is not None
        milliseconds = []
        for user_id in waiting:
            began = time.perf_counter()
            learning.enroll(session, user_id, track_id)
            milliseconds.append(1000 * (time.perf_counter() - began))
    return statistics.median(milliseconds)


OPEN_TRACK = "SELECT id FROM tracks WHERE is_published AND price_cents = 0 ORDER BY id LIMIT 1"
NOT_ENROLLED = """
SELECT id FROM users u WHERE NOT EXISTS (SELECT FROM enrollments e WHERE e.user_id = u.id)
 ORDER BY id LIMIT :times"""


def bulk(engine: Engine, state: str) -> float:
    """Milliseconds to put rows back that were taken out before."""
    with in_state(engine, state) as session:
        session.execute(text(TAKE_OUT), {"rows": WRITTEN_AT_ONCE})
        session.execute(text("DELETE FROM lesson_progress p USING out o WHERE p.id = o.id"))
        began = time.perf_counter()
        session.execute(text("INSERT INTO lesson_progress SELECT * FROM out"))
        return 1000 * (time.perf_counter() - began)


TAKE_OUT = """
CREATE TEMPORARY TABLE out ON COMMIT DROP AS
SELECT * FROM lesson_progress ORDER BY md5(id::text) LIMIT :rows"""


def report_storage(engine: Engine, claims: list[Claim]) -> None:
    with engine.connect() as connection:
        tables, all_indexes = connection.execute(text(SIZES)).one()
        beside_keys = sum(index.size for index in connection.execute(text(BESIDE_KEYS)))
    keys = all_indexes - beside_keys
    more, all_more = 100 * beside_keys / (tables + keys), 100 * all_indexes / tables
    print(
        f"\nstorage: tables {tables >> 20} MB, keys {keys >> 20} MB,"
        f" indexes beside them {beside_keys >> 20} MB"
    )
    said = "no more than 20 percent more storage"
    claims.append(Claim(f"{said}, for the indexes beside the keys: {more:+.0f} %", more <= 20))
    claims.append(Claim(f"{said}, for all indexes: {all_more:+.0f} %", all_more <= 20))


SIZES = """
SELECT sum(pg_table_size(relid))::bigint, sum(pg_indexes_size(relid))::bigint
  FROM pg_stat_user_tables"""


def vacuum(engine: Engine) -> None:
    """Bring visibility map and statistics up to date, as autovacuum would in the next minute."""
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM ANALYZE"))


if __name__ == "__main__":
    main()
