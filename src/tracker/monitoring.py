"""Which statements are slow, what that suggests, and whether the pool has connections left.

`Monitor` measures what this application sends, as it waits for it. What else the server does is in
`server_activity`.
"""

import enum
import logging
import re
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Engine, QueuePool, event, text

SLOW = 100  # milliseconds
CRITICAL = 1000
MANY_CALLS = 50  # of one statement, by one connection in one transaction
MOST_KEPT = 1000  # slow statements, and different statements; a monitor must not fill the memory

_log = logging.getLogger(__name__)


class Category(enum.StrEnum):
    """What a statement is about, by the table that it reads or writes first."""

    CATALOG = "catalog"
    LEARNING = "learning"
    ANALYTICS = "analytics"
    PEOPLE = "people"
    PAYMENTS = "payments"
    OTHER = "other"


_TABLES = {
    Category.CATALOG: "tracks track_prerequisites modules lessons sections media quizzes questions",
    Category.LEARNING: "enrollments track_progress lesson_progress section_progress quiz_attempts "
    "certificates ai_interactions exercise_attempts check_results hints_taken predictions",
    Category.ANALYTICS: "track_analytics track_completion learning_days learner_engagement "
    "view_refreshes refresh_analytics",
    Category.PEOPLE: "users organizations oauth_accounts login_sessions verification_tokens",
    Category.PAYMENTS: "payments",
}
_CATEGORIES = {table: kind for kind, tables in _TABLES.items() for table in tables.split()}
# The table after FROM, INTO, UPDATE or JOIN, or the function after SELECT. Whole names: to look for
# "track" anywhere in the text would find it in track_analytics too.
_NAME = re.compile(r'\b(?:FROM|INTO|UPDATE|JOIN|SELECT)\s+"?([a-z_]+)', re.IGNORECASE)
_LIST = re.compile(r"%\((\w+?)(?:_\d+)+\)s(?:::[\w\[\]]+)?(?:, %\(\1(?:_\d+)+\)s(?:::[\w\[\]]+)?)+")


def category_of(statement: str) -> Category:
    """Return what a statement is about."""
    for name in _NAME.findall(statement):
        if name.lower() in _CATEGORIES:
            return _CATEGORIES[name.lower()]
    return Category.OTHER


def shape_of(statement: str) -> str:
    """Return a statement with lists of any length made alike, and spaces evened out."""
    return " ".join(_LIST.sub("…", statement).split())


@dataclass(frozen=True)
class SlowStatement:
    """A statement that took too long. Its parameters are not kept: they may be personal data."""

    statement: str
    milliseconds: float
    category: Category
    at: datetime

    @property
    def is_critical(self) -> bool:
        """Whether a person who waits for it gives up."""
        return self.milliseconds > CRITICAL


@dataclass
class Usage:
    """How often a statement was sent, and how long it took."""

    category: Category
    calls: int = 0
    milliseconds: float = 0.0
    slowest: float = 0.0
    most_at_once: int = 0  # by one connection in one transaction

    @property
    def average(self) -> float:
        """Milliseconds a call."""
        return self.milliseconds / self.calls if self.calls else 0.0


@dataclass(frozen=True)
class Report:
    """What a monitor has seen since it began."""

    statements: dict[str, Usage]  # those that took longest in all come first
    slow: list[SlowStatement]  # the slowest first
    by_category: dict[Category, Usage]
    advice: list[str] = field(default_factory=list)


class Monitor:
    """Measures every statement of an engine.

    Example::

        monitor = Monitor()
        monitor.watch(engine)
        …
        for sentence in monitor.report().advice:
            print(sentence)

    Arguments:
        clock: gives seconds; tests give their own.
    """

    def __init__(self, clock: Callable[[], float] = time.perf_counter) -> None:
        self._clock = clock
        self._slow: deque[SlowStatement] = deque(maxlen=MOST_KEPT)
        self._usage: dict[str, Usage] = {}
        self._lock = threading.Lock()

    def watch(self, engine: Engine) -> None:
        """Measure what is sent through this engine from now on."""
        event.listen(engine, "before_cursor_execute", self._before)
        event.listen(engine, "after_cursor_execute", self._after)
        for ending in ("commit", "rollback"):
            event.listen(engine, ending, self._transaction_ended)
        # With autocommit there is no other ending.
        event.listen(engine, "checkin", lambda _, record: record.info.pop(self, None))

    def report(self) -> Report:
        """Return what was seen, with advice."""
        with self._lock:
            usage = dict(sorted(self._usage.items(), key=lambda entry: -entry[1].milliseconds))
            slow = sorted(self._slow, key=lambda entry: -entry.milliseconds)
        by_category = {category: Usage(category) for category in Category}
        for each in usage.values():
            total = by_category[each.category]
            total.calls += each.calls
            total.milliseconds += each.milliseconds
            total.slowest = max(total.slowest, each.slowest)
        return Report(usage, slow, by_category, _advice(usage, slow))

    def _before(self, _connection: Connection, _cursor: Any, *rest: Any) -> None:
        context = rest[2]
        context.monitored_from = self._clock()

    def _after(self, connection: Connection, _cursor: Any, statement: str, *rest: Any) -> None:
        took = (self._clock() - rest[1].monitored_from) * 1000
        shape = shape_of(statement)
        category = category_of(statement)
        calls: dict[str, int] = connection.info.setdefault(self, {})
        calls[shape] = calls.get(shape, 0) + 1
        with self._lock:
            self._note(shape, category, took, calls[shape])
        if took > SLOW:
            level = logging.ERROR if took > CRITICAL else logging.WARNING
            _log.log(level, "A statement on %s took %.0f ms: %.300s", category, took, shape)

    def _note(self, shape: str, category: Category, took: float, at_once: int) -> None:
        if took > SLOW:
            self._slow.append(SlowStatement(shape, took, category, datetime.now(UTC)))
        if shape not in self._usage and len(self._usage) >= MOST_KEPT:
            return
        usage = self._usage.setdefault(shape, Usage(category))
        usage.calls += 1
        usage.milliseconds += took
        usage.slowest = max(usage.slowest, took)
        usage.most_at_once = max(usage.most_at_once, at_once)

    def _transaction_ended(self, connection: Connection) -> None:
        connection.info.pop(self, None)


