"""Plans as EXPLAIN tells them: a tree of nodes, and what to ask of it.

Source: PostgreSQL manual, "Using EXPLAIN" and "EXPLAIN"; the keys of ``FORMAT JSON`` are those of
``src/backend/commands/explain.c``, the same from version 15 to 18 in what is read here.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, LiteralString

import psycopg
from psycopg import pq
from psycopg.pq.abc import PGresult

__all__ = ["EXPLAINABLE", "CannotExplain", "Node", "Plan", "explain"]

EXPLAINABLE = frozenset({"SELECT", "INSERT", "UPDATE", "DELETE", "MERGE", "DECLARE", "EXECUTE"})
"""Commands, as `pglab.commands.command_of` names them, of which there is a plan."""

_WHOLE_NUMBER = re.compile(r"-?\d{1,18}\Z")
_OID_TEXT, _OID_BIGINT = 25, 20
# The parameters' types are not in the server's log. Where the text alone does not tell them, they
# are guessed from the values.
_UNTYPED = frozenset({"42P18", "42725", "42883", "42804"})
_CONDITIONS = ("Index Cond", "Recheck Cond", "Hash Cond", "Merge Cond", "Join Filter", "Filter")


class CannotExplain(Exception):
    """There is no plan of a statement; the message is PostgreSQL's, or says why none was asked."""

    def __init__(self, message: str, sqlstate: str | None = None) -> None:
        super().__init__(message)
        self.sqlstate = sqlstate


@dataclass(frozen=True)
class Node:
    """One step of a plan."""

    kind: str
    """``Seq Scan``, ``Index Scan``, ``Sort``, ``Nested Loop`` …"""
    table: str | None
    """The table that it reads or writes."""
    index: str | None
    children: tuple[Node, ...]
    details: Mapping[str, Any] = field(repr=False)
    """Everything that EXPLAIN says of it, as it says it."""

    @property
    def condition(self) -> str | None:
        """What it looks up in its index: ``(user_id = 5)``; None where it reads the whole index."""
        return self.details.get("Index Cond")

    @property
    def filter(self) -> str | None:
        """What it tests on each row that it has read."""
        return self.details.get("Filter")

    @property
    def planned_rows(self) -> int:
        """How many rows the planner expected, each time."""
        return int(self.details.get("Plan Rows", 0))

    @property
    def loops(self) -> int:
        """How often it ran; 0 where it never ran, or without ANALYZE."""
        return int(self.details.get("Actual Loops", 0))

    @property
    def rows(self) -> float:
        """How many rows it gave in all; 0 without ANALYZE."""
        return round(float(self.details.get("Actual Rows", 0)) * self.loops, 2)

    @property
    def milliseconds(self) -> float:
        """How long it and what is below it took in all; 0 where that was not measured."""
        return float(self.details.get("Actual Total Time", 0)) * self.loops

    @property
    def rows_removed(self) -> float:
        """How many rows it read and threw away in all; 0 without ANALYZE."""
        keys = (
            "Rows Removed by Filter",
            "Rows Removed by Index Recheck",
            "Rows Removed by Join Filter",
        )
        return round(float(sum(self.details.get(key, 0) for key in keys)) * self.loops, 2)

    @property
    def buffers(self) -> int:
        """Pages of 8 kB that it and what is below it touched; 0 without BUFFERS."""
        kinds = ("Shared Hit", "Shared Read", "Local Hit", "Local Read")
        return int(sum(self.details.get(f"{kind} Blocks", 0) for kind in kinds))

    @property
    def log_records(self) -> int:
        """Records that it and what is below it wrote to the write-ahead log; 0 without ANALYZE.

        One for each row that is stored and one for each entry in an index, whatever full pages go
        with them; what triggers write is not counted.
        """
        return int(self.details.get("WAL Records", 0))

    @property
    def spilled(self) -> bool:
        """Whether it had to write to disk what did not fit into memory; False without ANALYZE."""
        return (
            self.details.get("Sort Space Type") == "Disk"
            or self.details.get("Hash Batches", 1) > 1
            or self.details.get("Disk Usage", 0) > 0
        )

    @property
    def scans(self) -> bool:
        """Whether it reads a table or an index, instead of what other nodes give it."""
        return self.kind.endswith("Scan") and (self.table is not None or self.index is not None)

    def __iter__(self) -> Iterator[Node]:
        """The node and all below it, in the order in which EXPLAIN writes them."""
        yield self
        for child in self.children:
            yield from child


@dataclass(frozen=True)
class Plan:
    """The plan of one statement."""

    root: Node
    analyzed: bool
    """Whether the statement was run, so that rows and buffers were counted."""

    @classmethod
    def from_json(cls, explained: Any) -> Plan:
        """What EXPLAIN (FORMAT JSON) answered: its text, or that already read as JSON."""
        told = json.loads(explained) if isinstance(explained, str | bytes) else explained
        root = _node(told[0]["Plan"])
        return cls(root, "Actual Loops" in root.details)

    @property
    def nodes(self) -> list[Node]:
        """All nodes, in the order in which EXPLAIN writes them."""
        return list(self.root)

    @property
    def indexes(self) -> list[str]:
        """The indexes that are read, each once."""
        return list(dict.fromkeys(node.index for node in self.root if node.index))

    @property
    def sorts(self) -> list[Node]:
        """The nodes that sort."""
        return [node for node in self.root if node.kind in ("Sort", "Incremental Sort")]

    @property
    def spilled(self) -> bool:
        """Whether a sort or a hash had to write to disk; False without ANALYZE."""
        return any(node.spilled for node in self.root)

    @property
    def rows_removed(self) -> float:
        """How many rows were read and thrown away in all; 0 without ANALYZE."""
        return sum(node.rows_removed for node in self.root)

    @property
    def buffers(self) -> int:
        """Pages of 8 kB that were touched; 0 without BUFFERS."""
        return self.root.buffers

    def scans(self, table: str) -> list[str]:
        """How a table is read, each time that it is: ``["Seq Scan"]``, ``["Index Scan"]`` …

        An index that is read for a bitmap is a part of the table's ``Bitmap Heap Scan``.
        """
        return [node.kind for node in self.root if node.scans and node.table == table]

    def uses_index(self, name: str) -> bool:
        """Whether an index of this name is read."""
        return name in self.indexes

    @property
    def text(self) -> str:
        """The tree as text, without costs and times, so that it is the same on every machine."""
        return "\n".join(_lines(self.root, self.analyzed, 0))

    def __iter__(self) -> Iterator[Node]:
        return iter(self.root)


