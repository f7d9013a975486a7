"""How the server would run the statements of a receipt, asked with EXPLAIN.

The question goes over a connection of the kit's own, in a read-only transaction that is rolled
back, so it changes nothing and does not disturb a transaction of the cell. It therefore does not
see rows or tables that the cell has not committed, and the plan is that of now, not that of then.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

import psycopg
from psycopg import pq

from kit.notebook.traffic import KITS_OWN, Sent

EXPLAINABLE = frozenset(
    ("SELECT", "INSERT", "UPDATE", "DELETE", "MERGE", "WITH", "VALUES", "TABLE")
)
LONGEST_WAIT_MS = 2000


def explain(statements: Sequence[Sent]) -> dict[int, str]:
    """Plans by ``id`` of the statement, for those that read or write a table.

    A statement that cannot be explained (its table is gone, or not committed) has none.
    """
    asked = [s for s in statements if s.kind in EXPLAINABLE and not s.housekeeping]
    found: dict[int, str] = {}
    for peer, of_peer in groupby(asked, key=lambda sent: sent.peer):
        try:
            with psycopg.connect(
                **{key: value for key, value in peer._asdict().items() if value},
                autocommit=True,
                connect_timeout=2,
                application_name=KITS_OWN.decode(),
            ) as connection:
                connection.execute(f"SET statement_timeout = {LONGEST_WAIT_MS}")
                for sent in of_peer:
                    if plan := _plan(connection, sent):
                        found[id(sent)] = plan
        except psycopg.OperationalError:
            continue  # the server went away; the receipt is still true
    return found


def _plan(connection: psycopg.Connection, sent: Sent) -> str | None:
    query, parameters, types, formats = sent.encoded
    connection.execute("BEGIN READ ONLY")
    try:
        result = connection.pgconn.exec_params(
            b"EXPLAIN " + query, parameters, param_types=types, param_formats=formats
        )
    finally:
        connection.execute("ROLLBACK")
    if result.status != pq.ExecStatus.TUPLES_OK:
        return None
    lines = [(result.get_value(row, 0) or b"").decode() for row in range(result.ntuples)]
    # A plan without a table says nothing: SELECT 1, SHOW, a call of a function.
    return "\n".join(lines) if any(" on " in line for line in lines) else None
