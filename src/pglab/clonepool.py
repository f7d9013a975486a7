"""Clones of one template, made ahead of need and dropped behind, while nobody waits."""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING, Self

import psycopg

from pglab.databases import Database
from pglab.errors import ScratchError
from pglab.servers.server import connect
from pglab.speaking import doing

if TYPE_CHECKING:
    from pglab.scratch import Scratch

__all__ = ["ClonePool"]


_PATIENCE_S = 60.0
_IDLE_S = 1.0
"""Seconds without work after which a thread of a pool gives its connection back."""


class ClonePool:
    """A few clones stand ready; those that were taken are dropped in the background.

    One thread makes clones and another drops them, each on a connection of its own. If dropping
    falls behind, ``Database.drop`` waits, so that a quick taker cannot fill the disk. What fails in
    the background is raised from the next :meth:`take`, never swallowed and never waited for.

    A pool with a ``stock`` makes that many clones at once, before anybody takes one, and lets as
    many wait to be dropped: a short rush of takers then shares the machine with nobody.
    """

    def __init__(self, scratch: Scratch, template: str, *, ahead: int = 2, stock: int = 0) -> None:
        if ahead < 1:
            raise ValueError("a pool keeps at least one clone ready")
        self._scratch = scratch
        self._template = template
        self._ahead = ahead
        self._stock = stock
        self._made = 0
        self._change = threading.Condition()
        self._ready: deque[str | Exception] = deque()
        self._taken: set[str] = set()
        self._finished: deque[str] = deque()
        self._closed = False
        self._process = os.getpid()
        self._threads = [self._thread(self._make_ahead), self._thread(self._drop_behind)]

    def take(self, *grantees: str) -> Database:
        """A fresh clone that the grantees can enter; drop it when it is no longer needed.

        Raises:
            ScratchError: the pool is closed, or the clone could not be made.
        """
        if os.getpid() != self._process:
            raise ScratchError(
                "A pool of clones does not work in a forked process: make one there."
            )
        with self._change:
            came = self._change.wait_for(lambda: self._ready or self._closed, _PATIENCE_S)
            if self._closed:
                raise ScratchError("The pool of clones is closed.")
            if not came:
                raise ScratchError(
                    f"The server made no database within {_PATIENCE_S:.0f} seconds. Is the machine "
                    "overloaded, or its disk full?"
                )
            item = self._ready.popleft()
            self._change.notify_all()
            if isinstance(item, str):
                self._taken.add(item)
        if isinstance(item, Exception):
            raise ScratchError(f"A scratch database could not be made or dropped. {item}") from item
        return self._scratch.opened(item, grantees, self._give_back)

    def close(self) -> None:
        """Drop every clone of this pool, taken or not; safe to call twice."""
        with self._change:
            self._closed = True
            self._change.notify_all()
        for thread in self._threads:
            thread.join(_PATIENCE_S)
        with self._change:
            left = [item for item in self._ready if isinstance(item, str)]
            left += [*self._taken, *self._finished]
            self._ready.clear()
            self._taken.clear()
            self._finished.clear()
        for name in left:
            self._scratch.drop_database(name)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _give_back(self, name: str) -> None:
        with self._change:
            if name not in self._taken:
                return
            room = self._stock + 2 * self._ahead
            self._change.wait_for(lambda: len(self._finished) < room or self._closed)
            self._taken.discard(name)
            self._finished.append(name)
            self._change.notify_all()
            closed = self._closed
        if closed:
            self._scratch.drop_database(name)

    def _thread(self, work: Callable[[], None]) -> threading.Thread:
        thread = threading.Thread(target=work, name=f"clones of {self._template}", daemon=True)
        thread.start()
        return thread

    def _make_ahead(self) -> None:
        connection: psycopg.Connection | None = None
        while self._wait_for_work(self._wants_more, connection):
            item: str | Exception
            try:
                connection = self._connected(connection)
                item = self._scratch.make_clone(connection, self._template)
            except Exception as error:
                item = error
            with self._change:
                self._made += 1
                self._ready.append(item)
                self._change.notify_all()

    def _wants_more(self) -> bool:
        return self._made < self._stock or len(self._ready) < self._ahead

    def _drop_behind(self) -> None:
        connection: psycopg.Connection | None = None
        while self._wait_for_work(lambda: len(self._finished) > self._stock, connection):
            name = self._finished[0]
            try:
                connection = self._connected(connection)
                self._scratch.drop_clone(connection, name)
            except Exception as error:
                with self._change:
                    self._ready.append(error)
            with self._change:
                # Only now, so that what waits for room waits for the drop itself.
                self._finished.popleft()
                self._change.notify_all()

    def _wait_for_work(
        self, there_is: Callable[[], bool], connection: psycopg.Connection | None
    ) -> bool:
        """Wait for work or the end; whether it is work. A connection is not kept idle for long.

        A course has many exercises, each with a pool, and a server has few connections.
        """
        with self._change:
            if self._change.wait_for(lambda: there_is() or self._closed, _IDLE_S):
                working = not self._closed
            else:
                if connection is not None:
                    connection.close()
                self._change.wait_for(lambda: there_is() or self._closed)
                working = not self._closed
        if not working and connection is not None:
            connection.close()
        return working

    def _connected(self, connection: psycopg.Connection | None) -> psycopg.Connection:
        if connection is None or connection.closed:
            with doing("connecting to make and drop databases"):
                return connect(self._scratch.server.admin_url)
        return connection
