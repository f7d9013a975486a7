"""What a process has allocated stays what it is when it is gathered in huge pages."""

from __future__ import annotations

import platform
import subprocess
import sys
from pathlib import Path

PROGRAM = """
import re
from pathlib import Path
from grader.worker import hugepages

def huge_kb():
    told = Path("/proc/self/smaps_rollup")
    memory = told.read_text() if told.exists() else "AnonHugePages: 0 kB"
    return int(re.search(r"AnonHugePages: +([0-9]+) kB", memory)[1])

numbers = bytearray(range(256)) * 262_144
words = [f"word {number}" for number in range(200_000)]
before = huge_kb()
hugepages.collapse()
assert numbers == bytearray(range(256)) * 262_144
assert words == [f"word {number}" for number in range(200_000)]
print(huge_kb() - before)
"""


def test_memory_is_gathered_and_keeps_its_content() -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True
    )
    gathered_kb = int(done.stdout)
    if _can_gather():
        assert gathered_kb >= 48 * 1024
    else:
        assert gathered_kb == 0


def _can_gather() -> bool:
    """Linux alone gathers pages when it is asked to, since 6.1; elsewhere nothing happens."""
    if sys.platform != "linux":
        return False
    release = tuple(int(part) for part in platform.release().split("-")[0].split(".")[:2])
    return release >= (6, 1) and Path("/sys/kernel/mm/transparent_hugepage/enabled").exists()
