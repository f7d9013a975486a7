"""Scratch databases: templates made once for each schema, clones in milliseconds, roles to match.

Everything that a process makes carries a number of its own in its name, ``kit_c_<owner>_<n>`` for
a clone and ``kit_r_<owner>_<n>`` for a role, and the process holds an advisory lock of that number
for as long as it lives. So whoever finds such a name can tell whether its owner is alive, on a
server shared by any number of machines. Templates, ``kit_t_<key>``, belong to nobody and stay until
nobody has used them for a month.
"""

from __future__ import annotations

import itertools
import re
import secrets
import threading
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Self

import psycopg

from pglab.clonepool import ClonePool
from pglab.databases import Database, create_clone, drop_database, open_clone, shut_out
from pglab.errors import CapabilityMissing
from pglab.passwords import new_password
from pglab.quota import Quota
from pglab.roles import Role, create_group, create_role, drop_role
from pglab.servers.server import Capabilities, Server, capabilities_of, connect
from pglab.speaking import doing
from pglab.templates import drop_stale_templates, make_template

__all__ = ["Database", "Role", "Scratch"]

_OWNERS = 0x6B6974
"""First key of the owners' advisory locks (the letters "kit")."""


class Scratch:
    """Makes and drops databases and roles on a server; may be used by several threads."""

    def __init__(self, server: Server, *, prefix: str = "kit") -> None:
        """Connect as the server's admin role.

        Args:
            server: a started server.
            prefix: begins every name that is made, 1 to 16 lower-case letters and digits.

        Raises:
            CapabilityMissing: the admin role may not create databases.
        """
        if not re.fullmatch(r"[a-z][a-z0-9]{0,15}", prefix):
            raise ValueError(f"a prefix is 1 to 16 lower-case letters and digits, not {prefix!r}")
        self.server = server
        self._prefix = prefix
        self._numbers = itertools.count(1)
        self._mutex = threading.Lock()
        # Dropping a role changes the rows of the databases that it was granted: while one of them
        # is dropped PostgreSQL would report an internal error or a deadlock.
        self._dropping = threading.Lock()
        self._groups: set[str] = set()
        with doing("connecting to the server"):
            self._connection = connect(server.admin_url)
            self.capabilities: Capabilities = capabilities_of(self._connection)
            fsync = self._connection.execute("SHOW fsync").fetchone()
        if not self.capabilities.create_database:
            self._connection.close()
            raise CapabilityMissing(
                "The role of this database URL may not create databases, and every check needs "
                "one of its own. Let an administrator run: ALTER ROLE … CREATEDB CREATEROLE; or "
                "use the embedded server: --database embedded"
            )
        self._owner = self._lock_a_number()
        # Copying files is quicker unless each copy has to reach the disk (bench/clones.py).
        self._strategy = "FILE_COPY" if fsync and fsync[0] == "off" else "WAL_LOG"

    def template(self, key: str, build: Callable[[str], None]) -> str:
        """The name of a template database, made once for each key by whoever comes first.

        Args:
            key: identifies the content, such as a hash of the schema's sources.
            build: fills the new database; gets its admin URL. What it raises is passed on, and
                then nothing stays.

        Returns:
            The template's name, for :meth:`clone` and :meth:`pool`.
        """
        return make_template(self.server, self._prefix, key, build, strategy=self._strategy)

    def clone(self, template: str, *, grantee: str | None = None) -> Database:
        """A new database like the template, which only the grantee (and a superuser) can enter.

        Raises:
            ScratchError: it could not be made.
        """
        with self._mutex:
            name = self.make_clone(self._connection, template)
        return self.opened(name, (grantee,) if grantee else (), self.drop_database)

    def quota(self, *, megabytes: int = 512) -> Quota:
        """Shuts out who fills a clone of this scratch above a size; see :class:`Quota`."""
        return Quota(self, megabytes=megabytes)

    @property
    def clone_pattern(self) -> str:
        """A regular expression for the names of the clones of this scratch."""
        return f"^{self._prefix}_c_{self._owner:08x}_[0-9]+$"

    def pool(self, template: str, *, ahead: int = 2, stock: int = 0) -> ClonePool:
        """Clones of a template made ahead of need; see :class:`ClonePool`."""
        return ClonePool(self, template, ahead=ahead, stock=stock)

    def make_clone(self, connection: psycopg.Connection, template: str) -> str:
        """Make a clone that nobody can enter yet; its name."""
        name = self._new_name("c")
        with doing(f"cloning {template}"):
            create_clone(connection, name, template, self._strategy)
        return name

    def opened(self, name: str, grantees: Sequence[str], drop: Callable[[str], None]) -> Database:
        """The handle of a clone, which the grantees can enter from now on."""
        with self._mutex, doing(f"opening {name}"):
            open_clone(self._connection, name, grantees)
        return Database(name, self.server.url(name), drop)

    def drop_database(self, name: str) -> None:
        """Drop a database whatever is connected to it; safe when it is gone."""
        with self._mutex:
            self.drop_clone(self._connection, name)

    def shut_out(self, connection: psycopg.Connection, name: str) -> None:
        """End the grantee's sessions in a clone, and let it in no more."""
        with self._dropping, doing(f"closing {name}"):
            shut_out(connection, name)

    def drop_clone(self, connection: psycopg.Connection, name: str) -> None:
        """Drop a database over a connection of the caller's."""
        with self._dropping, doing(f"dropping {name}"):
            drop_database(connection, name)

    def role(
        self,
        *,
        member_of: str | None = None,
        connection_limit: int = 10,
        statement_timeout_ms: int = 5000,
        idle_in_transaction_timeout_ms: int = 30_000,
        temp_file_limit_kb: int = 65_536,
        deadlock_timeout_ms: int = 100,
    ) -> Role:
        """A new login role that can do nothing but connect where it is granted.

        All its statements are logged, which only a superuser can change; neither can it lift the
        limit of its temporary files. The two timeouts are defaults that its sessions can change,
        and it can change its own password: whoever calls must hold a clock of their own, and must
        not need to log in as it once its owner has had it.

        Args:
            member_of: a group role whose rights it gets; made (NOLOGIN) if it is missing, and kept.
            connection_limit: sessions at a time.
            statement_timeout_ms: milliseconds for one statement.
            idle_in_transaction_timeout_ms: milliseconds that a transaction may wait for its client.
            temp_file_limit_kb: kilobytes of temporary files of one session.
            deadlock_timeout_ms: milliseconds after which a session that waits looks for a deadlock;
                PostgreSQL's own second is long where somebody waits for the outcome.
        """
        role = Role(self._new_name("r"), new_password())
        settings = {
            "statement_timeout": str(statement_timeout_ms),
            "idle_in_transaction_session_timeout": str(idle_in_transaction_timeout_ms),
        }
        if self.capabilities.superuser:
            settings |= {
                "temp_file_limit": str(temp_file_limit_kb),
                "log_statement": "all",
                "deadlock_timeout": str(deadlock_timeout_ms),
            }
        with self._mutex, doing("making a role"):
            if member_of is not None and member_of not in self._groups:
                create_group(self._connection, member_of)
                self._groups.add(member_of)
            create_role(
                self._connection,
                role,
                member_of=member_of,
                connection_limit=connection_limit,
                settings=settings,
            )
        return role

    def drop_role(self, role: Role | str) -> None:
        """Drop a role, with what it owns in clones that are still there; safe when it is gone."""
        self.drop_roles([role])

    def drop_roles(self, roles: Sequence[Role | str]) -> None:
        """Drop several roles, and wait only once until no database is just being dropped."""
        names = [role if isinstance(role, str) else role.name for role in roles]
        with self._mutex, self._dropping, doing(f"dropping the role {', '.join(names)}"):
            for name in names:
                drop_role(self._connection, self.server, name)

    def sweep(self) -> list[str]:
        """Drop what killed processes left, and templates unused for a month; the names dropped."""
        swept: list[str] = []
        with doing("clearing up"), connect(self.server.admin_url) as connection:
            for owner in self._owners(connection):
                if _taken(connection, owner):
                    swept += self._drop_all_of(connection, owner)
                    connection.execute("SELECT pg_advisory_unlock(%s, %s)", (_OWNERS, owner))
            swept += drop_stale_templates(connection, self._prefix)
        return swept

    def close(self) -> None:
        """Drop what this object made and is still there, and disconnect; safe to call twice."""
        with self._mutex:
            if self._connection.closed:
                return
            try:
                with self._dropping, doing("clearing up"):
                    self._drop_all_of(self._connection, self._owner)
            finally:
                self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _owners(self, connection: psycopg.Connection) -> list[int]:
        """The numbers in the names of the clones and roles on the server."""
        rows = connection.execute(
            "SELECT DISTINCT (regexp_match(name, %(pattern)s))[1] FROM ("
            "SELECT datname::text FROM pg_database UNION ALL SELECT rolname::text FROM pg_roles"
            ") AS names (name) WHERE name ~ %(pattern)s ORDER BY 1",
            {"pattern": f"^{self._prefix}_[cr]_([0-7][0-9a-f]{{7}})_[0-9]+$"},
        ).fetchall()
        return [int(row[0], 16) for row in rows]

    def _drop_all_of(self, connection: psycopg.Connection, owner: int) -> list[str]:
        pattern = f"^{self._prefix}_[cr]_{owner:08x}_[0-9]+$"
        databases = connection.execute(
            "SELECT datname FROM pg_database WHERE datname ~ %s ORDER BY oid", (pattern,)
        ).fetchall()
        for (name,) in databases:
            drop_database(connection, name)
        roles = connection.execute(
            "SELECT rolname FROM pg_roles WHERE rolname ~ %s ORDER BY oid", (pattern,)
        ).fetchall()
        for (name,) in roles:
            drop_role(connection, self.server, name)
        return [name for (name,) in databases + roles]

    def _new_name(self, letter: str) -> str:
        return f"{self._prefix}_{letter}_{self._owner:08x}_{next(self._numbers)}"

    def _lock_a_number(self) -> int:
        with doing("connecting to the server"):
            while True:
                number = secrets.randbits(31)
                if _taken(self._connection, number):
                    return number


def _taken(connection: psycopg.Connection, number: int) -> bool:
    """Whether this connection got the lock of an owner's number, so that owner is not alive."""
    row = connection.execute("SELECT pg_try_advisory_lock(%s, %s)", (_OWNERS, number)).fetchone()
    return bool(row and row[0])
