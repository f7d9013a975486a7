"""The instrument ``plan``: how PostgreSQL runs the statements that were really sent, on these data.

    def test_the_dashboard_looks_up_its_rows(student, plan, db, data):
        db.insert("orders", *orders(data, 5_000))
        plan.refresh_statistics()
        student.call("dashboard", user_id=7)
        (seen,) = plan.last(analyze=True)
        assert seen.uses_index(on=("orders", "user_id")), hint(
            f"The dashboard read {seen.rows_removed:g} rows that it threw away. …", actual=seen.text
        )

The plan is asked for after the call, with the rights of the student's own role, in a transaction
that is rolled back; it is that of this moment, with the data and statistics of this moment.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from psycopg import sql

from grader.checks.schema import Schema
from grader.checks.sent import Sent
from grader.checks.state import Database
from grader.checks.verdict import NotPassed
from grader.delegate import STATEMENT_MS, Delegate
from grader.results import Failure, Reason
from grader.text import clean
from pglab.planner_statistics import are_current, refresh
from pglab.plans import EXPLAINABLE, CannotExplain, Plan, explain
from pglab.witness import Statement

_GUARD = sql.SQL("SELECT 1")
_TIMED_OUT = "57014"
_CUT_AT = 60_000
"""Bytes from which on a parameter may be cut in the server's log."""
_ALL_S = 20.0
"""Seconds for the plans of all statements of a call, which had less time itself."""


@dataclass(frozen=True)
class SeenPlan(Plan):
    """The plan of one statement, in a database whose indexes are known."""

    statement: str
    """The SQL that it is the plan of."""
    schema: Schema = field(repr=False)

    def uses_index(self, name: str | None = None, *, on: Sequence[str] | None = None) -> bool:
        """Whether an index is read.

        Args:
            name: of this name; or
            on: a table and the columns that the index begins with, in this order:
                ``on=("orders", "user_id", "created_at")``.
        """
        if on is None:
            return name in self.indexes
        table, *columns = on
        return any(
            index.name in self.indexes and index.columns[: len(columns)] == tuple(columns)
            for index in self.schema.table(table).indexes
        )


class Plans:
    """The instrument ``plan``.

    Args:
        delegate: the session with the rights of the student's role.
        schema: which indexes there are.
        state: for statistics, over the connection of those who own the tables.
        last: what the last call sent.
    """

    def __init__(
        self, delegate: Delegate, schema: Schema, state: Database, last: Callable[[], Sent]
    ) -> None:
        self._delegate = delegate
        self._schema = schema
        self._state = state
        self._last = last

    def of(
        self,
        statement: Statement | str,
        parameters: Sequence[str | None] = (),
        *,
        analyze: bool = False,
    ) -> SeenPlan:
        """The plan of one statement.

        Args:
            statement: one of ``statements.last``, or SQL text.
            parameters: for SQL text, what stands for ``$1``, ``$2`` …, as text.
            analyze: whether to run it, so that rows and buffers are counted; what it changes is
                rolled back.

        Raises:
            NotPassed: PostgreSQL gives no plan of it, or it did not end in time.
        """
        text = statement if isinstance(statement, str) else statement.text
        values = parameters if isinstance(statement, str) else statement.parameters
        cut = not isinstance(statement, str) and _is_cut(statement)
        try:
            with self._delegate.transaction():
                self._delegate.execute(_GUARD)
                found = explain(
                    self._delegate.connection,
                    text,
                    None if cut else values,
                    analyze=analyze and not cut,
                )
        except CannotExplain as error:
            raise NotPassed(_no_plan(text, error)) from error
        return SeenPlan(found.root, found.analyzed, text, self._schema)

    def last(self, *, analyze: bool = False) -> list[SeenPlan]:
        """The plans of what the last `student.call` sent, in order.

        Statements that have no plan (BEGIN, CREATE TABLE, SET, FETCH …) are left out; the rows of a
        cursor are planned with its DECLARE.
        """
        plans: list[SeenPlan] = []
        began = time.monotonic()
        for statement in self._last():
            if time.monotonic() - began > _ALL_S:
                told = f"Your statements run for more than {_ALL_S:g} seconds on these data"
                raise NotPassed(_too_slow(f"{told}; the rest was not looked at."))
            if statement.kind in EXPLAINABLE:
                plans.append(self.of(statement, analyze=analyze))
        return plans

    @contextlib.contextmanager
    def without(self, *indexes: str) -> Iterator[None]:
        """Inside, plans are those that there were if these indexes were not there.

            with plan.without("attempts_user"):
                assert plan.of(query, analyze=True).buffers > 100, hint("Nobody reads that index.")

        They are dropped in a transaction that is rolled back at the end; what else looks at these
        tables meanwhile waits.

        Args:
            indexes: of ``public``, and not of a constraint.
        """
        with self._delegate.transaction():
            for name in indexes:
                drop = sql.SQL("DROP INDEX {}").format(sql.Identifier("public", name))
                self._delegate.execute(drop)
            yield

    def refresh_statistics(self, *tables: str, vacuum: bool = False) -> None:
        """Let the planner know what is in the tables; nothing else does on a throw-away server.

        A table whose statistics would be the same again is not analyzed.

        Args:
            tables: all of ``public`` where none is named.
            vacuum: also note which pages everybody can see, without which an index that covers a
                query saves little.
        """
        names = tables or tuple(self._schema.tables)
        with self._state.author() as connection:
            for name in names:
                table = sql.Identifier("public", name)
                current = are_current(self._state.reader, connection, table)
                refresh(connection, table, analyze=not current, vacuum=vacuum)


def _is_cut(statement: Statement) -> bool:
    return any(len(p or "") > _CUT_AT and (p or "").endswith("...") for p in statement.parameters)


def _too_slow(message: str, text: str = "") -> Failure:
    return Failure(
        Reason.LIMIT,
        message,
        question="How many rows does it look at, and how many of them does it need?",
        actual=text,
    )


def _no_plan(text: str, error: CannotExplain) -> Failure:
    if error.sqlstate == _TIMED_OUT:
        told = f"One of your statements runs for more than {STATEMENT_MS // 1000} seconds on these"
        return _too_slow(f"{told} data; it was stopped.", clean(text, 600))
    return Failure(
        Reason.ASSERTION,
        "PostgreSQL gives no plan of one of your statements now: "
        f"{clean(str(error), 300)}. So nothing shows that it would be quick.",
        question="Does it need something that only your own session has, such as a temporary "
        "table or a setting?",
        actual=clean(text, 600),
    )
