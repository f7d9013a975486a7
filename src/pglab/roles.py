"""Login roles made for one submission each, with as few rights as PostgreSQL knows."""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import dataclass, field

import psycopg
from psycopg import sql

from pglab.passwords import scram_verifier
from pglab.servers.server import Server, connect

__all__ = ["Role", "create_group", "create_role", "drop_role"]

_DROP_S = 5.0


@dataclass(frozen=True)
class Role:
    """A login role."""

    name: str
    password: str = field(repr=False)


def create_role(
    connection: psycopg.Connection,
    role: Role,
    *,
    member_of: str | None,
    connection_limit: int,
    settings: dict[str, str],
) -> None:
    """Make a role that can do nothing but log in, with defaults of its own; in one round trip."""
    name = sql.Identifier(role.name)
    create = sql.SQL(
        "CREATE ROLE {} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS "
        "CONNECTION LIMIT {} PASSWORD {}"
    ).format(name, sql.Literal(connection_limit), sql.Literal(scram_verifier(role.password)))
    if member_of is not None:
        create += sql.SQL(" IN ROLE {}").format(sql.Identifier(member_of))
    steps = [create]
    for setting, value in settings.items():
        alter = sql.SQL("ALTER ROLE {} SET {} = {}")
        steps.append(alter.format(name, sql.Identifier(setting), sql.Literal(value)))
    connection.execute(sql.SQL("; ").join(steps))


def create_group(connection: psycopg.Connection, name: str) -> None:
    """Make a NOLOGIN role for others to be members of, unless there is one."""
    with suppress(
        psycopg.errors.DuplicateObject,
        psycopg.errors.UniqueViolation,  # made by another process at the same moment
        psycopg.errors.ReservedName,  # one of PostgreSQL's own, such as pg_read_all_data
    ):
        connection.execute(sql.SQL("CREATE ROLE {} NOLOGIN").format(sql.Identifier(name)))


def drop_role(connection: psycopg.Connection, server: Server, name: str) -> None:
    """Drop a role, and first what it owns or was granted anywhere; safe when it is gone."""
    role = sql.Identifier(name)
    drop = sql.SQL("DROP OWNED BY {role}; DROP ROLE {role}").format(role=role)
    deadline = time.monotonic() + _DROP_S
    while True:
        try:
            connection.execute(drop)
            return
        except psycopg.errors.UndefinedObject:
            return
        except psycopg.errors.InsufficientPrivilege:
            # Not a superuser: it made the role, so it may join it, and then drop what is its.
            connection.execute(sql.SQL("GRANT {} TO CURRENT_USER").format(role))
        except psycopg.errors.DependentObjectsStillExist:
            if time.monotonic() > deadline:
                raise
            _drop_owned(connection, server, name)
            time.sleep(0.002)


def _drop_owned(connection: psycopg.Connection, server: Server, name: str) -> None:
    """Drop what a role owns inside the databases that are still there."""
    databases = connection.execute(
        "SELECT DISTINCT d.datname FROM pg_shdepend s JOIN pg_database d ON d.oid = s.dbid "
        "JOIN pg_roles r ON r.oid = s.refobjid AND s.refclassid = 'pg_authid'::regclass "
        "WHERE r.rolname = %s AND d.datallowconn",
        (name,),
    ).fetchall()
    for (database,) in databases:
        # It may be dropped meanwhile.
        with suppress(psycopg.OperationalError), connect(server.url(database)) as inside:
            inside.execute(sql.SQL("DROP OWNED BY {}").format(sql.Identifier(name)))
