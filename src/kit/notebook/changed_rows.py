"""``%rows``: which rows have come, gone and changed since the last look, and who sees that."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import psycopg
from psycopg import pq
from sqlalchemy import Connection
from sqlalchemy.orm import Session

from kit.notebook import places
from kit.notebook.contents import CannotLook, Change, Content, changes, look, title, told
from kit.notebook.errors import NotebookError
from kit.notebook.showing import Shown, framed, table

MOST_SHOWN = 40
"""Rows of the table that is shown."""

_looks: dict[places.Where, dict[str, Content]] = {}
"""What everybody saw at the last look, by database."""


def remember(place: Any = None) -> None:
    """Take what everybody sees now as what it is compared with next time."""
    with places.watcher(place) as watching:
        _looks[places.where(watching)] = look(watching.pgconn)


def forget() -> None:
    """Forget every look."""
    _looks.clear()


def changed_rows(
    *tables: str, inside: Any = None, called: str = "the session", on: Any = None
) -> Shown:
    """What has changed since the last look at this database; the first look only remembers.

    Args:
        tables: look at these alone.
        inside: a session or connection whose open transaction is asked as well.
        called: what it is called.
        on: a database, as `kit.notebook.places.url_of` takes it; left out, that of ``inside``, or
            the one in use.

    Raises:
        CannotLook: there is no such table, or the transaction of ``inside`` cannot be asked.
    """
    place = inside if on is None and inside is not None else on
    url = places.url_of(getattr(place, "connection", place) if _is_staged(place) else place)
    before, everybody = _look_again(url)
    missing = sorted(set(tables) - set(everybody) - set(before or {}))
    if missing and inside is None:
        msg = f"There is no table {missing[0]} here."
        raise CannotLook(msg)
    if before is None and inside is None:
        text = "Remembered. Change something, and write %rows again."
        return Shown(text, framed("verdict", f"<p>{text}</p>"))
    before = everybody if before is None else before
    for_all = _by_row(changes(before, everybody), tables)
    if inside is None:
        return _shown([[*key, told(change)] for key, change in for_all.items()], "everybody sees")
    within = _by_row(changes(before, _seen_by(inside, everybody)), tables)
    rows = [[*key, told(within.get(key)), told(for_all.get(key))] for key in {**within, **for_all}]
    return _shown(rows, f"{called} sees", "every other session sees")


def changes_for_all() -> Shown | None:
    """What has changed in the database in use; None where nothing has, or it was not looked at."""
    before, everybody = _look_again(places.url_of())
    if before is None:
        return None
    rows = _by_row(changes(before, everybody), ())
    if not rows:
        return None
    return _shown([[*key, told(change)] for key, change in rows.items()], "everybody sees")


def _look_again(url: str) -> tuple[dict[str, Content] | None, dict[str, Content]]:
    """What everybody saw at the last look, and sees now."""
    with places.watcher(url) as watching:
        everybody = look(watching.pgconn)
        where = places.where(watching)
    before, _looks[where] = _looks.get(where), everybody
    return before, everybody


def _by_row(found: Sequence[Change], tables: Sequence[str]) -> dict[tuple[str, str], Change]:
    """Changes by what they are shown as; several rows of one name are numbered."""
    named: dict[tuple[str, str], Change] = {}
    for change in found:
        if tables and change.table not in tables:
            continue
        name, number = title(change), 1
        while (change.table, name) in named:
            number += 1
            name = f"{title(change)} ({number})"
        named[change.table, name] = change
    return named


def _shown(rows: list[list[str]], *columns: str) -> Shown:
    if not rows:
        text = "No row has changed."
        return Shown(text, framed("verdict", f"<p>{text}</p>"))
    more = len(rows) - MOST_SHOWN
    caption = "Rows that have changed" + (f" (and {more:,} more)" if more > 0 else "")
    return table(rows[:MOST_SHOWN], ("table", "row", *columns), caption)


def _is_staged(place: Any) -> bool:
    """Whether it is a session of `pglab.sessions`."""
    return isinstance(getattr(place, "connection", None), psycopg.Connection)


def _seen_by(inside: Any, everybody: dict[str, Content]) -> dict[str, Content]:
    """What a session sees; without an open transaction, what everybody does."""
    connection = _psycopg_of(inside)
    if connection is None or connection.pgconn.transaction_status == pq.TransactionStatus.IDLE:
        return everybody
    return look(connection.pgconn)


def _psycopg_of(inside: Any) -> psycopg.Connection[Any] | None:
    if isinstance(inside, psycopg.Connection):
        return inside
    if _is_staged(inside):
        found: psycopg.Connection[Any] = inside.connection
        return found
    if isinstance(inside, Session):
        if not inside.in_transaction():
            return None
        inside = inside.connection()
    if isinstance(inside, Connection):
        driver: psycopg.Connection[Any] | None = inside.connection.driver_connection
        return driver
    msg = f"--in takes a session or a connection, not {type(inside).__name__}."
    raise NotebookError(msg)
