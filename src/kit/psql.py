"""psql, PostgreSQL's own terminal, on the course's database."""

from __future__ import annotations

import shutil
from pathlib import Path

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
    """The path of psql: the machine's own, which knows the user's habits, or the wheel's.

    Raises:
        KitError: there is neither.
    """
    if found := shutil.which("psql"):
        return found
    try:
        program: Path = find_binaries(18).program("psql")
    except ServerStartError as error:
        raise KitError(str(error)) from error
    if not program.is_file():
        msg = "There is no psql on this machine. Install PostgreSQL's client programs."
        raise KitError(msg)
    return str(program)


def environment(url: str) -> dict[str, str]:
    """The URL as environment variables: an argument could be read by every user of the machine."""
    parameters = parameters_of(url)
    return {
        variable: parameters[name] for name, variable in _VARIABLES.items() if name in parameters
    }
