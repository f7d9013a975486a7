"""A Unix socket for a server that is reached by TCP: bytes pass through, in threads.

A sandbox has no network. It gets a directory with a Unix socket, and this relay, outside, carries
what is said there to the server's port and back. It is started only where a server has no socket of
its own that can be lent: a server given by URL, a container on another machine.
"""

from __future__ import annotations

import contextlib
import shutil
import socket
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path

from pglab.errors import CapabilityMissing, PglabError
from pglab.servers.account import Account
from pglab.servers.places import SOCKET_NAME, socket_place, temporary_place

__all__ = ["Relay"]

_CHUNK = 1 << 16


class Relay:
    """Listens on a Unix socket in a directory of its own until it is closed.

    Args:
        dial: opens a connection to the server, ready for PostgreSQL's start-up message.
        limit: connections at a time; those above it wait.
    """

    def __init__(self, dial: Callable[[], socket.socket], *, limit: int = 100) -> None:
        if not hasattr(socket, "AF_UNIX"):
            raise CapabilityMissing("This system has no Unix sockets; use the server's URL.")
        self._dial = dial
        self._slots = threading.BoundedSemaphore(limit)
        self._mutex = threading.Lock()
        self._open: set[socket.socket] = set()
        self._closed = False
        self._private = Path(tempfile.mkdtemp(prefix="kit-relay-", dir=temporary_place(Account())))
        self.directory = socket_place(self._private / "s", Account())
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._listener.bind(str(self.directory / SOCKET_NAME))
        (self.directory / SOCKET_NAME).chmod(0o777)
        self._listener.listen(128)
        threading.Thread(target=self._accept, name="relay", daemon=True).start()

    def close(self) -> None:
        """Cut all connections and remove the socket; safe to call twice."""
        self._closed = True
        _cut(self._listener)
        self._listener.close()
        with self._mutex:
            for end in self._open:
                _cut(end)
        for directory in (self._private, self.directory):
            shutil.rmtree(directory, ignore_errors=True)

    def _accept(self) -> None:
        while not self._closed:
            self._slots.acquire()
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._carry, args=(client,), daemon=True).start()

    def _carry(self, client: socket.socket) -> None:
        try:
            with client, self._dial() as server:
                with self._mutex:
                    if self._closed:
                        return
                    self._open |= {client, server}
                back = threading.Thread(target=_pump, args=(server, client), daemon=True)
                back.start()
                _pump(client, server)
                back.join()
                with self._mutex:
                    self._open -= {client, server}
        except (OSError, PglabError):
            pass  # the client sees its connection close, as it would without the relay
        finally:
            self._slots.release()


def _pump(source: socket.socket, target: socket.socket) -> None:
    """Carry bytes one way until either end closes; then close both."""
    with contextlib.suppress(OSError):
        while data := source.recv(_CHUNK):
            target.sendall(data)
    _cut(target)
    _cut(source)


def _cut(end: socket.socket) -> None:
    with contextlib.suppress(OSError):
        end.shutdown(socket.SHUT_RDWR)
