"""PostgreSQL servers: embedded, in a container, or given by URL.

What is named here is imported when it is first asked for: a program that needs a lock or a place
from this package does not wait for psycopg.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pglab.servers.choice import open_server
    from pglab.servers.durable import ServerStatus, status
    from pglab.servers.server import Capabilities, Server

__all__ = ["Capabilities", "Server", "ServerStatus", "open_server", "status"]

_MODULES = {
    "Capabilities": "server",
    "Server": "server",
    "ServerStatus": "durable",
    "open_server": "choice",
    "status": "durable",
}


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_MODULES[name]}"), name)
