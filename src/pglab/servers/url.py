"""A server that somebody else runs, given by its URL."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Self

import psycopg

from pglab.errors import ServerUnavailable
from pglab.servers.relay import Relay
from pglab.servers.server import Server, connect
from pglab.servers.tls import dial
from pglab.urls import masked, parameters_of, with_database

__all__ = ["OLDEST", "UrlServer"]

OLDEST = 15
"""The oldest major version of PostgreSQL that the kit works with."""


class UrlServer(Server):
    """PostgreSQL 15 or later at a URL; the kit never starts, stops or reconfigures it.

    The kit does not take away what roles may do in databases that are not its own: on such a
    server the role of a submission can connect to every database that lets PUBLIC in. Use a
    server that holds nothing else, or ``REVOKE CONNECT ON DATABASE … FROM PUBLIC`` there.
    """

    kind = "url"
    durable = True

    def __init__(self, url: str) -> None:
        try:
            self._parameters = parameters_of(url)
        except ValueError as error:
            raise ServerUnavailable(
                "The database URL cannot be read. It should look like "
                "postgresql://user:password@host:5432/postgres"
            ) from error
        self._url = with_database(url, self._parameters.get("dbname", "postgres"), None, None)
        self._host = ""
        self._port = 5432
        self._relay: Relay | None = None

    @property
    def admin_url(self) -> str:
        """The URL that was given."""
        return self._url

    @property
    def socket_dir(self) -> Path:
        """Directory of the server's Unix socket, or of a relay to its TCP port."""
        if self._host.startswith("/"):
            return Path(self._host)
        if self._relay is None:
            self._relay = Relay(lambda: dial(self._host, self._port, self._parameters))
        return self._relay.directory

    @property
    def port(self) -> int:
        """The port number in the socket's name."""
        return self._port if self._host.startswith("/") else 5432

    def start(self) -> Self:
        """Connect once, to see that the server is there and new enough.

        Raises:
            ServerUnavailable: it is not; the message says why, without the password.
        """
        try:
            with connect(self._url) as connection:
                version = connection.info.server_version
                self._host, self._port = connection.info.host, connection.info.port
        except psycopg.Error as error:
            raise ServerUnavailable(_diagnosis(error, self._parameters)) from None
        if version < OLDEST * 10_000:
            raise ServerUnavailable(
                f"The server at {masked(self._url)} is PostgreSQL {version // 10_000}, and the kit "
                f"needs {OLDEST} or later. Give another URL, or use --database embedded."
            )
        return self

    def stop(self) -> None:
        """Stop the relay, if there is one; the server itself goes on."""
        if self._relay is not None:
            self._relay.close()
            self._relay = None

    def close(self) -> None:
        """Let go of the server."""
        self.stop()


def _diagnosis(error: psycopg.Error, parameters: dict[str, str]) -> str:
    """Why a connection failed, found without reading the words of the server's language."""
    host = parameters.get("host", "")
    port = parameters.get("port", "5432")
    user = parameters.get("user", "")
    at = f"{host}:{port}" if host else "the default socket"
    if host and not host.startswith("/"):
        try:
            socket.getaddrinfo(host.split(",", maxsplit=1)[0], None)
        except OSError:
            return (
                f"No computer is called {host}: the name in the database URL is not known. "
                "Check its spelling and your network connection."
            )
    tried = error.pgconn
    if tried is not None and tried.needs_password:
        return (
            f"The server at {at} asks for a password for the user {user!r}, and the database URL "
            "has none. Write it as postgresql://user:password@host/database"
        )
    if isinstance(error, psycopg.errors.ConnectionTimeout):
        return (
            f"The server at {at} did not answer within 10 seconds. Check the address and the "
            "port in the database URL, and whether a firewall stands between."
        )
    said = masked(str(error)).strip().splitlines()[0].rsplit(" failed: ", 1)[-1]
    if tried is not None and tried.used_password:
        return (
            f"The server at {at} did not let the user {user!r} in. Check the user name, the "
            f"password and the database in the URL. It said: {said}"
        )
    if _listens(host, port):
        return f"The server at {at} refused the connection of the user {user!r}. It said: {said}"
    return (
        f"No PostgreSQL server answers at {at}. Is it running, and are the address and the port "
        f"right? ({said})"
    )


def _listens(host: str, port: str) -> bool:
    try:
        if not host or host.startswith("/"):
            return bool(host) and Path(host, f".s.PGSQL.{port}").exists()
        socket.create_connection((host.split(",", maxsplit=1)[0], int(port)), timeout=3).close()
    except (OSError, ValueError):
        return False
    return True
