"""psql, PostgreSQL's own terminal, on the course's database."""

from __future__ import annotations

import contextlib
import shutil

from kit.errors import KitError
from pglab.errors import ServerStartError
from pglab.servers.binaries import find_binaries
from pglab.urls import parameters_of

_VARIABLES = {
    "host": "PGHOST", "port": "PGPORT", "user": "PGUSER", "password": "PGPASSWORD",
    "dbname": "PGDATABASE", "sslmode": "PGSSLMODE", "sslrootcert": "PGSSLROOTCERT",
    "options": "PGOPTIONS", "application_name": "PGAPPNAME", "channel_binding": "PGCHANNELBINDING",
}  # fmt: skip
"""Environment variables of libpq by connection parameter (PostgreSQL manual, libpq)."""


def find_psql() -> str:
    """The path of psql: the wheel's, which knows the newest server, or the machine's own.

    An older psql fails on a newer server: ``\\l`` of version 15 asks for columns that 18 has not.

    Raises:
        KitError: there is neither.
    """
    with contextlib.suppress(ServerStartError):
        program = find_binaries(18).program("psql")
        if program.is_file():
            return str(program)
    if found := shutil.which("psql"):
        return found
    msg = "There is no psql on this machine. Install PostgreSQL's client programs."
    raise KitError(msg)


def environment(url: str) -> dict[str, str]:
    """The URL as environment variables: an argument could be read by every user of the machine."""
    parameters = parameters_of(url)
    return {
        variable: parameters[name] for name, variable in _VARIABLES.items() if name in parameters
    }
