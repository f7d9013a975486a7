"""Scratch databases: templates made once for each schema, clones in milliseconds, roles to match.

Everything that a process makes carries a number of its own in its name, ``kit_c_<owner>_<n>`` for
a clone and ``kit_r_<owner>_<n>`` for a role, and the process holds an advisory lock of that number
for as long as it lives. So whoever finds such a name can tell whether its owner is alive, on a
server shared by any number of machines. Templates, ``kit_t_<key>``, belong to nobody and stay.
"""

from __future__ import annotations

import hashlib
import itertools
import re
import secrets
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

import psycopg
from psycopg import sql

from pglab.clonepool import ClonePool
from pglab.errors import CapabilityMissing, ScratchError, ServerUnavailable
from pglab.passwords import new_password, scram_verifier
from pglab.servers.server import Capabilities, Server, capabilities_of, connect
from pglab.urls import with_database

__all__ = ["Database", "Role", "Scratch"]

_OWNERS, _TEMPLATES = 0x6B6974, 0x6B6975
"""First keys of the advisory locks (the letters "kit" and the next number)."""


@dataclass(frozen=True)
class Role:
    """A login role made for one submission."""

    name: str
    password: str = field(repr=False)


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
        """End all its connections and drop it; safe to call twice."""
        self._drop(self.name)


