"""The daily and the weekly checklist."""

import enum
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection
from sqlalchemy.orm import Session, sessionmaker

from tracker.analytics import views
from tracker.caching import Cache
from tracker.maintenance import indexes, integrity, storage
from tracker.monitoring import Monitor, pool_state, server_activity

BACKUP_EVERY = timedelta(days=1)
REFRESH_EVERY = timedelta(days=7)
LONG_TRANSACTION = 300  # seconds
FEW_HITS = 0.5  # of what was asked of the cache
FEW_IN_MEMORY = 95  # percent of blocks


class State(enum.StrEnum):
    """How an item of a checklist stands."""

    OK = "ok"
    ATTENTION = "attention"
    UNKNOWN = "unknown"  # it cannot be seen from here, or not yet


@dataclass(frozen=True)
class Item:
    """One item of a checklist, with what was found."""

    name: str
    state: State
    found: str
    """A line for each thing that was found."""


def daily(
    sessions: sessionmaker[Session],
    *,
    monitor: Monitor | None = None,
    cache: Cache | None = None,
    last_backup: datetime | None = None,
) -> list[Item]:
    """Look at what can go wrong within a day.

    Arguments:
        monitor: the application's own; without it, slow statements are unknown.
        cache: the application's own; without it, its hits are unknown.
        last_backup: when the newest of `tracker.backup.find` was made; None: not known.
    """
    return [
        _slow_statements(monitor),
        _pool(sessions),
        _server(sessions),
        _backup(last_backup),
        _cache_hits(cache),
    ]


def weekly(sessions: sessionmaker[Session]) -> list[Item]:
    """Look at what goes wrong slowly, and refresh nothing and mend nothing by itself."""
    with sessions() as session:
        connection = session.connection()
        index_findings = [
            *indexes.missing(connection),
            *indexes.redundant(connection),
            *indexes.invalid(connection),
        ]
        rows = [
            *integrity.orphans(connection),
            *integrity.out_of_range(connection),
            *integrity.disagreements(session),
        ]
        sizes = storage.sizes(connection)
        size = storage.database_bytes(connection) / 1e6
        largest = ", ".join(f"{each.table} {each.rows:,} rows" for each in sizes[:3])
        return [
            _item("Indexes", [f"{x.index or x.table}: {x.reason}" for x in index_findings]),
            _unused_indexes(connection),
            _views(session),
            _item("Rows that break a rule", [f"{x.table}, {x.rule}: {x.rows}" for x in rows]),
            _item("Bloat", [f"{x.table}: {x.wasted_bytes:,} bytes" for x in sizes if x.is_bloated]),
            _item(
                "Vacuum",
                [f"{x.command} {x.table}: {x.reason}" for x in storage.vacuum_advice(connection)],
            ),
            Item("Growth", State.OK, f"{size:,.1f} MB; {largest}."),
        ]


def _item(name: str, problems: Sequence[str], fine: str = "Nothing found.") -> Item:
    if problems:
        return Item(name, State.ATTENTION, "\n".join(problems))
    return Item(name, State.OK, fine)


def _unused_indexes(connection: Connection) -> Item:
    name = "Unused indexes"
    unused = indexes.unused(connection)
    if unused and not indexes.has_been_used(connection):
        found = f"Not enough use yet to tell; {len(unused)} wait for their first query."
        return Item(name, State.UNKNOWN, found)
    return _item(name, [f"{x.index}: {x.reason}" for x in unused])


def _slow_statements(monitor: Monitor | None) -> Item:
    name = "Slow statements"
    if monitor is None:
        return Item(name, State.UNKNOWN, "No monitor watches the engine.")
    report = monitor.report()
    return _item(name, report.advice, f"None of {len(report.statements)} different ones.")


def _pool(sessions: sessionmaker[Session]) -> Item:
    state = pool_state(sessions.kw["bind"])
    found = f"{state.in_use} of {state.most} connections in use."
    return Item("Pool", State.ATTENTION if state.is_exhausted else State.OK, found)


def _server(sessions: sessionmaker[Session]) -> Item:
    with sessions() as session:
        activity = server_activity(session.connection())
    hits = activity.cache_hit_percent
    problems = [
        sentence
        for sentence, holds in (
            (
                f"{activity.connections} of {activity.most_connections} connections are open.",
                activity.connections > 0.8 * activity.most_connections,
            ),
            (
                f"A transaction is {activity.longest_transaction_seconds:.0f} s old: it keeps "
                "vacuum from removing any row that died since.",
                activity.longest_transaction_seconds > LONG_TRANSACTION,
            ),
            (
                f"{activity.waiting_for_lock} connections wait for a lock.",
                activity.waiting_for_lock > 0,
            ),
            (
                f"Only {hits} % of blocks were in memory: shared_buffers may be too small.",
                hits is not None and hits < FEW_IN_MEMORY,
            ),
        )
        if holds
    ]
    return _item("Server", problems, f"{activity.connections} connections.")


def _backup(last: datetime | None) -> Item:
    name = "Backup"
    if last is None:
        return Item(name, State.UNKNOWN, "When the last one was made is not known here.")
    age = datetime.now(UTC) - last
    state = State.ATTENTION if age > BACKUP_EVERY else State.OK
    return Item(name, state, f"The last one is {age / timedelta(hours=1):.0f} hours old.")


def _cache_hits(cache: Cache | None) -> Item:
    name = "Cache"
    if cache is None:
        return Item(name, State.UNKNOWN, "No cache was given.")
    rates = {kind: found.hit_rate for kind, found in cache.statistics().items()}
    shown = ", ".join(f"{kind} {rate:.0%}" for kind, rate in rates.items() if rate is not None)
    is_poor = any(rate is not None and rate < FEW_HITS for rate in rates.values())
    return Item(name, State.ATTENTION if is_poor else State.OK, f"Hits: {shown or 'none asked'}.")


def _views(session: Session) -> Item:
    oldest = datetime.now(UTC) - REFRESH_EVERY
    stale = [
        f"{view} was last refreshed {moment:%Y-%m-%d}."
        if moment
        else f"{view} never was refreshed."
        for view, moment in views.refreshed_at(session).items()
        if moment is None or moment < oldest
    ]
    return _item("Views", stale, "All were refreshed this week.")
