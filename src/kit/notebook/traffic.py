"""What this process really sends to PostgreSQL, noted where psycopg sends it.

SQLAlchemy, ipython-sql, Alembic and bare psycopg all end in the same few functions of psycopg 3,
and that is where `kit.notebook.taps` listens. Nothing is estimated from what SQLAlchemy was asked
to do:

- **A statement** is counted when psycopg hands it to libpq, in the form in which the server gets it
  (``$1`` for parameters). ``executemany`` counts once for each set of parameters, and a string of
  several statements once for each result.
- **A round trip** is counted when psycopg waits for an answer: for each statement, for BEGIN and
  COMMIT, for the extra PREPARE that psycopg sends when it has seen a statement five times, once
  for each synchronization of a pipeline, twice for a COPY into the server. The handshake of a new
  connection is not in this number.
- **Rows** are those that came back, or, where none come back, those that were changed.
- **Seconds** are spent between handing over and having the whole answer; making objects of it is
  not in them.

What is not counted: other processes; connections whose ``application_name`` is ``kit`` or that of
an interleaving's observer, because those are not the learner's; and drivers other than psycopg 3.

``tests/notebooks/test_traffic.py`` compares these counts with libpq's own trace of the protocol.
"""

from __future__ import annotations

import re
import sys
import threading
from collections.abc import Iterable
from dataclasses import dataclass, field
from types import FrameType
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

from psycopg import pq
from psycopg.adapt import Transformer

from pglab.sessions import OBSERVER

MOST_KEPT = 5_000
"""Statements of a cell that are kept one by one; more are counted, and their text is not kept."""

KITS_OWN = b"kit"
"""``application_name`` of the kit's own connections."""
_NOT_COUNTED = frozenset((KITS_OWN, OBSERVER.encode()))

TRANSACTION_CONTROL = frozenset(
    ("BEGIN", "START", "COMMIT", "END", "ROLLBACK", "ABORT", "SAVEPOINT", "RELEASE")
)

_WITH_ROWS = (
    pq.ExecStatus.TUPLES_OK, pq.ExecStatus.SINGLE_TUPLE, pq.ExecStatus.TUPLES_CHUNK
)  # fmt: skip
_STATES = {
    pq.TransactionStatus.INTRANS: "open",
    pq.TransactionStatus.INERROR: "failed",
    pq.TransactionStatus.ACTIVE: "busy",
}
_COMMENT = re.compile(r"(?:\s+|--[^\n]*\n?|/\*.*?\*/)*", re.DOTALL)


def kind_of(sql: str) -> str:
    """The first word of a statement in capitals, comments passed over; empty if there is none."""
    start = _COMMENT.match(sql)
    word = re.match(r"\w+", sql[start.end() if start else 0 :])
    return word.group().upper() if word else ""


class Peer(NamedTuple):
    """Where a connection leads to; enough to open another one."""

    host: str
    port: str
    dbname: str
    user: str
    password: str
    options: str


class Encoded(NamedTuple):
    """A statement byte for byte as libpq got it."""

    query: bytes
    parameters: tuple[bytes | None, ...]
    types: tuple[int, ...]
    formats: tuple[int, ...]


