"""How large the tables are, how much of that is waste, and which of them want a vacuum.

Source: PostgreSQL manual, chapter 24, Routine Database Maintenance Tasks.
"""

from dataclasses import dataclass

from sqlalchemy import Connection, text

MUCH_WASTE = 0.3  # of a table's bytes
WORTH_IT = 10_000_000  # bytes; less waste is not worth anybody's time
OLD = 0.8  # of the age at which PostgreSQL freezes a table by force


@dataclass(frozen=True)
class TableSize:
    """A table's size in bytes, and an estimate of what a rewrite would give back."""

    table: str
    rows: int  # as the server estimates it
    table_bytes: int
    index_bytes: int
    wasted_bytes: int

    @property
    def is_bloated(self) -> bool:
        """Whether so much is wasted that a rewrite is worth the trouble."""
        return self.wasted_bytes > max(WORTH_IT, MUCH_WASTE * self.table_bytes)


@dataclass(frozen=True)
class Vacuum:
    """What a table wants, and why."""

    table: str
    command: str
    reason: str


def sizes(connection: Connection) -> list[TableSize]:
    """Return the size of every table, the largest first.

    The waste is what the table has beyond its rows at their average width, as ANALYZE has seen
    them. Of a table that was never analyzed it is unknown, and counted as 0.
    """
    return [TableSize(*row) for row in connection.execute(text(_SIZES))]


def database_bytes(connection: Connection) -> int:
    """Return the size of the whole database."""
    size: int = connection.scalar(text("SELECT pg_database_size(current_database())"))
    return size


def vacuum_advice(connection: Connection) -> list[Vacuum]:
    """Return which tables autovacuum should have seen to by now, and has not.

    The thresholds are those of the server's own settings. If a table stays on this list,
    autovacuum is off, too slow, or held up by a transaction that never ends.
    """
    advice = []
    for row in connection.execute(text(_VACUUM)):
        if row.age > OLD * row.freeze_age:
            reason = f"Its oldest row is {row.age:,} transactions old."
            advice.append(Vacuum(row.table, "VACUUM (FREEZE)", reason))
        elif row.dead > row.vacuum_threshold:
            reason = f"{row.dead:,} dead rows beside {row.live:,} live ones."
            advice.append(Vacuum(row.table, "VACUUM (ANALYZE)", reason))
        elif row.changed > row.analyze_threshold:
            reason = f"{row.changed:,} rows have changed since the planner's figures were made."
            advice.append(Vacuum(row.table, "ANALYZE", reason))
    return advice


# 24 bytes of header and 4 of line pointer a row; rows are aligned to 8 bytes.
_SIZES = """
WITH width AS (
    SELECT tablename, sum((1 - null_frac) * avg_width) AS bytes
      FROM pg_stats WHERE schemaname = current_schema() GROUP BY tablename
)
SELECT c.relname, greatest(c.reltuples, 0)::bigint, pg_relation_size(c.oid),
       pg_indexes_size(c.oid),
       coalesce(greatest(pg_relation_size(c.oid)
           - c.reltuples * (28 + 8 * ceil(w.bytes / 8)) * 8192 / 8168, 0), 0)::bigint
  FROM pg_class c LEFT JOIN width w ON w.tablename = c.relname
 WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'm')
 ORDER BY pg_total_relation_size(c.oid) DESC, c.relname
"""

_VACUUM = """
SELECT c.relname AS table, s.n_dead_tup AS dead, s.n_live_tup AS live,
       s.n_mod_since_analyze AS changed, age(c.relfrozenxid) AS age,
       current_setting('autovacuum_freeze_max_age')::bigint AS freeze_age,
       current_setting('autovacuum_vacuum_threshold')::float
           + current_setting('autovacuum_vacuum_scale_factor')::float
           * greatest(c.reltuples, 0) AS vacuum_threshold,
       current_setting('autovacuum_analyze_threshold')::float
           + current_setting('autovacuum_analyze_scale_factor')::float
           * greatest(c.reltuples, 0) AS analyze_threshold
  FROM pg_stat_user_tables s JOIN pg_class c ON c.oid = s.relid
 WHERE s.schemaname = current_schema()
 ORDER BY s.n_dead_tup DESC, c.relname
"""
