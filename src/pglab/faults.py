"""Faults on purpose: the n-th write to a table fails, or loses its connection.

A fault is a trigger that counts the rows written by a sequence, which no rollback turns back, and
raises when it is their turn. For the program that writes it is PostgreSQL's own error: with its
SQLSTATE, its message, and everything that follows from it. The triggers are called like the
everyday ones that keep a history, and what they count is out of reach of whoever writes.

Who looks for them in the catalog finds triggers all the same. That gains nothing: to pass, it must
then do the right thing.

Sources: PostgreSQL manual, "Overview of Trigger Behavior", "Sequence Manipulation Functions",
"Reporting Errors and Messages" and appendix A, "PostgreSQL Error Codes".
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import LiteralString

import psycopg
from psycopg import sql

__all__ = ["LOST_CONNECTION", "Fault", "Faults", "failing"]

LOST_CONNECTION = "57P01"
"""SQLSTATE of a session that was ended from outside (``admin_shutdown``)."""

_MESSAGES = {
    "40001": "could not serialize access due to concurrent update",
    "40P01": "deadlock detected",
    "53100": "could not extend file: No space left on device",
    "55P03": "canceling statement due to lock timeout",
    "57014": "canceling statement due to statement timeout",
}
_EVENTS = {"insert": sql.SQL("INSERT"), "update": sql.SQL("UPDATE"), "delete": sql.SQL("DELETE")}
_ANY = "an error on purpose"
_FOREVER = 2**62

_COUNTING = """
CREATE FUNCTION {function}() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $body$
DECLARE
    n bigint := pg_catalog.nextval({counter}::pg_catalog.regclass);
BEGIN
    IF n >= {first} AND n - {first} < {times} THEN
        {act}
    END IF;
    RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
END
$body$
"""
_RAISE = "RAISE EXCEPTION USING ERRCODE = {sqlstate}, MESSAGE = {message};"
# A function of another's rights may not end the session; so it leaves word for the one below.
_LEAVE_WORD = "PERFORM pg_catalog.set_config({word}, 'on', true);"
_ENDING = """
CREATE FUNCTION {function}() RETURNS trigger LANGUAGE plpgsql SET search_path = '' AS $body$
BEGIN
    IF pg_catalog.current_setting({word}, true) = 'on' THEN
        PERFORM pg_catalog.pg_terminate_backend(pg_catalog.pg_backend_pid());
        PERFORM pg_catalog.pg_sleep(10);
    END IF;
    RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
