"""What the embedded servers, throw-away and durable, have in common."""

from __future__ import annotations

import os
import secrets
import socket
import sys
from pathlib import Path

from pglab.errors import CapabilityMissing, ServerStartError
from pglab.servers.account import Account
from pglab.servers.cluster import ADMIN
from pglab.servers.server import Server, connect
from pglab.urls import database_url

__all__ = ["EmbeddedServer", "close_to_the_public", "new_password", "write_private"]

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
    if sys.platform != "win32":
        return PORT
    return free_port()


def free_port() -> int:
    """A TCP port of the loopback address that is free now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def new_password() -> str:
    """A password that nobody types."""
    return secrets.token_urlsafe(24)


def write_private(path: Path, text: str, account: Account | None = None) -> None:
    """Write a file that only its owner reads, whole or not at all."""
    partial = path.with_name(path.name + ".partial")
    partial.unlink(missing_ok=True)
    try:
        with open(partial, "x", encoding="utf-8", opener=_private) as file:
            file.write(text)
        if account is not None:
            account.own(partial)
        partial.replace(path)
    except OSError as error:
        raise ServerStartError(
            f"The kit cannot write {path}: {error.strerror}. Free some space, or set KIT_HOME to "
            "a directory that you may write to."
        ) from error


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def close_to_the_public(admin_url: str) -> None:
    """Let only named roles connect to the databases that every server has.

    A role made for a submission must reach its own database and no other; by default PostgreSQL
    lets everybody connect everywhere (manual, "Privileges").
    """
    with connect(admin_url) as connection:
        connection.execute("REVOKE CONNECT ON DATABASE postgres, template1 FROM PUBLIC")
