"""Databases made like a template, opened to one role, and dropped whoever is connected."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import psycopg
from psycopg import sql

from pglab.roles import Role
from pglab.urls import with_database

__all__ = [
    "Database",
    "create_clone",
    "drop_database",
    "open_clone",
    "shut_out",
    "terminate_sessions",
]


@dataclass(frozen=True)
class Database:
    """A clone: a database of one's own."""

    name: str
    url: str = field(repr=False)
    """libpq URI of the admin role."""
    _drop: Callable[[str], None] = field(repr=False, compare=False)

    def url_for(self, role: Role) -> str:
        """libpq URI of a role that was granted this database."""
        return with_database(self.url, self.name, role.name, role.password)

    def drop(self) -> None:
        """End all its sessions and drop it; safe to call twice."""
        self._drop(self.name)


def create_clone(connection: psycopg.Connection, name: str, template: str, strategy: str) -> None:
    """Make a database like a template; nobody can enter it yet.

    Args:
        strategy: ``FILE_COPY`` or ``WAL_LOG`` (manual, "CREATE DATABASE").
    """
    create = sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY {} ALLOW_CONNECTIONS false")
    connection.execute(
        create.format(sql.Identifier(name), sql.Identifier(template), sql.Identifier(strategy))
    )


def open_clone(connection: psycopg.Connection, name: str, grantees: Sequence[str]) -> None:
    """Let the grantees in, and nobody else; in one round trip, so that nobody slips in before."""
    database = sql.Identifier(name)
    steps: list[sql.Composable] = [
        sql.SQL("REVOKE CONNECT ON DATABASE {} FROM PUBLIC").format(database)
    ]
    if grantees:
        roles = sql.SQL(", ").join(map(sql.Identifier, grantees))
        steps.append(sql.SQL("GRANT CONNECT ON DATABASE {} TO {}").format(database, roles))
    steps.append(sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS true").format(database))
    connection.execute(sql.SQL("; ").join(steps))


def shut_out(connection: psycopg.Connection, name: str) -> None:
    """End the sessions of all but the admin role in a database, and let nobody of them back."""
    rows = connection.execute(
        "SELECT DISTINCT r.rolname FROM pg_database d, aclexplode(d.datacl) acl "
        "JOIN pg_roles r ON r.oid = acl.grantee "
        "WHERE d.datname = %s AND acl.privilege_type = 'CONNECT' AND acl.grantee <> d.datdba",
        (name,),
    ).fetchall()
    for (grantee,) in rows:
        revoke = sql.SQL("REVOKE CONNECT ON DATABASE {} FROM {}")
        connection.execute(revoke.format(sql.Identifier(name), sql.Identifier(grantee)))
    connection.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
        "WHERE datname = %s AND usename <> current_user",
        (name,),
    )


def terminate_sessions(connection: psycopg.Connection, name: str, patience_s: float = 5) -> None:
    """End all other sessions of a database and wait until they are gone, looking each ms."""
    deadline = time.monotonic() + patience_s
    query = (
        "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity "
        "WHERE datname = %s AND pid <> pg_backend_pid()"
    )
    while True:
        row = connection.execute(query, (name,)).fetchone()
        if not row or row[0] == 0 or time.monotonic() > deadline:
            return
        time.sleep(0.001)


def drop_database(connection: psycopg.Connection, name: str) -> None:
    """Drop a database: nobody may enter, all must leave, then it goes; safe when it is gone.

    DROP DATABASE with sessions open, also with FORCE, may wait 100 ms before it looks again; ending
    them first and looking each millisecond does not.
    """
    row = connection.execute(
        "SELECT datistemplate, datallowconn FROM pg_database WHERE datname = %s", (name,)
    ).fetchone()
    if row is None:
        return
    database = sql.Identifier(name)
    if any(row):
        close = sql.SQL("ALTER DATABASE {} IS_TEMPLATE false ALLOW_CONNECTIONS false")
        connection.execute(close.format(database))
        terminate_sessions(connection, name)
    try:
        connection.execute(sql.SQL("DROP DATABASE IF EXISTS {}").format(database))
    except psycopg.errors.ObjectInUse:
        connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(database))
