"""PostgreSQL's own programs: which one, how it is told where the server is, what it says."""

import os
import re
import shutil
import subprocess
from pathlib import Path

from psycopg.conninfo import conninfo_to_dict, make_conninfo

from tracker.db import sqlalchemy_url
from tracker.errors import BackupError


def run(name: str, *arguments: str, programs: Path | None, url: str | None = None) -> str:
    """Run one of PostgreSQL's programs to its end, and return what it printed.

    The password travels in the environment: every user of the machine can read the words of a
    command. Whatever ends the wait, Ctrl-C included, ends the program too.

    Arguments:
        programs: the directory that holds it; None: where PATH finds it.
        url: of the database that it works on.

    Raises:
        BackupError: there is no such program, or it failed.
    """
    command, environment = [_path(name, programs), *arguments], dict(os.environ)
    if url is not None:
        place, password = _place(url)
        command += ["--no-password", f"--dbname={place}"]
        if password is not None:
            environment["PGPASSWORD"] = password
    try:
        done = subprocess.run(
            command, env=environment, capture_output=True, text=True, errors="replace", check=True
        )
    except subprocess.CalledProcessError as error:
        raise BackupError(f"{name} failed: {error.stderr.strip()}") from error
    except OSError as error:
        raise BackupError(f"{command[0]} does not run: {error.strerror}.") from error
    return done.stdout


def require_version(name: str, server_major: int, programs: Path | None) -> None:
    """Make sure that a program knows all that the server can hold.

    Raises:
        BackupError: it is of an older major version than the server.
    """
    printed = run(name, "--version", programs=programs)
    found = re.search(r"\) (\d+)", printed)
    major = int(found[1]) if found else 0
    if major < server_major:
        raise BackupError(
            f"{name} is of version {major}, and the server of version {server_major}: an older "
            f"program does not know all that a newer server holds. Install PostgreSQL "
            f"{server_major}'s client programs, or name the folder where they are."
        )


def _path(name: str, programs: Path | None) -> str:
    found = shutil.which(name, path=programs)
    if found is None:
        where = "on the PATH" if programs is None else f"in {programs}"
        raise BackupError(
            f"There is no {name} {where}. Install PostgreSQL's client programs (on Debian and "
            "Ubuntu: postgresql-client)."
        )
    return found


def _place(url: str) -> tuple[str, str | None]:
    """Return how libpq finds the database, and the password apart from it."""
    parsed = sqlalchemy_url(url).set(drivername="postgresql")
    found = conninfo_to_dict(parsed.render_as_string(hide_password=False))
    parameters = {name: str(value) for name, value in found.items() if value is not None}
    password = parameters.pop("password", None)
    parameters.pop("sslpassword", None)  # libpq has no environment variable for it
    return make_conninfo(**parameters), password
