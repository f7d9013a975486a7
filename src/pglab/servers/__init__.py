"""PostgreSQL servers: embedded, in a container, or given by URL."""

from __future__ import annotations

from pglab.servers.choice import open_server
from pglab.servers.durable import ServerStatus, status
from pglab.servers.server import Capabilities, Server

__all__ = ["Capabilities", "Server", "ServerStatus", "open_server", "status"]
