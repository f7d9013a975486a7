"""The process that is a PostgreSQL server: find it, prove that it is that, wait for it, end it."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import psutil

__all__ = [
    "PidFile",
    "complaint",
    "end_postmaster",
    "postmaster_of",
    "processes_in",
    "read_pid_file",
    "wait_ready",
]

_FULL = 1 << 20
"""Bytes of free space below which a disk is full: the server cannot even write why it ended."""
_COLLECTOR_S = 2.0
"""Seconds that the log collector has to write its last lines."""


@dataclass(frozen=True)
class PidFile:
    """What ``postmaster.pid`` says (PostgreSQL source, ``src/include/utils/pidfile.h``)."""

    pid: int
    port: int | None
    status: str


def read_pid_file(data: Path) -> PidFile | None:
    """The pid file of a data directory, or None where there is none or it is not readable yet."""
    try:
        lines = (data / "postmaster.pid").read_text(encoding="utf-8", errors="replace").split("\n")
        pid = int(lines[0])
    except (OSError, ValueError):
        return None
    lines += [""] * (8 - len(lines))
    port = lines[3].strip()
    return PidFile(abs(pid), int(port) if port.isdigit() else None, lines[7].strip())


def postmaster_of(data: Path) -> psutil.Process | None:
    """The live process that serves a data directory, or None.

    A process number is used again after its process ends, so the number in the file proves
    nothing: the process must also have this very directory as its working directory, as every
    PostgreSQL server has.
    """
    import psutil

    found = read_pid_file(data)
    if found is None:
        return None
    try:
        process = psutil.Process(found.pid)
        if process.status() == psutil.STATUS_ZOMBIE or not _works_in(process, data):
            return None
    except psutil.Error:
        return None
    return process


def processes_in(data: Path) -> list[psutil.Process]:
    """All processes whose working directory is a data directory: a server or what is left of it."""
    import psutil

    found = []
    for process in psutil.process_iter():
        try:
            if process.status() != psutil.STATUS_ZOMBIE and _works_in(process, data):
                found.append(process)
        except psutil.Error:
            continue
    return found


def _works_in(process: psutil.Process, data: Path) -> bool:
    cwd = process.cwd()
    return bool(cwd) and os.path.realpath(cwd) == os.path.realpath(data)


def wait_ready(
    data: Path, alive: Callable[[], bool], *, timeout_s: float, pause_s: float = 0.004
) -> bool:
    """Wait until the server of a data directory takes connections.

    Reads the status line that the server writes in its pid file, as ``pg_ctl`` does. Returns
    False when the process ended first.

    Raises:
        TimeoutError: it runs, but is not ready in time.
    """
    deadline = time.monotonic() + timeout_s
    while True:
        living = alive()
        found = read_pid_file(data)
        if found is not None and found.status == "ready":
            return True
        if not living:
            return False
        if time.monotonic() > deadline:
            raise TimeoutError(f"not ready after {timeout_s:.0f} seconds")
        time.sleep(pause_s)


def end_postmaster(process: psutil.Process, *, patience_s: float = 20.0) -> None:
    """Stop a server: fast shutdown, immediate shutdown, and by force, until it is gone.

    Source: PostgreSQL manual, "Shutting Down the Server".
    """
    import psutil

    numbers: tuple[int, ...] = (signal.SIGTERM,)
    if sys.platform != "win32":
        numbers = (signal.SIGINT, signal.SIGQUIT, signal.SIGKILL)
    children = _children(process)
    for number in numbers:
        try:
            process.send_signal(number)
        except psutil.NoSuchProcess:
            break
        if _gone([process], patience_s):
            break
    else:
        # The processes of a server that was killed notice that it is gone and follow.
        _gone(children, patience_s)


def _gone(processes: list[psutil.Process], patience_s: float) -> bool:
    """Wait for processes to end; a zombie has ended, also where nobody fetches its exit code."""
    deadline = time.monotonic() + patience_s
    while any(_lives(process) for process in processes):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.005)
    return True


def _lives(process: psutil.Process) -> bool:
    import psutil

    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _children(process: psutil.Process) -> list[psutil.Process]:
    import psutil

    try:
        return process.children(recursive=True)
    except psutil.Error:
        return []


def complaint(output: Path, data: Path) -> str:
    """The last thing that a server said before it ended: its FATAL, PANIC or ERROR message.

    Waits for the log collector, which may still be writing when the server has ended.
    """
    if _free_bytes(data) < _FULL:
        return "No space left on device"
    _gone(processes_in(data), _COLLECTOR_S)
    spoken = _last_lines(output)
    for line in reversed(spoken):
        for mark in ("PANIC:", "FATAL:", "ERROR:", "error:"):
            if mark in line:
                return line.split(mark, 1)[1].strip()
    for line in reversed(_last_lines(_newest_log(data))):
        try:
            entry = json.loads(line)
        except ValueError:
            continue
        # Why a client's session ended, in an earlier run perhaps, is not why the server did.
        if entry.get("backend_type") == "client backend":
            continue
        if entry.get("error_severity") in {"FATAL", "PANIC"}:
            return str(entry.get("message", ""))
    return " ".join(line.strip() for line in spoken[-3:])


def _free_bytes(directory: Path) -> int:
    while not directory.exists():
        directory = directory.parent
    return shutil.disk_usage(directory).free


def _newest_log(data: Path) -> Path | None:
    try:
        return max((data / "log").glob("*.json"), default=None)
    except OSError:
        return None


def _last_lines(path: Path | None, limit: int = 65536) -> list[str]:
    if path is None:
        return []
    try:
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - limit))
            text = file.read().decode("utf-8", "replace")
    except OSError:
        return []
    return [line for line in text.splitlines() if line.strip()]