@dataclass(slots=True)
class Sent:
    """One statement that was sent, and what came back."""

    encoded: Encoded
    peer: Peer = field(repr=False)  # it holds a password
    line: int | None
    """Line of the cell that caused it; None where no line of the cell did."""
    housekeeping: str
    """Who sent it for itself and not for the cell, or empty: SQLAlchemy's pool (a ping, questions
    to a server that is new to it) or psycopg (DEALLOCATE of what it had prepared)."""
    times: int = 1
    rows: int = 0
    seconds: float = 0.0
    sqlstate: str | None = None
    """SQLSTATE of the failure; None where it succeeded."""
    reached: bool = False
    """It went to the server, or into a pipeline that leads there."""
    answered: bool = False
    """The whole answer is here; False while another session makes it wait."""

    @property
    def sql(self) -> str:
        """The text of the statement."""
        return self.encoded.query.decode(errors="replace").strip()

    @property
    def kind(self) -> str:
        """The first word in capitals, like ``SELECT``."""
        return kind_of(self.sql)

    @property
    def is_transaction_control(self) -> bool:
        """Whether it only begins, ends or marks a transaction."""
        return self.kind in TRANSACTION_CONTROL

    @property
    def parameters(self) -> tuple[Any, ...]:
        """The values of ``$1``, ``$2``, … as Python reads them back from what was sent."""
        transformer = Transformer()
        values: list[Any] = []
        for data, oid, form in zip(
            self.encoded.parameters, self.encoded.types, self.encoded.formats, strict=False
        ):
            if data is None:
                values.append(None)
            else:
                values.append(transformer.get_loader(oid, pq.Format(form)).load(data))
        return tuple(values)


class OpenTransaction(NamedTuple):
    """A connection that is inside a transaction."""

    dbname: str
    application: str
    state: str
    """``open``, ``failed`` (the server waits for ROLLBACK) or ``busy`` (a statement runs)."""


@dataclass
class Recorder:
    """All that was sent between `start` and `stop`."""

    cell: dict[str, Any] | None = None
    """Global names of the cells, by which their frames are recognized."""
    sent: list[Sent] = field(default_factory=list)
    round_trips: int = 0
    connections: int = 0
    """Connections opened."""
    _last: WeakKeyDictionary[Any, tuple[Sent, Any]] = field(default_factory=WeakKeyDictionary)
    _more: dict[bool, Sent] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def send(self, pgconn: Any, query: Any, *, piped_by: Any = None) -> None:
        """Note a statement.

        Args:
            pgconn: libpq's connection.
            query: a ``PostgresQuery`` of a cursor, or the bytes of a command.
            piped_by: in a pipeline, the cursor (or connection) that sends and does not wait.
        """
        with self._lock:
            last, last_query = self._last.get(pgconn, (None, None))
            if last is not None and last_query is query:
                return
            sent = self._kept(pgconn, query) or self._counted(pgconn, query)
            sent.reached = sent.reached or piped_by is not None
            self._last[pgconn] = (sent, query)
            if piped_by is not None:
                self._last[piped_by] = (sent, query)

    def _kept(self, pgconn: Any, query: Any) -> Sent | None:
        """A new entry for the statement; None where there are enough."""
        if len(self.sent) >= MOST_KEPT:
            return None
        line, housekeeping = _cause(sys._getframe(3), self.cell)
        if isinstance(query, bytes) and query.startswith(b"DEALLOCATE"):
            housekeeping = "psycopg"
        sent = Sent(_encoded(query), _peer(pgconn), line, housekeeping)
        self.sent.append(sent)
        return sent

    def _counted(self, pgconn: Any, query: Any) -> Sent:
        """The entry that counts all further statements, or all further transaction control."""
        control = kind_of(_encoded(query).query.decode(errors="replace")) in TRANSACTION_CONTROL
        text = b"COMMIT -- and more transaction control" if control else b"-- and more statements"
        if control not in self._more:
            self._more[control] = Sent(Encoded(text, (), (), ()), _peer(pgconn), None, "", times=0)
            self.sent.append(self._more[control])
        self._more[control].times += 1
        return self._more[control]

    def send_again(self, pgconn: Any, query: Any) -> bool:
        """Note another execution of the statement just sent; False where it is another one."""
        with self._lock:
            last, last_query = self._last.get(pgconn, (None, None))
            if last is None or last_query is not query:
                return False
            last.times += 1
            return True

    def ask(self, pgconn: Any, round_trip: bool) -> None:
        """Note that an answer is waited for from now on."""
        with self._lock:
            self.round_trips += round_trip
            last, _ = self._last.get(pgconn, (None, None))
            if last is not None:
                last.reached = True

    def wait(self, pgconn: Any, seconds: float) -> None:
        """Note that an answer has been waited for."""
        with self._lock:
            last, _ = self._last.get(pgconn, (None, None))
            if last is not None:
                last.seconds += seconds
                last.answered = True

    def answer(self, sender: Any, results: Iterable[Any]) -> None:
        """Note rows and errors in the results that came back to a connection or a piping cursor."""
        with self._lock:
            last, _ = self._last.get(sender, (None, None))
            if last is None:
                return
            last.answered = True
            count = 0
            for result in results:
                count += 1
                if result.status == pq.ExecStatus.PIPELINE_ABORTED:
                    # One before it failed, and the server did not run this one. How many psycopg
                    # had sent by the time that it was told differs from run to run.
                    last.times -= 1
                elif result.status == pq.ExecStatus.FATAL_ERROR:
                    code = result.error_field(pq.DiagnosticField.SQLSTATE)
                    last.sqlstate = code.decode() if code else ""
                elif result.status in _WITH_ROWS:
                    last.rows += result.ntuples
                else:
                    last.rows += result.command_tuples or 0
            last.times += max(count - 1, 0)

    def statements(self) -> list[Sent]:
        """Those that reached the server and were run there, in the order of sending."""
        return [sent for sent in self.sent if sent.reached and sent.times]


