"""Which server to use: what was asked for, or the best that this machine has."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from pglab.errors import ContainerEngineError, PglabError
from pglab.servers.disposable import DisposableServer
from pglab.servers.durable import DurableServer
from pglab.servers.server import Server
from pglab.servers.url import UrlServer
from pglab.urls import masked

__all__ = ["open_server"]

_URL_SCHEMES = ("postgresql://", "postgres://", "postgresql+psycopg://")


def _say_nothing(line: str) -> None:
    pass


def _place_nothing(socket_dir: Path) -> None:
    pass


def open_server(
    choice: str = "auto",
    *,
    home: Path,
    disposable: bool,
    version: int = 18,
    say: Callable[[str], None] = _say_nothing,
    placed: Callable[[Path], None] = _place_nothing,
) -> Server:
    """Start a server, or find the one that runs, and return it ready to use.

    Args:
        choice: ``embedded``, ``container``, a URL, or ``auto``: DATABASE_URL where it is set, else
            a container where a throw-away server is wanted and an engine answers, else embedded.
        home: the kit's directory; a durable server keeps its data there.
        disposable: a throw-away server that ends with this process, or the learner's own, which
            outlives it and is shared. A server given by URL is used as it is.
        version: major version of an embedded server, 18 or 16.
        say: is told in one line what ``auto`` chose and why.
        placed: is told where the socket of a throw-away embedded server will be, before the
            server is started there.

    Raises:
        PglabError: the server is not to be had; the message says why and what to do next.
    """
    if choice.startswith(_URL_SCHEMES):
        return UrlServer(choice).start()
    if choice == "embedded":
        return _embedded(home, disposable, version, placed)
    if choice == "container":
        return _container(disposable)
    if choice == "auto":
        return _best(home, disposable, version, say, placed)
    raise PglabError(
        f"There is no kind of server called {masked(choice)!r}. Choose auto, embedded or "
        "container, or give a URL like postgresql://user:password@host/database"
    )


def _best(
    home: Path,
    disposable: bool,
    version: int,
    say: Callable[[str], None],
    placed: Callable[[Path], None],
) -> Server:
    if url := os.environ.get("DATABASE_URL"):
        say(f"Database: {masked(url)}, because DATABASE_URL is set.")
        return UrlServer(url).start()
    if not disposable:
        say("Database: your own embedded PostgreSQL; it keeps what you store.")
        return _embedded(home, disposable, version, placed)
    try:
        server = _container(disposable)
    except ContainerEngineError as error:
        reason = str(error).split(". ", maxsplit=1)[0]
        say(f"Database: a throw-away embedded PostgreSQL, because: {reason}.")
        return _embedded(home, disposable, version, placed)
    say("Database: a throw-away PostgreSQL in a container, because a container engine answers.")
    return server


def _embedded(home: Path, disposable: bool, version: int, placed: Callable[[Path], None]) -> Server:
    if disposable:
        return DisposableServer(home, version=version, placed=placed).start()
    return DurableServer(home, version=version).start()


def _container(disposable: bool) -> Server:
    if not disposable:
        raise PglabError(
            "A container is thrown away with all it holds, so your own data cannot live there. "
            "Use --database embedded, or give the URL of a server."
        )
    from pglab.servers.container import ContainerServer

    return ContainerServer().start()
