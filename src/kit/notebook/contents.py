"""What is in the tables of a database, as one connection sees it; and how two looks differ.

A connection in the midst of a transaction is asked inside of a savepoint that is rolled back, so
that it holds no lock afterwards that it did not hold before. It is asked below SQLAlchemy and
psycopg, so that no receipt counts it. In a SERIALIZABLE transaction what is read here counts as
read by it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from psycopg import pq, sql

from kit.notebook.errors import NotebookError

MOST_ROWS = 5_000
"""Rows of a table that are compared one by one; of a larger one the rows are counted."""

LONGEST_WAIT_MS = 1_000
"""For a lock that shuts out those who read."""

Ask = Callable[[str], list[list[str | None]]]
"""Sends one statement, and returns its rows as text."""

Key = tuple[str, ...]
Row = Mapping[str, Any]

_TABLES = """
SELECT json_build_object(
    'schema', n.nspname, 'name', c.relname,
    'key', coalesce((SELECT json_agg(a.attname ORDER BY a.attnum) FROM pg_index i
        JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = ANY (i.indkey)
        WHERE i.indrelid = c.oid AND i.indisprimary), '[]'),
    'names', coalesce((SELECT json_agg(a.attname ORDER BY i.indexrelid) FROM pg_index i
        JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = i.indkey[0]
        WHERE i.indrelid = c.oid AND i.indisunique AND i.indnatts = 1
        AND i.indkey[0] > 0 AND a.atttypid IN ('text'::regtype, 'varchar'::regtype)), '[]'),
    'types', (SELECT json_object_agg(a.attname, format_type(a.atttypid, NULL)) FROM pg_attribute a
        WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped))
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND c.relpersistence <> 't'
    AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname !~ '^pg_toast'
