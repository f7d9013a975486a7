"""How much memory processes hold, as Linux tells."""

from __future__ import annotations

import re
from pathlib import Path

_RESIDENT = re.compile(r"^Rss(?:Anon|Shmem):\s*(\d+) kB$", re.MULTILINE)


def resident_bytes(pid: int) -> int:
    """Memory that a process and its descendants hold and that is no file's; 0 where there is no
    ``/proc``. What several of them share counts for each.
    """
    total, pending = 0, [pid]
    while pending:
        process = Path("/proc", str(pending.pop()))
        try:
            status = (process / "status").read_text()
            # A thread's children are listed with the thread.
            for task in (process / "task").iterdir():
                pending += map(int, (task / "children").read_text().split())
        except (OSError, ValueError):
            continue
        total += 1024 * sum(map(int, _RESIDENT.findall(status)))
    return total
