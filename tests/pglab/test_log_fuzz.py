"""No text and no accident makes the reader of the log invent a statement, lose one, or take one
session's for another's.

The log is written by `tests.pglab.jsonlog`; and hostile statements are really sent, and compared
with what is read.
"""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pglab.errors import StatementsLost, StatementsUnavailable
from pglab.scratch import Scratch
from pglab.serverlog import Position, bytes_between, find_line
from pglab.servers import Server
from pglab.statements import Statement, StatementReader
from pglab.witness import Witness
from tests.pglab.jsonlog import ROLE, TEXTS, logs
from tests.pglab.test_serverlog import GrowingFiles


def told(statements: list[Statement]) -> list[tuple[str, object]]:
    return [(s.session_id, (s.text, s.parameters, s.sqlstate, s.prepared)) for s in statements]


def read(chunks: Iterator[bytes] | list[bytes]) -> list[tuple[str, object]]:
    reader = StatementReader(role=ROLE)
    for chunk in chunks:
        reader.feed(chunk)
    return told(reader.finish())


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(logs(), st.data())
def test_what_the_server_writes_is_read_as_it_was_sent_over_all_files(
    log: tuple[list[bytes], list[tuple[str, object]]], data: st.DataObject
) -> None:
    lines, expected = log
    steps: list[bytes | None] = []
    for line in lines:
        steps.append(line)
        if data.draw(st.booleans()):
            steps.append(None)
    files = GrowingFiles(steps)
    files.finish()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("pglab.serverlog.CHUNK", data.draw(st.integers(1, 400)))
        assert read(bytes_between(files, Position("0000", 0), files.end())) == expected


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(logs(), st.data())
def test_a_log_that_is_cut_anywhere_has_the_statements_of_its_whole_lines_and_no_other(
    log: tuple[list[bytes], list[tuple[str, object]]], data: st.DataObject
) -> None:
    lines, expected = log
    whole = b"".join(lines)
    cut = data.draw(st.integers(0, len(whole)))
    texts = [(session, statement[:2]) for session, statement in expected]
    before = [(session, statement[:2]) for session, statement in read([whole[:cut]])]
    after = [(session, statement[:2]) for session, statement in read([whole[cut:]])]
    assert before == texts[: len(before)]
    assert after == texts[len(texts) - len(after) :]
    ends = itertools.accumulate(map(len, lines))
    if cut in {0, *ends}:
        assert len(before) + len(after) == len(texts)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(logs(), st.data())
def test_a_damaged_log_is_read_without_a_fault_and_says_nothing_of_other_roles(
    log: tuple[list[bytes], list[tuple[str, object]]], data: st.DataObject
) -> None:
    content = bytearray(b"".join(log[0]) or b"\n")
    for place, value in data.draw(
        st.lists(st.tuples(st.integers(0, len(content) - 1), st.integers(0, 255)), max_size=9)
    ):
        content[place] = value
    reader = StatementReader(role=ROLE)
    reader.feed(bytes(content))
    found = reader.finish()
    assert {statement.role for statement in found} <= {ROLE}
    assert len(found) <= content.count(b"\n")


class BrokenFiles:
    """Files of any bytes, in any order, that come and go while they are read."""

    def __init__(self, files: dict[str, bytes | None], order: dict[str, str | None]) -> None:
        self._files = files
        self._order = order

    def end(self) -> Position:
        return Position(max(self._files, default="a"), 0)

    def read(self, file: str, offset: int, length: int) -> bytes | None:
        content = self._files.get(file)
        return None if content is None else content[offset : offset + length]

    def after(self, file: str) -> str | None:
        return self._order.get(file)


NAMES = ["a", "b", "c"]
POSITIONS = st.builds(Position, st.sampled_from([*NAMES, "gone"]), st.integers(0, 60))