ORDER BY n.nspname = 'public' DESC, n.nspname, c.relname
"""


class CannotLook(NotebookError):
    """A connection cannot be asked now: its transaction has failed, or a statement runs."""


@dataclass(frozen=True)
class Content:
    """The rows of one table, as somebody saw them."""

    names: tuple[str, ...]
    """Columns of text that tell one row from another, such as an e-mail address."""
    types: Mapping[str, str]
    count: int
    rows: Mapping[Key, Row] | None
    """By primary key, or by the whole row where there is none; None where there are too many."""


@dataclass(frozen=True)
class Change:
    """A row, or a table that is too large for rows, that is not as it was."""

    table: str
    key: Key | None
    """None: the whole table."""
    before: Row | None
    after: Row | None
    content: Content
    """Of its table, on whichever side there is one."""
    counts: tuple[int, int] = (0, 0)
    """Rows before and after, where the whole table is meant."""


def asker(pgconn: Any) -> Ask:
    """How to ask over a connection of libpq.

    Args:
        pgconn: idle, or in a transaction that has not failed.
    """

    def ask(statement: str) -> list[list[str | None]]:
        result = pgconn.exec_(statement.encode())
        if result.status not in (pq.ExecStatus.TUPLES_OK, pq.ExecStatus.COMMAND_OK):
            if result.error_field(pq.DiagnosticField.SQLSTATE) == b"55P03":
                msg = "A table cannot be read: another session holds a lock that shuts out readers."
                raise CannotLook(msg)
            msg = f"The tables could not be read: {result.error_message.decode().strip()}"
            raise CannotLook(msg)
        return [
            [
                None if (value := result.get_value(row, column)) is None else value.decode()
                for column in range(result.nfields)
            ]
            for row in range(result.ntuples)
        ]

    return ask


def look(pgconn: Any, only: Sequence[str] = ()) -> dict[str, Content]:
    """The tables and their rows, by name; those outside of ``public`` with their schema.

    Args:
        pgconn: a connection of libpq; one in a transaction is left as it was.
        only: names of tables; all if there are none.

    Raises:
        CannotLook: the transaction has failed, a statement runs, or there is no such table.
    """
    ask = asker(pgconn)
    status = pgconn.transaction_status
    if status == pq.TransactionStatus.INERROR:
        msg = "Its transaction has failed: it sees nothing until ROLLBACK."
        raise CannotLook(msg)
    if status == pq.TransactionStatus.ACTIVE:
        msg = "It is busy: a statement of it runs, or waits for a lock."
        raise CannotLook(msg)
    if status == pq.TransactionStatus.IDLE:
        before = ["BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"]
        after = ["ROLLBACK"]
    else:
        before = ["SAVEPOINT kit_look"]
        after = ["ROLLBACK TO SAVEPOINT kit_look", "RELEASE SAVEPOINT kit_look"]
    for step in [*before, f"SET LOCAL lock_timeout = {LONGEST_WAIT_MS}"]:
        ask(step)
    try:
        return _look(ask, only)
    finally:
        for step in after:
            ask(step)


def _look(ask: Ask, only: Sequence[str]) -> dict[str, Content]:
    found: dict[str, Content] = {}
    for (told,) in ask(_TABLES):
        table = json.loads(told or "{}")
        schema, name = table["schema"], table["name"]
        title = name if schema == "public" else f"{schema}.{name}"
        if not only or title in only:
            found[title] = _content(ask, table)
    if missing := sorted(set(only) - set(found)):
        msg = f"There is no table {missing[0]} here."
        raise CannotLook(msg)
    return found


def _content(ask: Ask, table: Mapping[str, Any]) -> Content:
    name = sql.Identifier(table["schema"], table["name"])
    names, types = tuple(table["names"]), table["types"] or {}
    some = sql.SQL("SELECT to_json(t) FROM {} t LIMIT {}").format(name, MOST_ROWS + 1)
    read = ask(some.as_string())
    if len(read) > MOST_ROWS:
        [[count]] = ask(sql.SQL("SELECT count(*) FROM {}").format(name).as_string())
        return Content(names, types, int(count or 0), None)
    rows: dict[Key, Row] = {}
    for (text,) in read:
        row = json.loads(text or "{}", parse_float=str)
        by = table["key"] or list(row)
        key = tuple(str(row[column]) for column in by)
        while key in rows:  # without a primary key two rows may be alike
            key = (*key, "again")
        rows[key] = row
    return Content(names, types, len(rows), rows)


def changes(before: Mapping[str, Content], after: Mapping[str, Content]) -> list[Change]:
    """What differs, by table and in the order in which the rows are called."""
    found: list[Change] = []
    for table in [*after, *(name for name in before if name not in after)]:
        old, new = before.get(table), after.get(table)
        content = new or old
        assert content is not None
        if (old and old.rows is None) or (new and new.rows is None):
            counts = (old.count if old else 0, new.count if new else 0)
            if counts[0] != counts[1]:
                found.append(Change(table, None, None, None, content, counts))
            continue
        was = dict(old.rows or {}) if old else {}
        now = dict(new.rows or {}) if new else {}
        those = [
            Change(table, key, was.get(key), now.get(key), content)
            for key in {**was, **now}
            if was.get(key) != now.get(key)
        ]
        found += sorted(those, key=title)
    return found


def title(change: Change) -> str:
    """What a row is called: by a column that is unique, else by its columns that are no ids."""
    row = change.after or change.before
    if row is None:
        return "(all rows)"
    content = change.content
    for name in (*content.names, "title", "name", "label"):
        if isinstance(row.get(name), str) and row[name]:
            return str(row[name])
    plain = [f"{name} = {_short(row[name])}" for name in row if _is_plain(row, name, content)]
    return ", ".join(plain[:3]) or "a row"


def told(change: Change | None) -> str:
    """What became of a row, in words; ids and times that differ from run to run are not in them."""
    if change is None:
        return "as before"
    if change.key is None:
        return f"{change.counts[0]:,} → {change.counts[1]:,} rows"
    if change.before is None:
        return "new row"
    if change.after is None:
        return "row is gone"
    parts = []
    for name, value in change.after.items():
        if value != (old := change.before.get(name)):
            if _differs_each_time(change.content.types.get(name, "")):
                parts.append(f"{name}: another value")
            else:
                parts.append(f"{name}: {_short(old)} → {_short(value)}")
    return "; ".join(parts)


def _differs_each_time(kind: str) -> bool:
    return kind == "uuid" or kind.startswith(("timestamp", "time"))


def _is_plain(row: Row, name: str, content: Content) -> bool:
    return row[name] is not None and not _differs_each_time(content.types.get(name, ""))


def _short(value: object) -> str:
    text = "NULL" if value is None else value if isinstance(value, str) else json.dumps(value)
    return text if len(text) <= 40 else text[:39] + "…"
