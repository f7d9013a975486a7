"""``%locks``: who holds which lock, who waits for one, and for whom.

Source: PostgreSQL manual, "pg_locks" and "Explicit Locking".
"""

from __future__ import annotations

from typing import Any

from kit.notebook import places
from kit.notebook.showing import Shown, framed, table
from kit.notebook.traffic import KITS_OWN

_QUERY = """
SELECT coalesce(nullif(a.application_name, ''), 'a session without a name'), l.granted,
    CASE l.locktype
        WHEN 'relation' THEN CASE WHEN c.oid IS NULL THEN 'a new table, not committed yet' ELSE
            CASE c.relkind WHEN 'S' THEN 'sequence ' WHEN 'v' THEN 'view '
            WHEN 'm' THEN 'materialized view ' ELSE 'table ' END || l.relation::regclass END
        WHEN 'tuple' THEN 'a row of ' || l.relation::regclass
        WHEN 'transactionid' THEN 'the transaction of ' || coalesce(nullif((
            SELECT o.application_name FROM pg_locks h JOIN pg_stat_activity o USING (pid)
            WHERE h.locktype = 'transactionid' AND h.transactionid = l.transactionid
                AND h.granted LIMIT 1), ''), 'another session')
        WHEN 'advisory' THEN 'advisory lock ' || l.classid || ', ' || l.objid
        ELSE l.locktype
    END,
    l.mode,
    (SELECT string_agg(DISTINCT coalesce(nullif(b.application_name, ''), 'another session'), ', ')
        FROM pg_stat_activity b WHERE NOT l.granted AND b.pid = ANY (pg_blocking_pids(l.pid)))
FROM pg_locks l JOIN pg_stat_activity a USING (pid) LEFT JOIN pg_class c ON c.oid = l.relation
WHERE a.datname = current_database() AND a.application_name <> %s
    AND l.locktype <> 'virtualxid'
    AND (l.locktype <> 'transactionid' OR NOT l.granted)
    AND l.locktype <> 'object'
    AND (l.relation IS NULL OR c.oid IS NULL OR c.relkind NOT IN ('i', 'I', 't')
        AND c.relnamespace <> 'pg_catalog'::regnamespace)
ORDER BY 1, l.granted DESC, 3, 4
"""

# From the weakest to the strongest.
_MEANS = {
    "SIReadLock": "has read it, in a serializable transaction; makes nobody wait",
    "AccessShareLock": "reads",
    "RowShareLock": "locks rows: SELECT … FOR UPDATE or SHARE, or a foreign key",
    "RowExclusiveLock": "writes rows",
    "ShareUpdateExclusiveLock": "VACUUM, ANALYZE, CREATE INDEX CONCURRENTLY",
    "ShareLock": "lets nobody write; in a wait for a transaction: until it ends",
    "ShareRowExclusiveLock": "lets nobody write, nor lock like this",
    "ExclusiveLock": "lets others only read; of a row: about to change it",
    "AccessExclusiveLock": "lets nobody read or write: ALTER, DROP, TRUNCATE",
}


def locks(on: Any = None) -> Shown:
    """The locks of all sessions on a database, and what the strongest on each thing means.

    Those on indexes are left out: who uses a table locks its indexes in the same way.

    Args:
        on: the database, as `kit.notebook.places.url_of` takes it; left out, the one in use.
    """
    with places.watcher(on) as connection:
        found = connection.execute(_QUERY, [KITS_OWN.decode()]).fetchall()
    if not found:
        text = "No session holds a lock on a table, and none waits."
        return Shown(text, framed("verdict", f"<p>{text}</p>"))
    modes: dict[tuple[str, str, str], list[str]] = {}
    for session, granted, what, mode, whom in found:
        does = "holds" if granted else f"‖ waits for {whom or 'another session'}"
        those = modes.setdefault((session, does, what), [])
        those += [mode] * (mode not in those)
    rows = [(*key, *_told(those)) for key, those in modes.items()]
    columns = ("session", "", "on", "mode", "which means")
    return table(rows, columns, "Locks")


def _told(modes: list[str]) -> tuple[str, str]:
    """The modes of the locks on one thing, and what the strongest of them means."""
    ordered = sorted(modes, key=lambda mode: list(_MEANS).index(mode))
    return ", ".join(mode.removesuffix("Lock") for mode in ordered), _MEANS[ordered[-1]]
