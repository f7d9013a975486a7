"""Seeding the large demo data, beside a raw COPY and index build of the very same rows.

    python bench/tracker_seeding.py [--rounds N] [--users N --tracks N]

In every round a new database is seeded, and its rows, in memory as COPY writes them, are copied
into another new one whose keys and indexes are built afterwards: nothing is generated there,
nothing is checked, no statistics are gathered and no view is refreshed. On a durable server with
the settings that a learner's own has. Prints the best round; compare the ratios, not the seconds.
"""

from __future__ import annotations

import argparse
import resource
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
from psycopg import sql

from pglab.scratch import Scratch
from pglab.servers.account import server_account
from pglab.servers.durable import DurableServer
from pglab.servers.places import temporary_place
from tracker import migrations
from tracker.db import connected
from tracker.seeding import SIZES, LargeSize, seed
from tracker.seeding.bulk import bare_tables
from tracker.seeding.loading import TABLES, copy_school
from tracker.seeding.school import School

SEED = "seed: all of it, with statistics, views and checks"
LOAD = "load: generate, COPY, keys and indexes"
RAW = "raw: COPY of the same rows, keys and indexes"
TARGET_SECONDS = 30
TARGET_RATIO = 0.5
BLOCK = 1 << 20


@dataclass
class Table:
    """What one table holds: the columns that can be written, and the rows as COPY writes them."""

    columns: sql.Composed
    rows: int
    data: bytes


def main() -> None:
    size, options = read_options(__doc__, rounds=3)
    with durable_scratch() as scratch:
        measure(scratch, size, options.rounds)


def read_options(about: str, rounds: int) -> tuple[LargeSize, argparse.Namespace]:
    """Read the command line that the benchmarks of the tracker share."""
    large = SIZES["large"]
    assert isinstance(large, LargeSize)
    parser = argparse.ArgumentParser(description=about.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=rounds, help="times that each thing is done")
    parser.add_argument("--users", type=int, default=large.users)
    parser.add_argument("--tracks", type=int, default=large.tracks)
    options = parser.parse_args()
    return LargeSize(options.users, options.tracks), options


@contextmanager
def durable_scratch() -> Iterator[Scratch]:
    """Databases on a server with the settings of a learner's own."""
    home = Path(tempfile.mkdtemp(prefix="kit-bench-", dir=temporary_place(server_account())))
    home.chmod(0o711)
    server = DurableServer(home).start()
    try:
        with Scratch(server, prefix="bench") as scratch:
            yield scratch
    finally:
        server.stop()
        shutil.rmtree(home, ignore_errors=True)


def measure(scratch: Scratch, size: LargeSize, rounds: int) -> None:
    """Seed, load and copy in turns, so that a busy machine slows them all alike; then report."""
    template = scratch.template("bench", migrations.upgrade)
    ways: dict[str, Callable[[str], None]] = {
        SEED: lambda url: seed_all(url, size),
        LOAD: lambda url: load(url, size),
        RAW: lambda url: copy_raw(url, tables),
    }
    best: dict[str, float] = {}
    memory = 0
    tables: dict[str, Table] = {}
    for _ in range(rounds):
        for name, work in ways.items():
            database = scratch.clone(template)
            began = time.perf_counter()
            work(database.url)
            seconds = time.perf_counter() - began
            best[name] = min(seconds, best.get(name, seconds))
            if not tables:
                memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
                tables = dump(database.url)
            database.drop()
    scratch.drop_database(template)
    report(sum(table.rows for table in tables.values()), best, memory)


def seed_all(url: str, size: LargeSize) -> None:
    with connected(url) as sessions, sessions() as session:
        seed(session, 1, size)


def load(url: str, size: LargeSize) -> None:
    with psycopg.connect(url) as connection, connection.cursor() as cursor:
        copy_school(cursor, School(1, size))


def copy_raw(url: str, tables: dict[str, Table]) -> None:
    with (
        psycopg.connect(url) as connection,
        connection.cursor() as cursor,
        bare_tables(cursor, list(tables)),
    ):
        for name, table in tables.items():
            statement = sql.SQL("COPY {} ({}) FROM STDIN (FORMAT binary)")
            with cursor.copy(statement.format(sql.Identifier(name), table.columns)) as copy:
                for start in range(0, len(table.data), BLOCK):
                    copy.write(table.data[start : start + BLOCK])


def dump(url: str) -> dict[str, Table]:
    """Read what was seeded, as the raw COPY will write it."""
    return {name: dump_table(url, name) for name in TABLES}


def dump_table(url: str, name: str) -> Table:
    with psycopg.connect(url) as connection, connection.cursor() as cursor:
        found = cursor.execute(
            "SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass"
            " AND attnum > 0 AND NOT attisdropped AND attgenerated = ''",
            [name],
        )
        columns = sql.SQL(", ").join(sql.Identifier(row[0]) for row in found)
        statement = sql.SQL("COPY {} ({}) TO STDOUT (FORMAT binary)")
        with cursor.copy(statement.format(sql.Identifier(name), columns)) as copy:
            data = b"".join(bytes(block) for block in iter(copy.read, b""))
        return Table(columns, cursor.rowcount, data)


def report(rows: int, best: dict[str, float], memory: int) -> None:
    """Print each way, and which targets are met."""
    print(f"{rows:,} rows in {len(TABLES)} tables; {memory} MB of memory for the whole program")
    for name, seconds in best.items():
        ratio = best[RAW] / seconds
        print(f"{name:62}{seconds:6.1f} s {rows / seconds:10,.0f} rows/s {ratio:5.2f} of raw")
    in_time = best[SEED] < TARGET_SECONDS
    print(f"under {TARGET_SECONDS} s, all included: {'yes' if in_time else 'NO'}")
    for name, way in (("all included", SEED), ("generating, copying, indexing", LOAD)):
        as_fast = best[RAW] / best[way] >= TARGET_RATIO
        print(f"at half the speed of raw or more, {name}: {'yes' if as_fast else 'NO'}")


if __name__ == "__main__":
    main()