def _advice(usage: dict[str, Usage], slow: list[SlowStatement]) -> list[str]:
    found = []
    critical = dict.fromkeys(entry.statement for entry in slow if entry.is_critical)
    for shape in critical:
        found.append(f"Over {CRITICAL} ms. {_LOOK} {shape:.200}")
    for shape, each in usage.items():
        if each.most_at_once >= MANY_CALLS:
            times = each.most_at_once
            found.append(f"Sent {times} times in one transaction. {_N_PLUS_1} {shape:.200}")
        elif shape not in critical and each.slowest > SLOW:
            remedy = _REMEDIES[each.category]
            found.append(f"Over {SLOW} ms, {each.average:.0f} ms on average. {remedy} {shape:.200}")
    return found


_LOOK = (
    "Run EXPLAIN (ANALYZE, BUFFERS) on it and look for a Seq Scan that throws most rows away: an "
    "index may be missing."
)
_N_PLUS_1 = (
    "If that is once for each row of another result (N+1), load all at once with selectinload() or "
    "a join."
)
_PLAN = "Run EXPLAIN (ANALYZE, BUFFERS) on it."
_REMEDIES = {
    Category.CATALOG: f"{_PLAN} What many visitors ask for alike can be kept by tracker.caching.",
    Category.LEARNING: f"{_PLAN} Is there an index that begins with the column it asks by?",
    Category.ANALYTICS: f"{_PLAN} Figures about everybody belong in a materialized view.",
    Category.PEOPLE: _PLAN,
    Category.PAYMENTS: _PLAN,
    Category.OTHER: _PLAN,
}


@dataclass(frozen=True)
class PoolState:
    """The connections of an engine's pool."""

    in_use: int
    idle: int
    most: int  # that may be open at once

    @property
    def is_exhausted(self) -> bool:
        """Whether the next request has to wait for a connection."""
        return self.in_use >= self.most


def pool_state(engine: Engine) -> PoolState:
    """Return how many connections of this process are in use.

    Raises:
        TypeError: the engine has no pool of a fixed size.
    """
    pool = engine.pool
    if not isinstance(pool, QueuePool):
        raise TypeError(f"{type(pool).__name__} has no fixed size, so it cannot be exhausted.")
    most = pool.size() + pool._max_overflow
    return PoolState(in_use=pool.checkedout(), idle=pool.checkedin(), most=most)


@dataclass(frozen=True)
class ServerActivity:
    """The connections of all programs to this database, and what they do."""

    connections: int
    most_connections: int  # of the whole server
    active: int
    idle_in_transaction: int
    waiting_for_lock: int
    longest_transaction_seconds: float
    cache_hit_percent: float | None  # blocks that were found in shared buffers


def server_activity(connection: Connection) -> ServerActivity:
    """Ask the server who is connected, and how often it had to go to the disk.

    Source: PostgreSQL manual, chapter 27, Monitoring Database Activity.
    """
    row = connection.execute(text(_ACTIVITY)).one()
    return ServerActivity(*row)


_ACTIVITY = """
SELECT count(*),
       current_setting('max_connections')::int,
       count(*) FILTER (WHERE state = 'active'),
       count(*) FILTER (WHERE state LIKE 'idle in transaction%'),
       count(*) FILTER (WHERE wait_event_type = 'Lock'),
       coalesce(max(extract(epoch FROM clock_timestamp() - xact_start)), 0)::float,
       (SELECT round(100.0 * blks_hit / nullif(blks_hit + blks_read, 0), 2)::float
          FROM pg_stat_database WHERE datname = current_database())
  FROM pg_stat_activity
 WHERE datname = current_database() AND backend_type = 'client backend'
"""
