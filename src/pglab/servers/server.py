"""What every server has in common, whoever runs it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Self

import psycopg

from pglab.speaking import doing
from pglab.urls import with_database

__all__ = ["Capabilities", "Server", "capabilities_of", "connect"]


@dataclass(frozen=True)
class Capabilities:
    """What the admin role may do on a server and what the server brings."""

    superuser: bool
    log_access: bool
    """The server writes a JSON log and the admin role may read it."""
    create_database: bool
    extensions: frozenset[str]
    """Names of the extensions that can be created, installed in a database or not."""
    version_num: int
    """``server_version_num``: 180004 is version 18.4."""


class Server(ABC):
    """A PostgreSQL server: start it, reach it, ask what it can do, stop it.

    As a context manager a server is started on entry and closed on exit.
    """

    kind: str
    """``embedded``, ``container`` or ``url``."""
    durable: bool
    """What is stored survives this process."""

    @property
    @abstractmethod
    def admin_url(self) -> str:
        """libpq URI of the admin role on the maintenance database."""

    @property
    @abstractmethod
    def socket_dir(self) -> Path:
        """Directory holding the Unix socket ``.s.PGSQL.<port>`` by which the server is reached."""

    @property
    @abstractmethod
    def port(self) -> int:
        """The port number in the name of that socket."""

    @abstractmethod
    def start(self) -> Self:
        """Start the server, or find that it runs already."""

    @abstractmethod
    def stop(self) -> None:
        """End the server if it is ours; safe to call twice."""

    def close(self) -> None:
        """Let go of the server: a throw-away one ends, a durable one goes on."""
        if not self.durable:
            self.stop()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def url(self, database: str, user: str | None = None, password: str | None = None) -> str:
        """libpq URI of a database on this server, of the admin role unless another is named."""
        return with_database(self.admin_url, database, user, password)

    @cached_property
    def version(self) -> str:
        """The server's version as text, like ``18.4``."""
        with doing("asking its version"), connect(self.admin_url) as connection:
            row = connection.execute("SHOW server_version").fetchone()
        return str(row[0]).split(" ")[0] if row else ""

    def capabilities(self) -> Capabilities:
        """What the admin role may do here and what the server brings."""
        with doing("asking what it can do"), connect(self.admin_url) as connection:
            return capabilities_of(connection)


def connect(url: str, *, timeout_s: int = 10) -> psycopg.Connection:
    """An autocommit connection that names itself, for the kit's own use."""
    return psycopg.connect(url, autocommit=True, connect_timeout=timeout_s, application_name="kit")


def capabilities_of(connection: psycopg.Connection) -> Capabilities:
    """What the role of this connection may do; see :class:`Capabilities`.

    Reading the log takes ``pg_read_server_files`` and EXECUTE on the file functions (PostgreSQL
    manual, "Generic File Access Functions"), which a superuser has.
    """
    row = connection.execute(
        """
        SELECT r.rolsuper,
               r.rolsuper OR r.rolcreatedb,
               current_setting('server_version_num')::int,
               'jsonlog' = ANY (string_to_array(
                   replace(current_setting('log_destination'), ' ', ''), ','))
               AND current_setting('logging_collector') = 'on'
               AND (r.rolsuper OR (pg_has_role('pg_read_server_files', 'USAGE')
                   AND has_function_privilege('pg_read_binary_file(text,bigint,bigint,boolean)',
                                              'EXECUTE')
                   AND has_function_privilege('pg_current_logfile(text)', 'EXECUTE')
                   AND has_function_privilege('pg_stat_file(text)', 'EXECUTE')
                   AND has_function_privilege('pg_ls_logdir()', 'EXECUTE'))),
               (SELECT coalesce(array_agg(name::text), '{}') FROM pg_available_extensions)
        FROM pg_roles r WHERE r.rolname = current_user
        """
    ).fetchone()
    if row is None:  # pragma: no cover - current_user always has a row in pg_roles
        raise LookupError("the current role is not in pg_roles")
    superuser, create_database, version_num, log_access, extensions = row
    return Capabilities(superuser, log_access, create_database, frozenset(extensions), version_num)
