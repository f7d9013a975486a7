"""The planner's statistics: made anew, and before that, whether those in a clone are still those of
its template, and of the rows that it holds now. Then ANALYZE would find the same again, and that
takes ten times as long as to ask.

A row carries the number of the transaction that wrote it, and so do statistics, which are rows of
the catalog. So rows that were stored or changed later are told by their numbers, and rows that are
gone by counting. Statistics that are younger than the clone are not trusted: who owns a table can
write what he likes into them.

Source: PostgreSQL manual, "pg_statistic", "System Columns" and "Statistics Manipulation Functions".
"""

from __future__ import annotations

from typing import Any

import psycopg
from psycopg import sql
from psycopg.rows import dict_row, scalar_row

__all__ = ["are_current", "refresh"]

_VACUUMS = 8
"""How often, at most, until every page is noted as one that everybody can see."""
_ALL_VISIBLE = "SELECT relallvisible >= relpages FROM pg_catalog.pg_class WHERE oid = %s::regclass"

_KNOWN = """
SELECT c.reltuples::bigint AS rows,
       (SELECT s.xmin::text FROM pg_catalog.pg_statistic s WHERE s.starelid = c.oid
        ORDER BY pg_catalog.age(s.xmin) DESC LIMIT 1) AS written,
       c.relkind = 'r' AND NOT c.relhassubclass
       AND NOT EXISTS (SELECT FROM pg_catalog.pg_statistic_ext e WHERE e.stxrelid = c.oid)
       AND NOT EXISTS (
           SELECT FROM pg_catalog.pg_attribute a
           LEFT JOIN pg_catalog.pg_statistic s ON s.starelid = c.oid AND s.staattnum = a.attnum
           WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
             AND (a.attstattarget >= 0 OR a.attoptions IS NOT NULL OR s.starelid IS NULL
                  OR pg_catalog.age(s.xmin) <= pg_catalog.age(d.xmin)))
       AND NOT EXISTS (
           SELECT FROM pg_catalog.pg_index i
           LEFT JOIN pg_catalog.pg_statistic s ON s.starelid = i.indexrelid
           WHERE i.indrelid = c.oid AND i.indexprs IS NOT NULL
             AND (s.starelid IS NULL
                  OR pg_catalog.age(s.xmin) <= pg_catalog.age(d.xmin))) AS whole
FROM pg_catalog.pg_class c, pg_catalog.pg_database d
WHERE c.oid = pg_catalog.to_regclass(%s) AND d.datname = pg_catalog.current_database()
"""
_LATER = """
SELECT pg_catalog.count(*) AS rows,
       pg_catalog.count(*) FILTER (
           WHERE pg_catalog.age(xmin) <= pg_catalog.age(%s::text::xid)) AS later
FROM {}
"""


def are_current(
    catalog: psycopg.Connection[Any], owner: psycopg.Connection[Any], table: sql.Identifier
) -> bool:
    """Whether a clone came with statistics for all columns of a table and all expressions of its
    indexes, made as usual, and no row of it was stored, changed or deleted since.

    Args:
        catalog: a session that may read ``pg_statistic``.
        owner: a session that may read the table.
        table: with its schema.

    Returns:
        False also where the table may not be read.
    """
    with catalog.cursor(row_factory=dict_row) as cursor:
        known = cursor.execute(_KNOWN, [table.as_string(catalog)]).fetchone()
    if known is None or not known["whole"] or known["written"] is None:
        return False
    try:
        with owner.cursor(row_factory=dict_row) as cursor:
            found = cursor.execute(sql.SQL(_LATER).format(table), [known["written"]]).fetchone()
    except psycopg.errors.InsufficientPrivilege:
        return False
    return bool(found and found["later"] == 0 and found["rows"] == known["rows"])


def refresh(
    owner: psycopg.Connection[Any], table: sql.Identifier, *, analyze: bool, vacuum: bool
) -> None:
    """Let the planner know what is in a table; nothing else does on a throw-away server.

    Args:
        owner: a session that may, and commits by itself.
        table: with its schema.
        analyze: whether its statistics are made anew.
        vacuum: whether it is noted which pages everybody can see.
    """
    # VACUUM notes no page whose rows' commit is not on disk yet, and a throw-away server does not
    # wait for that. That of ANALYZE is waited for, and with it all that were before. Commits of
    # others, in other databases too, can come between, for the server remembers one place in its
    # log for 32 transactions: then once more.
    owner.execute("SET synchronous_commit = on")
    for attempt in range(_VACUUMS):
        if attempt or analyze:
            owner.execute(sql.SQL("ANALYZE {}").format(table))
        if not vacuum:
            break
        owner.execute(sql.SQL("VACUUM {}").format(table))
        with owner.cursor(row_factory=scalar_row) as cursor:
            if cursor.execute(_ALL_VISIBLE, [table.as_string(owner)]).fetchone():
                break
    owner.execute("RESET synchronous_commit")