class Scratch:
    """Makes and drops databases and roles on a server; may be used by several threads."""

    def __init__(self, server: Server, *, prefix: str = "kit") -> None:
        if not re.fullmatch(r"[a-z][a-z0-9]{0,15}", prefix):
            raise ValueError(f"a prefix is 1 to 16 lower-case letters and digits, not {prefix!r}")
        self.server = server
        self._prefix = prefix
        self._owner = secrets.randbits(31)
        self._numbers = itertools.count(1)
        self._mutex = threading.Lock()
        self._groups: set[str] = set()
        self._connection = connect(server.admin_url)
        self.capabilities: Capabilities = capabilities_of(self._connection)
        if not self.capabilities.create_database:
            self._connection.close()
            raise CapabilityMissing(
                "The role of this database URL may not create databases, and every check needs "
                "one of its own. Let an administrator run: ALTER ROLE … CREATEDB CREATEROLE; or "
                "use the embedded server: --database embedded"
            )
        self._lock_owner()
        fsync = self._connection.execute("SHOW fsync").fetchone()
        # Copying files is quicker unless each copy has to reach the disk (bench/clones.py).
        self._strategy = "FILE_COPY" if fsync and fsync[0] == "off" else "WAL_LOG"

    # -- templates -------------------------------------------------------------------------

    def template(self, key: str, build: Callable[[str], None]) -> str:
        """The name of a template database, made once for each key by whoever comes first.

        Args:
            key: identifies the content, such as a hash of the schema's sources.
            build: fills the new database; gets its admin URL. If it raises, nothing stays.

        Returns:
            The template's name, for :meth:`clone` and :meth:`pool`.
        """
        digest = hashlib.sha256(key.encode()).digest()
        name = f"{self._prefix}_t_{digest.hex()[:24]}"
        if self._is_whole(self._connection, name):
            return name
        # A connection of its own, because waiting for the lock would block all other threads.
        with connect(self.server.admin_url) as connection:
            number = int.from_bytes(digest[:4], "big", signed=True)
            connection.execute("SELECT pg_advisory_lock(%s, %s)", (_TEMPLATES, number))
            if not self._is_whole(connection, name):
                self._build_template(connection, name, build)
        return name

    @staticmethod
    def _is_whole(connection: psycopg.Connection, name: str) -> bool:
        row = connection.execute(
            "SELECT datistemplate FROM pg_database WHERE datname = %s", (name,)
        ).fetchone()
        return bool(row and row[0])

    def _build_template(
        self, connection: psycopg.Connection, name: str, build: Callable[[str], None]
    ) -> None:
        drop_database(connection, name)  # what a killed builder left half made
        create = sql.SQL("CREATE DATABASE {} TEMPLATE template0 ENCODING 'UTF8'")
        connection.execute(create.format(sql.Identifier(name)))
        try:
            connection.execute(
                sql.SQL("REVOKE CONNECT ON DATABASE {} FROM PUBLIC").format(sql.Identifier(name))
            )
            build(self.server.url(name))
            terminate_sessions(connection, name)
            connection.execute(
                sql.SQL("ALTER DATABASE {} IS_TEMPLATE true ALLOW_CONNECTIONS false").format(
                    sql.Identifier(name)
                )
            )
        except BaseException:
            drop_database(connection, name)
            raise

    # -- clones ----------------------------------------------------------------------------

    def clone(self, template: str, *, grantee: str | None = None) -> Database:
        """A new database like the template, which only the grantee (and a superuser) can enter."""
        with self._mutex:
            name = self.make_clone(self._connection, template)
        return self.opened(name, grantee, self.drop_database)

    def pool(self, template: str, *, ahead: int = 2) -> ClonePool:
        """Clones of a template made ahead of need; see :class:`ClonePool`."""
        return ClonePool(self, template, ahead=ahead)

    def make_clone(self, connection: psycopg.Connection, template: str) -> str:
        """Make a clone that nobody can enter yet; its name."""
        name = self._new_name("c")
        connection.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY {} ALLOW_CONNECTIONS false").format(
                sql.Identifier(name), sql.Identifier(template), sql.Identifier(self._strategy)
            )
        )
        return name

    def opened(self, name: str, grantee: str | None, drop: Callable[[str], None]) -> Database:
        """Let the grantee into a clone, and nobody else; in one round trip."""
        database = sql.Identifier(name)
        steps: list[sql.Composable] = [
            sql.SQL("REVOKE CONNECT ON DATABASE {} FROM PUBLIC").format(database)
        ]
        if grantee is not None:
            grant = sql.SQL("GRANT CONNECT ON DATABASE {} TO {}")
            steps.append(grant.format(database, sql.Identifier(grantee)))
        steps.append(sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS true").format(database))
        with self._mutex:
            self._connection.execute(sql.SQL("; ").join(steps))
        return Database(name, self.server.url(name), drop)

    def drop_database(self, name: str) -> None:
        """Drop a database whatever is connected to it; safe when it is gone."""
        with self._mutex:
            drop_database(self._connection, name)

    # -- roles -----------------------------------------------------------------------------

    def role(
        self,
        *,
        member_of: str | None = None,
        connection_limit: int = 10,
        statement_timeout_ms: int = 5000,
        idle_in_transaction_timeout_ms: int = 30_000,
        temp_file_limit_kb: int = 65_536,
    ) -> Role:
        """A new login role that can do nothing but connect where it is granted.

        All its statements are logged, which only a superuser can change; neither can it lift the
        limit of its temporary files. The two timeouts are defaults that its sessions can change:
        whoever calls must hold a clock of their own.

        Args:
            member_of: a group role whose rights it gets; made (NOLOGIN) if it is missing, and kept.
            connection_limit: sessions at a time.
            statement_timeout_ms: milliseconds for one statement.
            idle_in_transaction_timeout_ms: milliseconds that a transaction may wait for its client.
            temp_file_limit_kb: kilobytes of temporary files of one session.
        """
        name, password = self._new_name("r"), new_password()
        settings: dict[str, str] = {
            "statement_timeout": str(statement_timeout_ms),
            "idle_in_transaction_session_timeout": str(idle_in_transaction_timeout_ms),
        }
        if self.capabilities.superuser:
            settings |= {"temp_file_limit": str(temp_file_limit_kb), "log_statement": "all"}
        role = sql.Identifier(name)
        group = (
            sql.SQL(" IN ROLE {}").format(sql.Identifier(member_of)) if member_of else sql.SQL("")
        )
        create = sql.SQL(
            "CREATE ROLE {} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS "
            "CONNECTION LIMIT {} PASSWORD {}"
        ).format(role, sql.Literal(connection_limit), sql.Literal(scram_verifier(password)))
        steps = [create + group]
        steps += [
            sql.SQL("ALTER ROLE {} SET {} = {}").format(
                role, sql.Identifier(setting), sql.Literal(value)
            )
            for setting, value in settings.items()
        ]
        with self._mutex:
            if member_of is not None:
                self._make_group(member_of)
            self._connection.execute(sql.SQL("; ").join(steps))
        return Role(name, password)

    def _make_group(self, name: str) -> None:
        if name in self._groups:
            return
        with suppress(
            psycopg.errors.DuplicateObject,
            psycopg.errors.UniqueViolation,  # made by another process at the same moment
            psycopg.errors.ReservedName,  # one of PostgreSQL's own, such as pg_read_all_data
        ):
            self._connection.execute(sql.SQL("CREATE ROLE {} NOLOGIN").format(sql.Identifier(name)))
        self._groups.add(name)

    def drop_role(self, role: Role | str) -> None:
        """Drop a role, with what it owns in clones that are still there; safe when it is gone."""
        name = role if isinstance(role, str) else role.name
        with self._mutex:
            drop_role(self._connection, self.server, name)

    # -- what others left ------------------------------------------------------------------

    def sweep(self) -> list[str]:
        """Drop the databases and roles of processes that were killed; the names dropped."""
        swept: list[str] = []
        with connect(self.server.admin_url) as connection:
            for owner in self._owners(connection):
                row = connection.execute(
                    "SELECT pg_try_advisory_lock(%s, %s)", (_OWNERS, owner)
                ).fetchone()
                if not row or not row[0]:
                    continue  # its owner is alive
                swept += self._drop_all_of(connection, owner)
                connection.execute("SELECT pg_advisory_unlock(%s, %s)", (_OWNERS, owner))
        return swept

    def _owners(self, connection: psycopg.Connection) -> list[int]:
        pattern = f"^{self._prefix}_[cr]_([0-9a-f]{{8}})_[0-9]+$"
        rows = connection.execute(
            "SELECT DISTINCT (regexp_match(name, %(pattern)s))[1] FROM ("
            "SELECT datname::text FROM pg_database UNION ALL SELECT rolname::text FROM pg_roles"
            ") AS names (name) WHERE name ~ %(pattern)s ORDER BY 1",
            {"pattern": pattern},
        ).fetchall()
        return [int(row[0], 16) for row in rows]

    def _drop_all_of(self, connection: psycopg.Connection, owner: int) -> list[str]:
        like = f"{self._prefix}\\__\\_{owner:08x}\\_%"
        databases = connection.execute(
            "SELECT datname FROM pg_database WHERE datname LIKE %s ORDER BY oid", (like,)
        ).fetchall()
        roles = connection.execute(
            "SELECT rolname FROM pg_roles WHERE rolname LIKE %s ORDER BY oid", (like,)
        ).fetchall()
        for (name,) in databases:
            drop_database(connection, name)
        for (name,) in roles:
            drop_role(connection, self.server, name)
        return [name for (name,) in databases + roles]

    def close(self) -> None:
        """Drop what this object made and is still there, and disconnect; safe to call twice."""
        with self._mutex:
            if self._connection.closed:
                return
            try:
                self._drop_all_of(self._connection, self._owner)
            finally:
                self._connection.close()

    def _new_name(self, letter: str) -> str:
        return f"{self._prefix}_{letter}_{self._owner:08x}_{next(self._numbers)}"

    def _lock_owner(self) -> None:
        row = self._connection.execute(
            "SELECT pg_try_advisory_lock(%s, %s)", (_OWNERS, self._owner)
        ).fetchone()
        if not row or not row[0]:
            raise ServerUnavailable("Two processes drew the same number. Try again.")


def terminate_sessions(connection: psycopg.Connection, name: str) -> None:
    """End all other sessions of a database and wait until they are gone, looking each ms."""
    deadline = time.monotonic() + 5
    query = (
        "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity "
        "WHERE datname = %s AND pid <> pg_backend_pid()"
    )
    while True:
        row = connection.execute(query, (name,)).fetchone()
        if not row or row[0] == 0:
            return
        if time.monotonic() > deadline:
            return  # DROP … WITH (FORCE) has its own way and its own error
        time.sleep(0.001)


def drop_database(connection: psycopg.Connection, name: str) -> None:
    """Drop a database: nobody may enter, all must leave, then it goes.

    DROP DATABASE with sessions open, also with FORCE, may wait 100 ms before it looks again; ending
    them first and looking each millisecond does not.
    """
    database = sql.Identifier(name)
    row = connection.execute(
        "SELECT datistemplate, datallowconn FROM pg_database WHERE datname = %s", (name,)
    ).fetchone()
    if row is None:
        return
    if any(row):
        connection.execute(
            sql.SQL("ALTER DATABASE {} IS_TEMPLATE false ALLOW_CONNECTIONS false").format(database)
        )
        terminate_sessions(connection, name)
    try:
        connection.execute(sql.SQL("DROP DATABASE IF EXISTS {}").format(database))
    except psycopg.errors.ObjectInUse:
        connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(database))


def drop_role(connection: psycopg.Connection, server: Server, name: str) -> None:
    """Drop a role; first what it owns or was granted, in whatever database that is.

    Another connection may be dropping one of those databases at this very moment, and PostgreSQL
    then reports that a row has changed under its hands; so it is tried again for a while.
    """
    role = sql.Identifier(name)
    drop = sql.SQL("DROP OWNED BY {role}; DROP ROLE {role}").format(role=role)
    deadline = time.monotonic() + 5
    while True:
        try:
            connection.execute(drop)
            return
        except psycopg.errors.UndefinedObject:
            return  # gone
        except (psycopg.errors.DependentObjectsStillExist, psycopg.errors.InternalError_) as error:
            if time.monotonic() > deadline:
                raise ScratchError(f"The role {name} cannot be dropped: {error}") from error
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