END
$body$
"""
_ALONE = "DO {tag}BEGIN {act} END{tag}"
_END_HERE = (
    "PERFORM pg_catalog.pg_terminate_backend(pg_catalog.pg_backend_pid());"
    " PERFORM pg_catalog.pg_sleep(10);"
)


def failing(sqlstate: str, mark: str, message: str | None = None) -> str:
    """A statement that does nothing but fail, to be sent in the place of one that is to fail.

    Args:
        sqlstate: of the error. ``57P01`` ends the session instead of raising.
        mark: ASCII letters and digits, a letter first. It stands in the text, so that the server's
            log tells whether this very statement was sent.
        message: of the error; PostgreSQL's own for the SQLSTATEs that faults are usually for.
    """
    act = sql.SQL(_END_HERE) if sqlstate == LOST_CONNECTION else _raising(sqlstate, message)
    tag = sql.SQL("$" + mark + "$")
    return sql.SQL(_ALONE).format(tag=tag, act=act).as_string(None)


@dataclass(frozen=True)
class Fault:
    """A fault that waits for its write."""

    table: str
    event: str
    """``insert``, ``update`` or ``delete``."""
    at: int
    """Which row written since then is the first that it meets, from 1."""
    times: int | None
    """How many writes it meets one after another; None for all from then on."""
    sqlstate: str
    _count: Callable[[], int]

    @property
    def writes(self) -> int:
        """Rows that somebody began to write, also those whose transaction was rolled back."""
        return self._count()

    @property
    def hits(self) -> int:
        """How often it struck."""
        met = max(0, self.writes - self.at + 1)
        return met if self.times is None else min(met, self.times)


class Faults:
    """Plants faults in one database.

    Example::

        with psycopg.connect(url, autocommit=True) as connection:
            faults = Faults(connection)
            fault = faults.fail("lesson_progress", "insert", at=3, sqlstate="40001")
            enroll(...)          # its third row fails
            print(fault.hits)    # 1

    Args:
        connection: in autocommit, of a role that owns the tables (or may put triggers on them) and
            may create functions in the schema.
        schema: of the tables.
    """

    def __init__(self, connection: psycopg.Connection, *, schema: str = "public") -> None:
        self._connection = connection
        self._schema = schema
        self._planted: list[Fault] = []
        self._undo: list[sql.Composed] = []

    def fail(
        self,
        table: str,
        event: str,
        *,
        at: int = 1,
        times: int | None = 1,
        sqlstate: str = "53100",
        message: str | None = None,
        on_commit: bool = False,
    ) -> Fault:
        """Let the ``at``-th row that is written to a table fail.

        Args:
            event: ``insert``, ``update`` or ``delete``.
            at: which row, from 1; rows that are rolled back count too, so a second attempt begins
                where the first one ended.
            times: how many rows fail, one after another; None for all from then on.
            sqlstate: of the error. ``57P01`` ends the session instead of raising.
            message: of the error; PostgreSQL's own for the SQLSTATEs that faults are usually for.
            on_commit: fail when the transaction is committed, not when the row is written.

        Raises:
            psycopg.Error: the table is not there, or is not the role's.
        """
        number = len(self._planted) + 1
        name = f"{table}_{event}_history" + (f"_{number}" if number > 1 else "")
        counter = sql.Identifier(self._schema, f"{name}_seq")
        self._run(sql.SQL("CREATE SEQUENCE {}").format(counter))
        self._undo.append(sql.SQL("DROP SEQUENCE IF EXISTS {}").format(counter))
        word = sql.Literal(f"{name}.pending")
        if sqlstate == LOST_CONNECTION:
            act = sql.SQL(_LEAVE_WORD).format(word=word)
        else:
            act = _raising(sqlstate, message)
        body = sql.SQL(_COUNTING).format(
            function=sql.Identifier(self._schema, name),
            counter=sql.Literal(counter.as_string(self._connection)),
            first=sql.Literal(at),
            times=sql.Literal(_FOREVER if times is None else times),
            act=act,
        )
        self._trigger(table, event, name, body, on_commit=on_commit)
        if sqlstate == LOST_CONNECTION:
            # Triggers on one event act in the order of their names.
            ending = f"{name}_end"
            body = sql.SQL(_ENDING).format(function=sql.Identifier(self._schema, ending), word=word)
            self._trigger(table, event, ending, body, on_commit=on_commit)
        fault = Fault(table, event, at, times, sqlstate, lambda: self._count(counter))
        self._planted.append(fault)
        return fault

    @property
    def planted(self) -> list[Fault]:
        """All that were planted since the last `clear`, in order."""
        return list(self._planted)

    @property
    def hits(self) -> int:
        """How often they struck, together."""
        return sum(fault.hits for fault in self._planted)

    def clear(self) -> None:
        """Take all of them out again; what they counted is gone."""
        while self._undo:
            self._run(self._undo.pop())
        self._planted.clear()

    def _trigger(
        self, table: str, event: str, name: str, body: sql.Composed, *, on_commit: bool
    ) -> None:
        function = sql.Identifier(self._schema, name)
        target = sql.Identifier(self._schema, table)
        create: LiteralString = (
            "CREATE CONSTRAINT TRIGGER {name} AFTER {event} ON {table} DEFERRABLE INITIALLY "
            "DEFERRED FOR EACH ROW EXECUTE FUNCTION {function}()"
            if on_commit
            else "CREATE TRIGGER {name} BEFORE {event} ON {table} FOR EACH ROW "
            "EXECUTE FUNCTION {function}()"
        )
        self._run(body)
        # The trigger goes with its function, also where the table is somebody else's.
        self._undo.append(sql.SQL("DROP FUNCTION IF EXISTS {}() CASCADE").format(function))
        # Nobody can call it from a table of their own, and so turn the count.
        self._run(sql.SQL("REVOKE ALL ON FUNCTION {}() FROM PUBLIC").format(function))
        self._run(
            sql.SQL(create).format(
                name=sql.Identifier(name),
                event=_EVENTS[event],
                table=target,
                function=function,
            )
        )

    def _run(self, statement: sql.Composed) -> None:
        self._connection.execute(statement)

    def _count(self, counter: sql.Identifier) -> int:
        query = sql.SQL("SELECT CASE WHEN is_called THEN last_value ELSE 0 END AS n FROM {}")
        row = self._connection.execute(query.format(counter)).fetchone()
        assert row is not None
        return int(row[0])


def _raising(sqlstate: str, message: str | None) -> sql.Composed:
    """What raises the error, in PL/pgSQL."""
    said = message or _MESSAGES.get(sqlstate, _ANY)
    return sql.SQL(_RAISE).format(sqlstate=sql.Literal(sqlstate), message=sql.Literal(said))
