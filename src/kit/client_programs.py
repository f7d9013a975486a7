"""PostgreSQL's own programs that fit a server: the wheel's, or the machine's."""

from __future__ import annotations

import contextlib
import re
import shutil
import subprocess
from pathlib import Path

from pglab.errors import ServerStartError
from pglab.servers.binaries import find_binaries

IN_THE_WHEEL = (16, 18)


def directory(server_version: str) -> Path | None:
    """Where the programs are that fit a server best; None: where the PATH finds them.

    A program of the server's own version is best, then the next newer one: an older one does not
    know all that the server can hold.

    Args:
        server_version: as the server tells it, ``18.4`` or ``15.18 (Debian 15.18-0+deb12u1)``.
    """
    wanted = int(re.split(r"\D", server_version, maxsplit=1)[0])
    found = _on_the_path() | _in_the_wheel()
    fitting = [major for major in found if major >= wanted]
    return found[min(fitting)] if fitting else None


def _in_the_wheel() -> dict[int, Path | None]:
    found: dict[int, Path | None] = {}
    for major in IN_THE_WHEEL:
        with contextlib.suppress(ServerStartError):
            found[major] = find_binaries(major).program("pg_dump").parent
    return found


def _on_the_path() -> dict[int, Path | None]:
    program = shutil.which("pg_dump")
    if program is None:
        return {}
    printed = subprocess.run(
        [program, "--version"], capture_output=True, text=True, check=False
    ).stdout
    major = re.search(r"\) (\d+)", printed)
    return {int(major[1]): None} if major else {}
