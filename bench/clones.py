"""How to make a database of one's own: FILE_COPY, WAL_LOG, or the script again.

Run: python bench/clones.py [--rounds N]

Prints, for the settings of a throw-away and of a durable server, the median time to make and to
drop a database in each way, and how many times as long as the quickest that is. The ways take turns
in every round, so a busy machine slows them all alike; compare the ratios, not the milliseconds.
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import psycopg
from psycopg import sql

from pglab.databases import create_clone, drop_database, open_clone
from pglab.scratch import Scratch
from pglab.servers import Server, open_server
from pglab.servers.account import server_account
from pglab.servers.durable import DurableServer
from pglab.servers.places import temporary_place
from pglab.servers.server import connect

Way = Callable[[psycopg.Connection, str], None]


def build_schema(url: str) -> None:
    """Twelve tables with 24 indexes and 200 rows in all."""
    with psycopg.connect(url) as connection:
        for number in range(12):
            table = sql.Identifier(f"t{number}")
            connection.execute(
                sql.SQL(
                    "CREATE TABLE {} (id bigint PRIMARY KEY, name text NOT NULL, "
                    "made timestamptz NOT NULL DEFAULT now())"
                ).format(table)
            )
            connection.execute(sql.SQL("CREATE INDEX ON {} (name, made)").format(table))
            rows = sql.SQL("INSERT INTO {} SELECT g, 'name ' || g FROM generate_series(1, 17) g")
            connection.execute(rows.format(table))


def ways(server: Server, template: str) -> dict[str, Way]:
    """The ways to make a database, by name."""

    def by_strategy(strategy: str) -> Way:
        def make(connection: psycopg.Connection, name: str) -> None:
            create_clone(connection, name, template, strategy)
            open_clone(connection, name, None)

        return make

    def by_script(connection: psycopg.Connection, name: str) -> None:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        build_schema(server.url(name))

    return {
        "template, FILE_COPY": by_strategy("FILE_COPY"),
        "template, WAL_LOG": by_strategy("WAL_LOG"),
        "script": by_script,
    }


def measure(server: Server, rounds: int) -> dict[str, tuple[float, float]]:
    """Median milliseconds to make and to drop, for each way."""
    with Scratch(server, prefix="bench") as scratch, connect(server.admin_url) as connection:
        template = scratch.template("bench", build_schema)
        times: dict[str, list[tuple[float, float]]] = {}
        for turn in range(rounds + 1):
            for way, make in ways(server, template).items():
                name = "bench_one"
                began = time.perf_counter()
                make(connection, name)
                made = time.perf_counter()
                drop_database(connection, name)
                dropped = time.perf_counter()
                if turn > 0:  # the first round fills the caches
                    times.setdefault(way, []).append((made - began, dropped - made))
        scratch.drop_database(template)
    return {
        way: (
            1000 * statistics.median(make for make, _ in each),
            1000 * statistics.median(drop for _, drop in each),
        )
        for way, each in times.items()
    }


def report(title: str, found: dict[str, tuple[float, float]]) -> None:
    """Print one table."""
    quickest = min(make + drop for make, drop in found.values())
    print(f"\n{title}\n{'':22}{'make':>9}{'drop':>9}{'times as long':>16}")
    for way, (make, drop) in found.items():
        ratio = (make + drop) / quickest
        print(f"{way:22}{make:6.1f} ms{drop:6.1f} ms{ratio:16.1f}")


def main() -> None:
    """Measure on a throw-away server and on a durable one."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rounds", type=int, default=10, help="times that each way is tried")
    rounds = parser.parse_args().rounds
    home = Path(tempfile.mkdtemp(prefix="kit-bench-", dir=temporary_place(server_account())))
    home.chmod(0o711)
    try:
        with open_server("embedded", home=home, disposable=True) as throw_away:
            place = throw_away.socket_dir.parent
            report(
                f"throw-away settings (fsync off), in {place.parent}", measure(throw_away, rounds)
            )
        durable = DurableServer(home).start()
        try:
            place = durable.data_dir
            report(f"durable settings (fsync on), in {place.parents[2]}", measure(durable, rounds))
        finally:
            durable.stop()
    finally:
        shutil.rmtree(home, ignore_errors=True)


if __name__ == "__main__":
    main()
