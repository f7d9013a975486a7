"""Where the time of a command went, for ``--timings``."""

from __future__ import annotations

import time
from collections.abc import Mapping

from kit.cli.output import say


class Stopwatch:
    """Laps since this process began, each with a name."""

    def __init__(self) -> None:
        self.laps: dict[str, float] = {}
        self._began = _process_began()
        self._last = self._began
        self.lap("start Python and kit")

    def lap(self, name: str) -> None:
        """What has gone by since the last lap went into ``name``."""
        now = time.time()
        self.laps[name] = now - self._last
        self._last = now

    def split(self, name: str, parts: Mapping[str, float]) -> None:
        """Replace the lap ``name`` by its parts (in seconds) and what is left of it."""
        rest = self.laps.pop(name) - sum(parts.values())
        self.laps |= {**parts, name: max(rest, 0.0)}

    def show(self) -> None:
        """Print the laps and their sum on standard error."""
        say("Where the time went, in seconds:")
        for name, seconds in self.laps.items():
            say(f"{seconds:8.2f}  {name}")
        say(f"{self._last - self._began:8.2f}  all")


def _process_began() -> float:
    """When the operating system started this process, in seconds since the epoch.

    Linux counts in ticks since the machine started, which the clock of that name turns into a time;
    psutil's own conversion rounds to whole seconds there.
    """
    import psutil

    began = float(psutil.Process().create_time())
    if hasattr(time, "CLOCK_BOOTTIME"):
        since_boot = time.clock_gettime(time.CLOCK_BOOTTIME)
        began = time.time() - since_boot + (began - psutil.boot_time())
    return began
