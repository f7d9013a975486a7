"""The process that stays: holds the server, hears requests, and forks an attendant for each check.

It runs no check and no student code itself, has one thread, and keeps no connection to the server:
what it forks begins clean.
"""

from __future__ import annotations

import contextlib
import gc
import json
import os
import selectors
import signal
import socket
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import FrameType
from typing import Any, Never

from grader.worker import control
from kit.standby import attendant, place
from pglab.servers.disposable import DisposableServer

_LOOK_SECONDS = 5.0
"""How often it looks whether its folder and its server are still there."""
_REQUEST_SECONDS = 2.0
Expected = Mapping[str, Any]
"""What a check is likely to ask for: ``course_root``, ``exercises``, ``sandbox``, ``seed``."""


class _Ended(BaseException):
    """Somebody asked for the end, or there is nothing left to stay for."""


@dataclass(eq=False)
class _Attendant:
    """A process that was forked for one check."""

    pid: int
    channel: socket.socket
    expected: Expected
    busy: bool = False


class Keeper:
    """The checker of one home.

    Args:
        folder: where its socket is.
        listener: the socket.
        fingerprint: of the code and the settings with which it began; see `place.fingerprint`.
        idle_seconds: how long it waits for the next check before it ends.
    """

    def __init__(
        self, folder: Path, listener: socket.socket, *, fingerprint: str, idle_seconds: float
    ) -> None:
        self._folder = folder
        self._listener = listener
        self._mine = place.identity(folder)
        self._fingerprint = fingerprint
        self._idle_seconds = idle_seconds
        self._server: DisposableServer | None = None
        self._attendants: list[_Attendant] = []
        self._guests: list[socket.socket] = []
        self._asked_to_end: list[socket.socket] = []
        self._used = time.monotonic()
        self._selector = selectors.DefaultSelector()
        self._selector.register(listener, selectors.EVENT_READ, self._hear)

    def run(self, home: Path, expected: Expected) -> None:
        """Stay until there is a reason to end."""
        try:
            # What is forked here gets its sandbox ready while the server starts.
            self._server = DisposableServer(home, placed=partial(self._fork_early, expected))
            self._server.start()
            for first in self._attendants:
                control.send(first.channel, {"server": attendant.attachment(self._server)})
            attendant.warm_up()
            gc.collect()
            gc.freeze()  # so that what is forked shares this memory
            while True:
                for key, _ in self._selector.select(_LOOK_SECONDS):
                    key.data(key.fileobj)
                self._look()
        except _Ended:
            pass
        finally:
            self._end()

    def _look(self) -> None:
        working = any(each.busy for each in self._attendants)
        if working or self._guests:
            self._used = time.monotonic()
        server = self._server
        alone = self._mine is None or place.identity(self._folder) != self._mine
        alone = alone or server is None or not server.runs()
        if not working and (alone or time.monotonic() > self._used + self._idle_seconds):
            raise _Ended

    def _hear(self, listener: socket.socket) -> None:
        """Take a request in; what cannot be understood is let go."""
        connection, _ = listener.accept()
        descriptors: list[int] = []
        try:
            place.refuse_others(connection)
            connection.settimeout(_REQUEST_SECONDS)
            received = control.receive(connection)
            if received is not None:
                request, descriptors = received
                connection.settimeout(None)
                self._answer(connection, request, descriptors)
        except (OSError, ValueError, KeyError, TypeError):
            connection.close()
        finally:
            for descriptor in descriptors:
                os.close(descriptor)

    def _answer(
        self, connection: socket.socket, request: Mapping[str, Any], descriptors: list[int]
    ) -> None:
        operation = request["op"]
        if operation == "stay":
            self._guests.append(connection)
            self._selector.register(connection, selectors.EVENT_READ, self._leave)
            return
        if operation == "end":
            self._asked_to_end.append(connection)
            raise _Ended
        with connection:
            if operation == "check":
                self._check(connection, request, descriptors)
            else:
                busy = sum(each.busy for each in self._attendants)
                left = max(0.0, self._used + self._idle_seconds - time.monotonic())
                control.send(
                    connection, {"pid": os.getpid(), "busy": busy, "minutes": round(left / 60, 1)}
                )

    def _check(
        self, connection: socket.socket, request: Mapping[str, Any], descriptors: list[int]
    ) -> None:
        if request["fingerprint"] != self._fingerprint:
            self._leave_the_place()  # whoever asks next starts another, and that is now
            control.send(connection, {"heard": False})
            if any(each.busy for each in self._attendants):
                return
            raise _Ended
        expected = {name: request[name] for name in ("course_root", "exercises", "sandbox", "seed")}
        ready = next((each for each in self._attendants if not each.busy), None)
        chosen = ready or self._fork(expected, hurry=True)
        chosen.busy, chosen.expected = True, expected
        control.send(connection, {"heard": True})
        control.send(chosen.channel, request, [connection.fileno(), *descriptors])
        self._used = time.monotonic()

    def _leave(self, guest: socket.socket) -> None:
        self._selector.unregister(guest)
        self._guests.remove(guest)
        guest.close()

    def _fork_early(self, expected: Expected, socket_dir: Path) -> None:
        self._fork(expected, socket_dir, hurry=True)

    def _fork(
        self, expected: Expected, socket_dir: Path | None = None, *, hurry: bool = False
    ) -> _Attendant:
        """A process for a check like this one; before the server is there it waits for that."""
        ours, theirs = socket.socketpair()
        pid = os.fork()
        if pid == 0:
            self._become_attendant(theirs, ours, expected, socket_dir, hurry=hurry)
        theirs.close()
        forked = _Attendant(pid, ours, expected)
        self._attendants.append(forked)
        self._selector.register(ours, selectors.EVENT_READ, lambda _: self._attended(forked))
        return forked

    def _become_attendant(
        self,
        channel: socket.socket,
        parents: socket.socket,
        expected: Expected,
        socket_dir: Path | None,
        *,
        hurry: bool,
    ) -> Never:
        try:
            server = None
            if socket_dir is None:
                assert self._server is not None
                socket_dir, server = self._server.socket_dir, attendant.attachment(self._server)
            signal.signal(signal.SIGTERM, signal.default_int_handler)
            signal.signal(signal.SIGINT, signal.default_int_handler)
            self._selector.close()
            parents.close()
            self._listener.close()
            for other in self._attendants:
                other.channel.close()
            for guest in self._guests:
                guest.close()
            attendant.attend(channel, expected, socket_dir, server, hurry=hurry)
        except BaseException:  # the last frame of a forked child: nothing may unwind into ours
            attendant.complain()
        finally:
            os._exit(0)

    def _attended(self, one: _Attendant) -> None:
        """An attendant has answered, or has ended."""
        received = control.receive(one.channel)
        if received is not None:
            # While it tidies up, the next one is made ready.
            if all(each.busy for each in self._attendants):
                self._fork(one.expected)
            return
        self._forget(one)

    def _leave_the_place(self) -> None:
        place.remove(self._folder, self._mine)
        self._mine = None  # what is there from now on is another's

    def _forget(self, one: _Attendant) -> None:
        self._selector.unregister(one.channel)
        self._attendants.remove(one)
        one.channel.close()
        with contextlib.suppress(ChildProcessError):
            os.waitpid(one.pid, 0)
        self._used = time.monotonic()

    def _end(self) -> None:
        """End what was forked and the server; leave nothing."""
        self._leave_the_place()
        self._listener.close()
        for one in list(self._attendants):
            with contextlib.suppress(ProcessLookupError):
                os.kill(one.pid, signal.SIGTERM)
        for one in list(self._attendants):
            self._forget(one)
        if self._server is not None:
            self._server.stop()
        for waiting in self._asked_to_end:
            with contextlib.suppress(OSError), waiting:
                control.send(waiting, {"ended": True})


def main(options: str) -> None:
    """Stay ready.

    Args:
        options: one JSON object: ``home``, ``listener`` (a file descriptor), ``fingerprint``,
            ``minutes`` to wait for a check, and ``expected``, what the first one will ask for.
    """
    told: dict[str, Any] = json.loads(options)
    home = Path(told["home"])
    keeper = Keeper(
        place.folder(home),
        socket.socket(fileno=told["listener"]),
        fingerprint=told["fingerprint"],
        idle_seconds=told["minutes"] * 60,
    )
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
        signal.signal(number, _stop)
    keeper.run(home, told["expected"])


def _stop(number: int, _frame: FrameType | None) -> Never:
    signal.signal(number, signal.SIG_IGN)
    raise _Ended
