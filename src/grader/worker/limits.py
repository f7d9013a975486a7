"""What one submission's processes may use. Plain numbers: sent to the worker as JSON."""

from __future__ import annotations

import dataclasses
import errno
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits of one submission. Those marked *each* hold for every process, the others for the
    group.
    """

    address_space_bytes: int = 1536 * 1024 * 1024
    """Address space, each."""
    memory_bytes: int = 768 * 1024 * 1024
    """Resident memory, watched by the judge."""
    processes: int = 48
    """Processes and threads."""
    file_bytes: int = 64 * 1024 * 1024
    """Size of a file, each."""
    open_files: int = 256
    """Open files, each."""
    cpu_seconds: int = 60
    """Processor time, each."""
    disk_bytes: int = 64 * 1024 * 1024
    """Everything written to the home, temporary and shared-memory directories, each directory."""
    disk_files: int = 4096
    output_bytes: int = 16 * 1024 * 1024
    """What may be printed before the process is ended; far less is kept."""
    connections: int = 10
    """To PostgreSQL, at a time. The server holds it; here it is known so that it can be named."""
    statement_seconds: int = 5
    """For one statement; the server holds this one too."""

    def to_plain(self) -> dict[str, int]:
        return dataclasses.asdict(self)

    @classmethod
    def from_plain(cls, plain: dict[str, Any]) -> Limits:
        return cls(**plain)


_MB = 1024 * 1024
_LATE_S = 1.0
"""So much later than its limit a statement may be seen to end on a busy machine."""


def broken_limit(error: BaseException, message: str, limits: Limits, lasted: float = 0.0) -> str:
    """The limit that an exception tells of, in words to stand behind its message; else empty.

    Args:
        lasted: seconds that the statement took which failed. One that its own author has given less
            time, or that a fault has ended, did not reach the limit.
    """
    if isinstance(error, MemoryError):
        told = f"a process has {limits.address_space_bytes // _MB} MB of memory"
    elif isinstance(error, RuntimeError) and "can't start new thread" in message:
        told = f"{limits.processes} processes and threads may run at a time"
    elif "too many connections for role" in message:  # libpq gives no SQLSTATE here
        told = f"{limits.connections} connections may be open at a time"
    elif (
        "canceling statement due to statement timeout" in message
        and 0 <= lasted - limits.statement_seconds < _LATE_S
    ):
        told = f"a statement may take {limits.statement_seconds} seconds"
    elif isinstance(error, OSError) and error.errno in _LIMITED:
        told = _LIMITED[error.errno].format(
            processes=limits.processes,
            files=limits.open_files,
            file_mb=limits.file_bytes // _MB,
            disk_mb=limits.disk_bytes // _MB,
            disk_files=limits.disk_files,
        )
    else:
        return ""
    return f" (a limit of the sandbox: {told})"


_LIMITED = {
    errno.EAGAIN: "{processes} processes and threads may run at a time",
    errno.EMFILE: "{files} files may be open at a time",
    errno.EFBIG: "a file may have {file_mb} MB",
    errno.ENOSPC: "its folders hold {disk_mb} MB and {disk_files} files each",
}
