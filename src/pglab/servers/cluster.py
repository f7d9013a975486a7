"""The programs that make and run a database cluster, as argument lists."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from pglab.servers.binaries import Binaries
from pglab.servers.settings import (
    DISPOSABLE_FROM_18,
    KERNEL_COPIES_FROM_18,
    as_arguments,
    settings_for,
)

__all__ = ["ADMIN", "environment", "initdb_command", "locale_arguments", "postgres_command"]

ADMIN = "postgres"
"""The superuser of the servers that the kit runs."""


def initdb_command(
    binaries: Binaries, data: Path, password_file: Path, *, disposable: bool
) -> list[str]:
    """``initdb`` for a cluster in UTF-8 whose every connection needs a password."""
    command = [
        str(binaries.program("initdb")),
        f"--pgdata={data}",
        "--encoding=UTF8",
        *locale_arguments(binaries.major, sys.platform),
        f"--username={ADMIN}",
        f"--pwfile={password_file}",
        "--auth=scram-sha-256",
        "--no-instructions",
    ]
    if disposable:
        # Small files are quickly copied; checksums guard data that somebody wants to keep.
        command += ["--no-sync", "--wal-segsize=4"]
        command += ["--no-data-checksums"] if binaries.major >= 18 else []
    return command


def locale_arguments(major: int, platform: str) -> list[str]:
    """Code point order and Unicode letters, the same on every machine.

    Linux brings the locale C.UTF-8; elsewhere PostgreSQL 17 and later bring it themselves, and an
    earlier version sorts the same but knows only ASCII letters.
    """
    if platform.startswith("linux"):
        return ["--locale=C.UTF-8"]
    if major >= 17:
        return ["--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    return ["--locale=C"]


def postgres_command(
    binaries: Binaries, data: Path, *, socket_dir: Path | None, port: int, disposable: bool
) -> list[str]:
    """``postgres`` on a Unix socket only, or on the loopback address where there is none."""
    settings = settings_for(disposable=disposable) | {"port": str(port)}
    if disposable and binaries.major >= 18:
        settings |= DISPOSABLE_FROM_18
        if _kernel_copies(data):
            settings |= KERNEL_COPIES_FROM_18
    if socket_dir is None:
        settings |= {"listen_addresses": "127.0.0.1", "unix_socket_directories": ""}
    else:
        settings |= {"listen_addresses": "", "unix_socket_directories": str(socket_dir)}
        if disposable:
            # Shared memory in the data directory goes with it, even if the server is killed.
            settings |= {"dynamic_shared_memory_type": "mmap"}
    return [str(binaries.program("postgres")), "-D", str(data), *as_arguments(settings)]


def _kernel_copies(data: Path) -> bool:
    """Whether files of a data directory can be copied by copy_file_range(2), as the server would:
    it does not fall back on anything else.
    """
    if not hasattr(os, "copy_file_range"):
        return False
    copy = data / "copied"
    try:
        with (data / "PG_VERSION").open("rb") as source, copy.open("wb") as target:
            return os.copy_file_range(source.fileno(), target.fileno(), 1) == 1
    except OSError:
        return False
    finally:
        copy.unlink(missing_ok=True)


def environment() -> dict[str, str]:
    """The environment of the server: nothing of ours but what the system needs.

    A stray PGDATA or PGPORT would change what is started, and the server's functions can show
    what it was given.
    """
    kept = ("PATH", "SYSTEMROOT", "TEMP", "TMP", "TMPDIR", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH")
    return {name: os.environ[name] for name in kept if name in os.environ} | {"LC_ALL": "C"}
