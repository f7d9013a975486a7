"""Which server to use: what was asked for, or the best that this machine has."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from pglab.servers.disposable import DisposableServer
from pglab.servers.durable import DurableServer
from pglab.servers.server import Server

__all__ = ["open_server"]


def _silent(line: str) -> None:
    pass


def open_server(
    choice: str = "auto",
    *,
    home: Path,
    disposable: bool,
    version: int = 18,
    say: Callable[[str], None] = _silent,
) -> Server:
    """Start a server, or find the learner's own running."""
    if disposable:
        return DisposableServer(home, version=version).start()
    return DurableServer(home, version=version).start()
