"""Indexes that nobody uses, that another one makes needless, that are missing, or broken.

Source: PostgreSQL manual, chapters 27.2 (the cumulative statistics) and 52 (the system catalogs).
"""

from dataclasses import dataclass

from sqlalchemy import Connection, text

LARGE = 10_000  # rows; below that, reading the whole table is often the best plan


ENOUGH_USE = 1_000  # transactions, and uses of indexes that are there for queries alone


@dataclass(frozen=True)
class IndexFinding:
    """An index, or the place where one is missing, and why it is worth a look."""

    table: str
    index: str | None
    reason: str


def unused(connection: Connection) -> list[IndexFinding]:
    """Return the indexes that no query has used since the statistics began.

    Those behind a constraint are left out: they work at every write. Before you drop one, ask
    whether the statistics have seen a whole month, and every replica's queries.
    """
    rows = connection.execute(text(_UNUSED))
    return [
        IndexFinding(row.table, row.name, f"No query has used it since {row.since}; {row.size}.")
        for row in rows
    ]


def has_been_used(connection: Connection) -> bool:
    """Return whether enough was asked since the statistics began to call an index unused.

    Where next to nothing was asked, next to no index was used: that says nothing about them.
    """
    use = connection.execute(text(_USE)).one()
    return bool(min(use.transactions, use.index_scans) >= ENOUGH_USE)


def redundant(connection: Connection) -> list[IndexFinding]:
    """Return the indexes whose columns are the first columns of another one.

    The longer index answers all that the shorter one does. Unique ones are left out: they forbid
    what a longer one allows.
    """
    rows = connection.execute(text(_REDUNDANT))
    return [
        IndexFinding(row.table, row.name, f"{row.other} begins with the same columns.")
        for row in rows
    ]


def missing(connection: Connection) -> list[IndexFinding]:
    """Return where an index is missing.

    Behind every foreign key: without one, each DELETE of a parent reads the whole child table. And
    on large tables that are mostly read from one end to the other.
    """
    keys = [
        IndexFinding(
            row.table, None, f"No index begins with a column of the foreign key {row.name}."
        )
        for row in connection.execute(text(_FOREIGN_KEYS_WITHOUT_INDEX))
    ]
    scans = [
        IndexFinding(
            row.table,
            None,
            f"Read from one end to the other {row.seq_scan} times, {row.rows} rows each time.",
        )
        for row in connection.execute(text(_SCANNED), {"large": LARGE})
    ]
    return keys + scans


def invalid(connection: Connection) -> list[IndexFinding]:
    """Return the indexes that a CREATE INDEX CONCURRENTLY left behind when it failed.

    They cost every write and answer no query. Drop them, and try again.
    """
    rows = connection.execute(text(_INVALID))
    return [IndexFinding(row.table, row.name, "It was never finished.") for row in rows]


_UNUSED = """
SELECT s.relname AS table, s.indexrelname AS name,
       pg_size_pretty(pg_relation_size(s.indexrelid)) AS size,
       coalesce(to_char(d.stats_reset, 'YYYY-MM-DD'), 'the beginning') AS since
  FROM pg_stat_user_indexes s
  JOIN pg_index i ON i.indexrelid = s.indexrelid
  JOIN pg_stat_database d ON d.datname = current_database()
 WHERE s.schemaname = current_schema() AND s.idx_scan = 0 AND NOT i.indisunique
   AND NOT EXISTS (SELECT FROM pg_constraint c WHERE c.conindid = s.indexrelid)
 ORDER BY pg_relation_size(s.indexrelid) DESC, s.indexrelname
"""

# Not of unique indexes: every row that is written looks something up in one of those.
_USE = """
SELECT (SELECT xact_commit FROM pg_stat_database WHERE datname = current_database())
       AS transactions,
       (SELECT coalesce(sum(s.idx_scan), 0)
          FROM pg_stat_user_indexes s JOIN pg_index i USING (indexrelid)
         WHERE s.schemaname = current_schema() AND NOT i.indisunique) AS index_scans
"""

# Columns, operator classes and sort orders of the shorter one must be the first of the longer one;
# method and predicate must be the same. Of two that are equal, the younger one is redundant.
_REDUNDANT = """
SELECT a.indrelid::regclass::text AS table, ca.relname AS name, cb.relname AS other
  FROM pg_index a
  JOIN pg_class ca ON ca.oid = a.indexrelid
  JOIN pg_index b ON b.indrelid = a.indrelid AND b.indexrelid <> a.indexrelid
  JOIN pg_class cb ON cb.oid = b.indexrelid AND cb.relam = ca.relam
 WHERE ca.relnamespace = current_schema()::regnamespace
   AND NOT a.indisunique AND a.indexprs IS NULL AND b.indexprs IS NULL
   AND a.indnatts = a.indnkeyatts AND b.indisvalid
   AND pg_get_expr(a.indpred, a.indrelid) IS NOT DISTINCT FROM pg_get_expr(b.indpred, b.indrelid)
   AND (b.indkey::text || ' ') LIKE (a.indkey::text || ' %')
   AND (b.indclass::text || ' ') LIKE (a.indclass::text || ' %')
   AND (b.indoption::text || ' ') LIKE (a.indoption::text || ' %')
   AND (b.indisunique OR b.indkey::text <> a.indkey::text OR b.indexrelid < a.indexrelid)
 ORDER BY 1, 2, 3
"""

_FOREIGN_KEYS_WITHOUT_INDEX = """
SELECT c.conrelid::regclass::text AS table, c.conname AS name
  FROM pg_constraint c
 WHERE c.contype = 'f' AND c.connamespace = current_schema()::regnamespace
   AND NOT EXISTS (
       SELECT FROM pg_index i
        WHERE i.indrelid = c.conrelid AND i.indisvalid AND i.indpred IS NULL
          AND i.indkey[0] = ANY (c.conkey))
 ORDER BY 1, 2
"""

_SCANNED = """
SELECT relname AS table, seq_scan, n_live_tup AS rows
  FROM pg_stat_user_tables
 WHERE schemaname = current_schema() AND n_live_tup > :large
   AND seq_scan > 10 AND seq_scan > coalesce(idx_scan, 0)
 ORDER BY seq_tup_read DESC
"""

_INVALID = """
SELECT i.indrelid::regclass::text AS table, c.relname AS name
  FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
 WHERE c.relnamespace = current_schema()::regnamespace AND NOT i.indisvalid
 ORDER BY 1, 2
"""
