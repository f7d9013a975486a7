"""``%%sql``: ipython-sql as the learner's SQL console, set right.

ipython-sql 0.5.0 is the last of its line. What does not work with today's libraries is cured
here, once; ``tests/notebooks/test_console.py`` has a test for each cure, and one that notices
when it is not needed any more.

1. Every SELECT fails with ``KeyError: 'DEFAULT'`` after it was committed: since prettytable 3.12
   the names of table styles are no longer module attributes. They are put back.
2. An error of the server is printed and the cell counts as right, and so does a connection that
   fails. Both are raised here, as a `SqlError` of a few lines.
3. Its output contains connection URLs and row counts of every statement (``displaycon``,
   ``feedback``). Both are switched off, so the output is the same on every machine.
4. After an error its connection stays in the failed transaction. It is rolled back at once.

Not cured, but taught: it commits after every statement, and has no transactions.
"""

from __future__ import annotations

import contextlib
import io
import re
import sys
from typing import Any

import prettytable
import psycopg
from sqlalchemy.exc import SQLAlchemyError

from kit.notebook.errors import SqlError
from pglab.urls import masked
from tracker.db import sqlalchemy_url

APPLICATION_NAME = "%%sql"


def restore_style_names() -> None:
    """Put the names of prettytable's styles where ipython-sql 0.5.0 looks for them."""
    vars(prettytable).update({style.name: style for style in prettytable.TableStyle})


def install(shell: Any, url: str) -> None:
    """Register ``%sql`` and ``%%sql`` in a shell, connected to a database.

    Args:
        shell: IPython's ``InteractiveShell``.
        url: of the database that is asked where a cell names no other.
    """
    restore_style_names()
    from IPython.core.magic import needs_local_scope
    from sql.magic import SqlMagic

    magic = SqlMagic(shell)
    magic.short_errors = False
    magic.displaycon = False
    magic.feedback = False

    @needs_local_scope
    def sql(line: str, cell: str = "", local_ns: dict[str, Any] | None = None) -> Any:
        """Ask the database: ``%sql SELECT …``, or ``%%sql`` and a cell. Each statement commits."""
        return _run(magic, line, cell, local_ns)

    shell.register_magic_function(sql, magic_kind="line_cell", magic_name="sql")
    connect(url)


def connect(url: str) -> None:
    """Make this database the one that ``%%sql`` asks.

    The connection says ``%%sql`` as its application name, and its times are in UTC.
    """
    from sql.connection import Connection

    disconnect()
    target = sqlalchemy_url(url).render_as_string(hide_password=False)
    options = {"application_name": APPLICATION_NAME, "options": "-c timezone=UTC"}
    Connection(target, options)


def connected() -> bool:
    """Whether ``%%sql`` has a database."""
    if "sql.connection" not in sys.modules:
        return False
    from sql.connection import Connection

    return Connection.current is not None


def disconnect() -> None:
    """Close all connections of ``%%sql``."""
    from sql.connection import Connection

    for connection in list(Connection.connections.values()):
        connection.internal_connection.close()
        connection.internal_connection.engine.dispose()
    Connection.connections.clear()
    Connection.current = None


def _run(magic: Any, line: str, cell: str, local_ns: dict[str, Any] | None) -> Any:
    """Run the magic; its printed traceback is kept back, since the error itself is raised."""
    printed = io.StringIO()
    error: Exception | None = None
    result = None
    with contextlib.redirect_stdout(printed):
        try:
            result = magic.execute(line, cell, local_ns)
        except Exception as raised:
            error = raised
    if error is None and "Traceback (most recent call last)" in printed.getvalue():
        raise SqlError(_not_connected(printed.getvalue()))
    if error is not None:
        _roll_back()
        raise _sql_error(error, cell or line) from error
    sys.stdout.write(printed.getvalue())
    # ipython-sql gives an empty list, and shows "[]", also where a statement has no result at all.
    return None if getattr(result, "pretty", result) is None else result


def _roll_back() -> None:
    from sql.connection import Connection

    if Connection.current is not None:
        with contextlib.suppress(SQLAlchemyError):
            Connection.current.internal_connection.rollback()


def _not_connected(printed: str) -> str:
    """The error in the traceback that ipython-sql printed when it could not connect."""
    traceback = printed.partition("Connection info needed")[0].partition("(Background on")[0]
    last = traceback.rpartition("Traceback (most recent call last):")[2]
    error = re.search(r"^[\w.]+: (?:\([\w.]+\) )?(.*)", last, re.MULTILINE | re.DOTALL)
    return f"%%sql could not connect.\n{masked(error.group(1) if error else last).strip()}"


def _sql_error(error: Exception, typed: str) -> SqlError:
    """The error in the server's words, with the place in the SQL where it knows one."""
    cause = getattr(error, "orig", None)
    if not isinstance(cause, psycopg.Error):
        return SqlError(masked(str(error)))
    diag = cause.diag
    lines = [f"{cause.sqlstate} {type(cause).__name__}" if cause.sqlstate else type(cause).__name__]
    lines.append(diag.message_primary or masked(str(cause)))
    if diag.statement_position:
        statement = str(getattr(error, "statement", "") or typed)
        lines += _pointed(statement, int(diag.statement_position))
    lines += [f"{name}: {text}" for name, text in _more(diag) if text]
    return SqlError("\n".join(lines), sqlstate=cause.sqlstate)


def _more(diag: Any) -> list[tuple[str, str | None]]:
    return [("Detail", diag.message_detail), ("Hint", diag.message_hint)]


def _pointed(statement: str, position: int) -> list[str]:
    """The line of the statement at a position (characters from 1), and a caret below it."""
    before = statement[: position - 1]
    start = before.rfind("\n") + 1
    line = statement[start:].partition("\n")[0]
    return [f"  {line}", "  " + " " * (len(before) - start) + "^"]
