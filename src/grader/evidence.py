"""What results are found with: the kit, the server, the sandbox and the libraries."""

from __future__ import annotations

import platform
from importlib.metadata import version

from grader.results import Evidence
from grader.sandbox import Sandbox
from pglab.servers import Server

_LIBRARIES = ("alembic", "psycopg", "sqlalchemy")


def evidence_of(server: Server, sandbox: Sandbox, *, seed: int) -> Evidence:
    """What is found with this server and sandbox, and data made from this seed."""
    return Evidence(version("kit"), seed, sandbox.name, server.kind, server.version, surroundings())


def surroundings() -> dict[str, str]:
    """The versions of what student code meets, apart from the server, and the kind of processor."""
    found = {name: version(name) for name in _LIBRARIES}
    return {"python": platform.python_version(), "machine": platform.machine(), **found}
