"""Whether the kernel has killed for want of memory in the cell's control group.

Sources: the kernel's ``admin-guide/cgroup-v2.rst`` (``memory.events``) and
``admin-guide/cgroup-v1/memory.rst`` (``memory.oom_control``).
"""

from __future__ import annotations

import re
from pathlib import Path

_COUNTERS = (
    Path("/sys/fs/cgroup/memory.events"),
    Path("/sys/fs/cgroup/memory/memory.oom_control"),
)
_KILLS = re.compile(r"^oom_kill (\d+)$", re.MULTILINE)


class GroupMemory:
    """Counts the kernel's kills. Outside a container there is no counter, and it sees none."""

    def __init__(self) -> None:
        self._seen = _kills()

    def has_killed_again(self) -> bool:
        """Whether there was one since this was asked last."""
        kills = _kills()
        again, self._seen = kills > self._seen, kills
        return again


def _kills() -> int:
    for counter in _COUNTERS:
        try:
            found = _KILLS.search(counter.read_text())
        except OSError:
            continue
        if found:
            return int(found[1])
    return 0