@given(
    st.dictionaries(st.sampled_from(NAMES), st.none() | st.binary(max_size=50)),
    st.fixed_dictionaries(
        {"a": st.sampled_from(["b", "c", None]), "b": st.sampled_from(["c", None])}
    ),
    POSITIONS,
    POSITIONS,
)
def test_files_of_any_bytes_are_read_or_said_to_be_lost(
    files: dict[str, bytes | None], order: dict[str, str | None], start: Position, end: Position
) -> None:
    log = BrokenFiles(files, order)
    with contextlib.suppress(StatementsLost):
        read(bytes_between(log, start, end))
    try:
        found = find_line(log, b"a token of twelve bytes", start, patience_s=0)
    except (StatementsLost, StatementsUnavailable):
        return
    assert found.file in files


@dataclass(frozen=True)
class Hostile:
    """A statement to be sent, by session, and its parameters if it is sent by the extended
    protocol.
    """

    session: int
    text: str
    parameters: tuple[str | None, ...] | None


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


_SQL = st.one_of(
    TEXTS.map(lambda text: f"SELECT {_quoted(text)}"),
    TEXTS.map(lambda text: f"SELECT 1 -- {text.replace(chr(10), ' ').replace(chr(13), ' ')}"),
    TEXTS.map(lambda text: f"SELECT 1 / 0 AS {_identifier(text)}"),
    TEXTS.map(lambda text: f"BEGIN RAISE LOG '%', {_quoted(text)}; END").map(
        lambda block: f"DO {_quoted(block)}"
    ),
    TEXTS.map(lambda text: f"? {text}"),  # no SQL, whatever follows
)  # fmt: skip
_HOSTILE = st.builds(
    Hostile, st.integers(0, 1), _SQL, st.none()
) | st.builds(
    lambda session, values: Hostile(
        session,
        "SELECT " + ", ".join(f"${n}::text" for n in range(1, len(values) + 1)),
        tuple(values),
    ),
    st.integers(0, 1),
    st.lists(st.none() | TEXTS, min_size=1, max_size=3),
)  # fmt: skip


def _identifier(text: str) -> str:
    return '"' + (text.replace('"', '""')[:30] or "x") + '"'


def test_hostile_statements_that_were_really_sent_are_read_as_they_were_sent(
    each_server: Server,
) -> None:
    with Scratch(each_server) as scratch, Witness(each_server) as witness:
        role = scratch.role()
        database = scratch.clone(scratch.template("", lambda url: None), grantee=role.name)
        url = database.url_for(role)
        with (
            psycopg.connect(url, autocommit=True) as one,
            psycopg.connect(url, autocommit=True) as two,
        ):
            _compare(witness, role.name, [one, two])


def _compare(witness: Witness, role: str, connections: list[psycopg.Connection]) -> None:
    """Send statements over two sessions and hold what is read against what the client knows."""
    pids = [connection.info.backend_pid for connection in connections]
    send: list[Callable[[str, tuple[str | None, ...] | None], str | None]]
    send = [lambda text, values, c=c: _sent(c, text, values) for c in connections]

    @settings(max_examples=60, deadline=None)
    @given(st.lists(_HOSTILE, min_size=1, max_size=12))
    def compare(sent: list[Hostile]) -> None:
        since = witness.mark()
        states = [send[one.session](one.text, one.parameters) for one in sent]
        found = witness.statements(since, role=role)
        assert [(s.text, s.parameters, s.sqlstate) for s in found] == [
            (one.text, one.parameters or (), state) for one, state in zip(sent, states, strict=True)
        ]
        told = [int(s.session_id.rpartition(".")[2], 16) for s in found]
        assert told == [pids[one.session] for one in sent]

    compare()


def _sent(
    connection: psycopg.Connection, text: str, values: tuple[str | None, ...] | None
) -> str | None:
    """Send it as it stands; the SQLSTATE that comes back."""
    from psycopg import pq

    if values is None:
        result = connection.pgconn.exec_(text.encode())
    else:
        encoded = [None if value is None else value.encode() for value in values]
        result = connection.pgconn.exec_params(text.encode(), encoded)
    state = result.error_field(pq.DiagnosticField.SQLSTATE)
    return state.decode() if state else None