_recorders: list[Recorder] = []
_known: WeakKeyDictionary[Any, Peer] = WeakKeyDictionary()


def start(cell: dict[str, Any] | None = None) -> Recorder:
    """Begin to record. A recording inside another one takes over until it is stopped."""
    recorder = Recorder(cell)
    _recorders.append(recorder)
    return recorder


def stop(recorder: Recorder) -> None:
    """End a recording; safe to call twice."""
    if recorder in _recorders:
        _recorders.remove(recorder)


def open_transactions() -> list[OpenTransaction]:
    """The transactions that are open on any connection seen so far."""
    found = []
    for pgconn in list(_known):
        if pgconn.status != pq.ConnStatus.OK:
            continue
        state = _STATES.get(pgconn.transaction_status)
        name = pgconn.parameter_status(b"application_name") or b""
        if state is not None and name not in _NOT_COUNTED:
            found.append(OpenTransaction(_known[pgconn].dbname, name.decode(), state))
    return sorted(found)


def forget() -> None:
    """Forget every connection that was seen; what is open on it is not told any more."""
    _known.clear()


def recorder_for(pgconn: Any) -> Recorder | None:
    """The recorder that notes what this connection sends; None where nothing is noted."""
    if not _recorders or pgconn.parameter_status(b"application_name") in _NOT_COUNTED:
        return None
    return _recorders[-1]


def _peer(pgconn: Any) -> Peer:
    if pgconn not in _known:
        parts = (pgconn.host, pgconn.port, pgconn.db, pgconn.user, pgconn.password, pgconn.options)
        _known[pgconn] = Peer(*(part.decode() if part else "" for part in parts))
    return _known[pgconn]


def _encoded(query: Any) -> Encoded:
    if isinstance(query, bytes):
        return Encoded(query, (), (), ())
    parameters = tuple(None if p is None else bytes(p) for p in query.params or ())
    return Encoded(query.query, parameters, tuple(query.types or ()), tuple(query.formats or ()))


def _cause(frame: FrameType | None, cell: dict[str, Any] | None) -> tuple[int | None, str]:
    """The line of the cell that led here, and whether SQLAlchemy's pool sent it for itself."""
    line, housekeeping = None, ""
    while frame is not None:
        module = frame.f_globals.get("__name__", "")
        if module.startswith("sqlalchemy.pool."):
            housekeeping = "SQLAlchemy's pool"
        elif module in ("sql.magic", "kit.notebook.console"):
            return None, housekeeping  # all of %%sql is on one line of what IPython makes of it
        elif cell is not None and frame.f_globals is cell and frame.f_code.co_name == "<module>":
            line = frame.f_lineno
        frame = frame.f_back
    return line, housekeeping
