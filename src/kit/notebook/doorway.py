"""A TCP address for a server, with a look at how it answers.

The embedded server listens on a Unix socket only, and most servers in the world listen on TCP. A
doorway relays from a free port of this machine, so that a lesson can use ``host:port`` with any
server, and reads the server's first answer as it passes. libpq does not hand on the SQLSTATE of a
refused login, and here it is.

Source: PostgreSQL manual, "Frontend/Backend Protocol": "Start-up" and "Message Formats".
"""

from __future__ import annotations

import contextlib
import os
import socket
import socketserver
import threading
from types import TracebackType
from typing import Self

from kit.notebook.workspace import server as my_server
from pglab.servers import Server
from pglab.urls import parameters_of

HOST = "127.0.0.1"
LET_IN = "00000"
"""SQLSTATE of success, which stands for a login that was accepted."""
ENCRYPTED = "encrypted"


class Doorway:
    """A port of this machine that leads to a server; use it with ``with``, or close it.

    Args:
        to: a server; left out, your own.
    """

    host = HOST

    def __init__(self, to: Server | None = None) -> None:
        self.answer: str | None = None
        """SQLSTATE of the server's answer to the last login, ``00000`` if it let us in; None if
        it gave none, and ``encrypted`` where we cannot read it."""
        self._address = _address_of(to or my_server())
        self._relay = _Relay((HOST, 0), _Visit)
        self._relay.doorway = self
        self.port: int = self._relay.server_address[1]
        self._thread = threading.Thread(target=self._relay.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Close the port. Connections that came through it go on."""
        self._relay.shutdown()
        self._relay.server_close()
        self._thread.join()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<Doorway {self.host}:{self.port}>"

    def connect(self) -> socket.socket:
        """A connection to the server itself."""
        if isinstance(self._address, str):
            connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            connection.connect(self._address)
            return connection
        return socket.create_connection(self._address)


def _address_of(to: Server) -> str | tuple[str, int]:
    """A path of a Unix socket, or a host and a port."""
    parameters = parameters_of(to.admin_url)
    host, port = parameters.get("host", "localhost"), int(parameters.get("port", 5432))
    return os.path.join(host, f".s.PGSQL.{port}") if host.startswith("/") else (host, port)


class _Relay(socketserver.ThreadingTCPServer):
    daemon_threads = True
    doorway: Doorway


class _Visit(socketserver.BaseRequestHandler):
    """One client, from its arrival to its end."""

    server: _Relay

    def handle(self) -> None:
        doorway = self.server.doorway
        doorway.answer = None
        peephole = Peephole()
        with contextlib.suppress(OSError), doorway.connect() as server:
            back = threading.Thread(target=self._answers, args=(server, peephole), daemon=True)
            back.start()
            _pour(self.request, server)
            back.join()

    def _answers(self, server: socket.socket, peephole: Peephole) -> None:
        with contextlib.suppress(OSError):
            while data := server.recv(65536):
                if peephole.answer is None:
                    # Before it is handed on, so that the client's next line finds it here.
                    self.server.doorway.answer = peephole.look(data)
                self.request.sendall(data)
        with contextlib.suppress(OSError):
            self.request.shutdown(socket.SHUT_WR)


def _pour(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
    with contextlib.suppress(OSError):
        target.shutdown(socket.SHUT_WR)


class Peephole:
    """Reads what a server says until it has let the client in, or refused it."""

    def __init__(self) -> None:
        self.answer: str | None = None
        self._bytes = b""
        self._started = False

    def look(self, data: bytes) -> str | None:
        """Take the next bytes, and return the answer once it is known."""
        self._bytes += data
        if not self._started:
            # One letter answers each request for encryption: N is no, S is yes. A real message
            # has a length after its letter, and its first byte is 0.
            while self._bytes[:1] in (b"N", b"S") and self._bytes[1:2] != b"\0":
                if self._bytes[:1] == b"S":
                    self.answer = ENCRYPTED
                    return self.answer
                self._bytes = self._bytes[1:]
            self._started = bool(self._bytes)
        while self.answer is None and len(self._bytes) >= 5:
            length = 1 + int.from_bytes(self._bytes[1:5], "big")
            if len(self._bytes) < length:
                break
            kind, body = self._bytes[:1], self._bytes[5:length]
            self._bytes = self._bytes[length:]
            if kind == b"E":
                self.answer = _sqlstate_of(body)
            elif kind == b"Z":
                self.answer = LET_IN
        return self.answer


def _sqlstate_of(body: bytes) -> str:
    """Field C of an ErrorResponse."""
    fields = {part[:1]: part[1:].decode(errors="replace") for part in body.split(b"\0") if part}
    return fields.get(b"C", "")
