"""Starts a server beside other work, because what it waits for is other processes."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import Self

from pglab.servers import Server, open_server


class ServerStart:
    """A throw-away server, or one given by URL, on its way. Leaving the context ends it.

    An embedded server starts in a thread of its own, so that its socket's place is known long
    before it is ready. Others start when they are asked for: a container may take minutes, and
    those can only be interrupted in the main thread.
    """

    def __init__(self, choice: str, *, home: Path, say: Callable[[str], None]) -> None:
        """See `pglab.servers.open_server`."""
        self._choice = choice
        self._home = home
        self._say = say
        self._placed: Future[Path] = Future()
        self._started: Future[Server] | None = None

    def socket_dir(self) -> Path:
        """Where the server's socket is or will be.

        Raises:
            PglabError: the server cannot be had.
        """
        return self._placed.result()

    def server(self) -> Server:
        """The server, ready to use.

        Raises:
            PglabError: as for `socket_dir`.
        """
        assert self._started is not None
        return self._started.result()

    def __enter__(self) -> Self:
        if self._choice == "embedded":
            executor = ThreadPoolExecutor(1, "server")
            self._started = executor.submit(self._start)
            executor.shutdown(wait=False)
        else:
            self._started = Future()
            self._started.set_result(self._start())
        return self

    def _start(self) -> Server:
        try:
            server = open_server(
                self._choice,
                home=self._home,
                disposable=True,
                say=self._say,
                placed=self._placed.set_result,
            )
            if not self._placed.done():
                self._placed.set_result(server.socket_dir)
        except BaseException as error:
            if not self._placed.done():
                self._placed.set_exception(error)
            raise
        return server

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        assert self._started is not None
        if self._started.exception() is None:
            self._started.result().close()
