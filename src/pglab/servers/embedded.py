"""What the embedded servers, throw-away and durable, have in common."""

from __future__ import annotations

import socket
import sys
from pathlib import Path

from psycopg import sql

from pglab.errors import CapabilityMissing
from pglab.passwords import scram_verifier
from pglab.servers.cluster import ADMIN
from pglab.servers.server import Server, connect
from pglab.speaking import doing
from pglab.urls import database_url

__all__ = ["EmbeddedServer", "choose_port", "close_to_the_public"]

PORT = 5432
"""The number in the name of the socket; each server has a directory of its own."""


class EmbeddedServer(Server):
    """A server made of the wheel's programs, on a Unix socket (on Windows: on loopback)."""

    kind = "embedded"
    _password: str
    _socket_dir: Path | None
    _port: int

    @property
    def admin_url(self) -> str:
        """libpq URI of the superuser on the database ``postgres``."""
        host = "127.0.0.1" if self._socket_dir is None else str(self._socket_dir)
        return database_url(
            "postgres", user=ADMIN, password=self._password, host=host, port=self._port
        )

    @property
    def socket_dir(self) -> Path:
        """Directory of the server's Unix socket."""
        if self._socket_dir is None:
            raise CapabilityMissing(
                "PostgreSQL has no Unix sockets on Windows; this server is reached by its URL."
            )
        return self._socket_dir

    @property
    def port(self) -> int:
        """The port number in the socket's name (on Windows: the TCP port)."""
        return self._port


def choose_port() -> int:
    """The port of a server: fixed behind a socket of its own directory, free and random on TCP."""
    return free_port() if sys.platform == "win32" else PORT


def free_port() -> int:
    """A TCP port of the loopback address that is free now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def close_to_the_public(admin_url: str, *, password: str | None = None) -> None:
    """Let only named roles connect to the databases that every server has.

    A role made for a submission must reach its own database and no other; by default PostgreSQL
    lets everybody connect everywhere (manual, "Privileges").

    Args:
        admin_url: URL of the superuser.
        password: the superuser's password from now on, where it changes.
    """
    steps: list[sql.Composable] = [
        sql.SQL("REVOKE CONNECT ON DATABASE postgres, template1 FROM PUBLIC")
    ]
    if password is not None:
        change = sql.SQL("ALTER ROLE {} PASSWORD {}")
        steps.append(change.format(sql.Identifier(ADMIN), sql.Literal(scram_verifier(password))))
    with doing("closing it to the public"), connect(admin_url) as connection:
        connection.execute(sql.SQL("; ").join(steps))
