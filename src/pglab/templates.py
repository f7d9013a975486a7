"""Template databases, made once for each schema, by one process while the others wait."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from contextlib import suppress

import psycopg
from psycopg import sql

from pglab.databases import drop_database, terminate_sessions
from pglab.servers.server import Server, connect
from pglab.speaking import doing

__all__ = ["KEPT_DAYS", "drop_stale_templates", "make_template"]

_TEMPLATES = 0x6B6975
"""First key of the templates' advisory locks (after those of the owners)."""
_BASE = "what every other template is made from"
"""Its key."""
KEPT_DAYS = 30
"""Days that a template is kept after its last use."""


def make_template(
    server: Server, prefix: str, key: str, build: Callable[[str], None], *, strategy: str
) -> str:
    """The name of the template of a key, built if it is not there; see ``Scratch.template``.

    Args:
        strategy: of CREATE DATABASE: ``FILE_COPY`` or ``WAL_LOG``.

    A template is whole when it is marked ``IS_TEMPLATE``, which is the last thing that happens to
    it; then nobody can connect to it any more. The comment says on which day it was used last.
    """

    def base() -> str:
        return _make(server, prefix, _BASE, _compact, source=lambda: "template0", strategy=strategy)

    return _make(server, prefix, key, build, source=base, strategy=strategy)


def _make(
    server: Server,
    prefix: str,
    key: str,
    build: Callable[[str], None],
    *,
    source: Callable[[], str],
    strategy: str,
) -> str:
    """Make a template like another, which is asked for only if the template is not there."""
    name = f"{prefix}_t_{hashlib.sha256(key.encode()).hexdigest()[:24]}"
    # A connection of its own, because waiting for the lock would block all other threads.
    with doing(f"making the template {name}"):
        connection = connect(server.admin_url)
    with connection:
        with doing(f"making the template {name}"):
            missing = not _is_whole(connection, name)
            if missing:
                _lock(connection, name)
                missing = not _is_whole(connection, name)
        if missing:
            _build(connection, server, name, build, source=source(), strategy=strategy)
        with doing(f"using the template {name}"):
            _note_use(connection, name)
    return name


def drop_stale_templates(connection: psycopg.Connection, prefix: str) -> list[str]:
    """Drop the templates that nobody has used for ``KEPT_DAYS``; their names."""
    rows = connection.execute(
        """
        SELECT datname FROM pg_database
        WHERE datname ~ %s
          AND shobj_description(oid, 'pg_database') ~ '^used \\d{4}-\\d\\d-\\d\\d$'
          AND current_date - right(shobj_description(oid, 'pg_database'), 10)::date > %s
        """,
        (f"^{prefix}_t_[0-9a-f]{{24}}$", KEPT_DAYS),
    ).fetchall()
    for (name,) in rows:
        _lock(connection, name)
        drop_database(connection, name)
        connection.execute("SELECT pg_advisory_unlock_all()")
    return [name for (name,) in rows]


def _lock(connection: psycopg.Connection, name: str) -> None:
    number = int.from_bytes(hashlib.sha256(name.encode()).digest()[:4], "big", signed=True)
    connection.execute("SELECT pg_advisory_lock(%s, %s)", (_TEMPLATES, number))


def _is_whole(connection: psycopg.Connection, name: str) -> bool:
    row = connection.execute(
        "SELECT datistemplate FROM pg_database WHERE datname = %s", (name,)
    ).fetchone()
    return bool(row and row[0])


def _build(
    connection: psycopg.Connection,
    server: Server,
    name: str,
    build: Callable[[str], None],
    *,
    source: str,
    strategy: str,
) -> None:
    database = sql.Identifier(name)
    try:
        with doing(f"making the template {name}"):
            drop_database(connection, name)  # what a killed builder left half made
            create = sql.SQL("CREATE DATABASE {} TEMPLATE {} ENCODING 'UTF8' STRATEGY {}")
            connection.execute(create.format(database, sql.Identifier(source), sql.SQL(strategy)))
            close = sql.SQL("REVOKE CONNECT ON DATABASE {} FROM PUBLIC")
            connection.execute(close.format(database))
        build(server.url(name))  # its errors are its author's
        with doing(f"making the template {name}"):
            # The last connection leaves a file of the catalog (pg_internal.init) that clones then
            # have: the first connection to each takes about half the time.
            connect(server.url(name)).close()
            terminate_sessions(connection, name)
            whole = sql.SQL("ALTER DATABASE {} IS_TEMPLATE true ALLOW_CONNECTIONS false")
            connection.execute(whole.format(database))
    except BaseException:
        with suppress(psycopg.Error):  # the first error is the one to tell
            drop_database(connection, name)
        raise


def _compact(url: str) -> None:
    """Write the catalog anew, without what only vacuum wants: a sixth less to clone and to drop.

    A new catalog has a map of free space and one of visible pages beside each of its tables, a
    quarter of all files. Catalogs that databases share are left alone, because others use them.
    """
    with connect(url) as connection:
        tables = connection.execute(
            "SELECT oid::regclass::text FROM pg_class WHERE relkind = 'r' AND NOT relisshared"
        ).fetchall()
        for (table,) in tables:
            connection.execute(sql.SQL("VACUUM (FULL) {}").format(sql.SQL(table)))


def _note_use(connection: psycopg.Connection, name: str) -> None:
    row = connection.execute(
        "SELECT format('used %%s', current_date), shobj_description(oid, 'pg_database') "
        "FROM pg_database WHERE datname = %s",
        (name,),
    ).fetchone()
    if row is not None and row[0] != row[1]:
        comment = sql.SQL("COMMENT ON DATABASE {} IS {}")
        connection.execute(comment.format(sql.Identifier(name), sql.Literal(row[0])))
