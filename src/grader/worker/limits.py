"""What one submission's processes may use. Plain numbers: sent to the worker as JSON."""

from __future__ import annotations

import dataclasses
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

    def to_plain(self) -> dict[str, int]:
        return dataclasses.asdict(self)

    @classmethod
    def from_plain(cls, plain: dict[str, Any]) -> Limits:
        return cls(**plain)