def explain(
    connection: psycopg.Connection[Any],
    statement: str,
    parameters: Sequence[str | None] | None = (),
    *,
    analyze: bool = False,
    timing: bool = False,
) -> Plan:
    """Ask for the plan of one statement.

    With ``analyze`` the statement is run: do that in a transaction that you roll back, with a
    ``statement_timeout``, as a role that may do no harm.

    Args:
        statement: with ``$1``, ``$2`` … in the place of its parameters.
        parameters: as text, as the server's log has them; None is NULL. Their types are those that
            the statement gives them, as for values that a driver sends without a type. None asks
            for the plan that serves all values (from PostgreSQL 16 on, and never with ``analyze``).
        analyze: run it, and count rows and pages.
        timing: with ``analyze``, also measure each node.

    Raises:
        CannotExplain: PostgreSQL refused; a transaction that was open is then aborted.
    """
    if parameters is None:
        return _answered(
            connection.pgconn.exec_(b"EXPLAIN (FORMAT JSON, GENERIC_PLAN) " + statement.encode())
        )
    measured = b"TIMING, SUMMARY OFF" if timing else b"TIMING OFF, SUMMARY OFF"
    how = b"EXPLAIN (FORMAT JSON, ANALYZE, BUFFERS, WAL, " + measured + b") "
    command = (how if analyze else b"EXPLAIN (FORMAT JSON) ") + statement.encode()
    values = [None if value is None else value.encode() for value in parameters]
    guesses: list[list[int] | None] = [None]
    if values:
        guesses.append([_likely_type(value) for value in parameters])
        guesses.append([_OID_TEXT] * len(values))
    started = connection.info.transaction_status != pq.TransactionStatus.IDLE
    for types in guesses:
        try:
            if started:
                _quietly(connection, "SAVEPOINT kit_explain")
            return _asked(connection, command, values, types)
        except CannotExplain as error:
            if error.sqlstate not in _UNTYPED or types is guesses[-1]:
                raise
            if started:
                _quietly(connection, "ROLLBACK TO SAVEPOINT kit_explain")
    raise AssertionError("the last guess returns or raises")


def _asked(
    connection: psycopg.Connection[Any],
    command: bytes,
    values: Sequence[bytes | None],
    types: Sequence[int] | None,
) -> Plan:
    return _answered(connection.pgconn.exec_params(command, values, param_types=types))


def _answered(result: PGresult) -> Plan:
    if result.status != pq.ExecStatus.TUPLES_OK or result.ntuples == 0:
        state = result.error_field(pq.DiagnosticField.SQLSTATE)
        message = result.error_field(pq.DiagnosticField.MESSAGE_PRIMARY) or b"it has no plan"
        raise CannotExplain(message.decode(errors="replace"), state.decode() if state else None)
    rows = (result.get_value(row, 0) or b"" for row in range(result.ntuples))
    return Plan.from_json(b"\n".join(rows))


def _quietly(connection: psycopg.Connection[Any], statement: LiteralString) -> None:
    connection.pgconn.exec_(statement.encode())


def _likely_type(value: str | None) -> int:
    return _OID_BIGINT if value is not None and _WHOLE_NUMBER.match(value) else _OID_TEXT


def _node(told: Mapping[str, Any]) -> Node:
    return Node(
        kind=_kind(told),
        table=told.get("Relation Name"),
        index=told.get("Index Name"),
        children=tuple(_node(child) for child in told.get("Plans", ())),
        details={key: value for key, value in told.items() if key != "Plans"},
    )


def _kind(told: Mapping[str, Any]) -> str:
    kind = str(told["Node Type"])
    return str(told.get("Operation", kind)) if kind == "ModifyTable" else kind


def _lines(node: Node, analyzed: bool, depth: int) -> Iterator[str]:
    """A node and those below it, indented."""
    index = f" using {node.index}" if node.index else ""
    table = f" on {node.table}" if node.table else ""
    counted = f" (rows={node.rows:g})" if analyzed else f" (rows={node.planned_rows} planned)"
    space = "  " * depth
    yield f"{space}{node.kind}{index}{table}{counted}"
    for name in _CONDITIONS:
        if said := node.details.get(name):
            yield f"{space}    {name}: {said}"
    if keys := node.details.get("Sort Key"):
        yield f"{space}    Sort Key: {', '.join(keys)}"
    if node.spilled:
        yield f"{space}    written to disk"
    if node.rows_removed:
        yield f"{space}    Rows Removed: {node.rows_removed:g}"
    for child in node.children:
        yield from _lines(child, analyzed, depth + 1)
