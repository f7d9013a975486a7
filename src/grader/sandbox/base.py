"""What a sandbox offers: cells for submissions, forked from a zygote that has its libraries."""

from __future__ import annotations

import contextlib
import json
import os
import re
import socket
import subprocess
import sys
from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

from grader.errors import SandboxError
from grader.sandbox.cell import Cell
from grader.text import clean
from grader.worker import control
from grader.worker.limits import Limits

WORKER = Path(__file__).resolve().parents[1] / "worker"
_START_SECONDS = 60.0
_CONTROL_SECONDS = 20.0
_RESIDENT = re.compile(r"^Rss(?:Anon|Shmem):\s*(\d+) kB$", re.MULTILINE)


class Sandbox(ABC):
    """A zygote in its backend, and the cells forked from it. Used by one thread at a time."""

    name: str
    isolated: bool

    def __init__(self, socket_dir: Path, *, hash_seed: int = 0) -> None:
        """A sandbox that is not started yet.

        Args:
            socket_dir: the directory of PostgreSQL's Unix socket.
            hash_seed: decides the order of sets in student code, 0 to 4294967295.
        """
        self._socket_dir = socket_dir
        self._hash_seed = hash_seed
        self._control: socket.socket | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._ready = False
        self._ahead: tuple[Limits, Cell] | None = None
        """The next cell, made while the one before is in use."""

    @property
    @abstractmethod
    def socket_dir_inside(self) -> str:
        """The directory of PostgreSQL's socket as the submission sees it."""

    @abstractmethod
    def _command(self, worker: Sequence[str], control: int) -> list[str]:
        """The command that runs ``worker`` in this backend, with ``control`` left open."""

    def _worker_options(self) -> dict[str, Any]:
        return {"isolated": self.isolated, "user": None}

    def start(self) -> Self:
        """Start the zygote and return at once; it imports its libraries meanwhile.

        Raises:
            SandboxError: the backend does not work on this machine.
        """
        if not hasattr(os, "fork"):
            raise SandboxError(
                "Student code runs in forked processes, which this system does not have. Check and "
                "grade on Linux or macOS; on Windows, inside WSL."
            )
        ours, theirs = socket.socketpair()
        options = {**self._worker_options(), "control": theirs.fileno()}
        worker = [sys.executable, "-s", "-P", str(WORKER), json.dumps(options)]
        try:
            self._process = subprocess.Popen(
                self._command(worker, theirs.fileno()),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                pass_fds=[theirs.fileno()],
                start_new_session=True,
                env=self._environment(),
            )
        except OSError as error:
            ours.close()
            msg = f"{self.name} could not be started: {error.strerror}."
            raise SandboxError(msg) from error
        finally:
            theirs.close()
        ours.settimeout(_START_SECONDS)
        self._control = ours
        self._ready = False
        return self

    def _environment(self) -> dict[str, str]:
        """Nothing of the judge's environment reaches the sandbox."""
        return {
            "PATH": "/usr/bin:/bin",
            "LANG": "C.UTF-8",
            "PYTHONUTF8": "1",
            "PYTHONHASHSEED": str(self._hash_seed),
        }

    def wait_ready(self) -> None:
        """Wait until the zygote has imported its libraries.

        Raises:
            SandboxError: it ended instead; the message says what it printed.
        """
        if self._ready:
            return
        assert self._control is not None, "start() comes first"
        try:
            received = control.receive(self._control)
        except OSError:
            received = None
        if received is None:
            raise SandboxError(f"{self.name} did not start: {self._last_words()}")
        self._control.settimeout(_CONTROL_SECONDS)
        self._ready = True

    def meet(self, url: str) -> None:
        """Let the zygote connect to a database once, so that later processes know the server.

        Args:
            url: SQLAlchemy's, as seen from inside, of a role that may do nothing any more before
                the next cell is asked for: the password stays in the memory of every cell.

        Raises:
            SandboxError: it did not work out. Cells work all the same, a little slower.
        """
        self.wait_ready()
        assert self._control is not None
        try:
            control.send(self._control, {"op": "meet", "url": url}, [])
            received = control.receive(self._control)
        except OSError as error:
            raise SandboxError(f"{self.name} does not answer: {error}") from error
        problem = "it ended" if received is None else received[0]["problem"]
        if problem:
            raise SandboxError(f"{self.name} could not meet the server: {problem}")

    def cell(self, limits: Limits | None = None) -> Cell:
        """A new cell for one submission; from a new zygote where there is none any more.

        Raises:
            SandboxError: none can be had.
        """
        limits = limits or Limits()
        if self._process is not None and self._process.poll() is not None:
            self.close()
        if self._control is None:
            self.start()
        try:
            cell = self._ready_cell(limits)
        except SandboxError:
            if self._process is not None and self._process.poll() is None:
                raise
            self.close()
            self.start()
            cell = self._ready_cell(limits)
        with contextlib.suppress(SandboxError):  # it will be told when a cell is needed
            self._ahead = (limits, self._new_cell(limits))
        return cell

    def prepare(self, limits: Limits | None = None) -> None:
        """Have the first cell made before it is asked for, as `cell` does with each next one."""
        if self._ahead is None:
            limits = limits or Limits()
            self._ahead = (limits, self._new_cell(limits))

    def _ready_cell(self, limits: Limits) -> Cell:
        """The cell that was made ahead, if it is of these limits; else a new one."""
        ahead, self._ahead = self._ahead, None
        if ahead is not None and ahead[0] == limits:
            cell = ahead[1]
        else:
            if ahead is not None:
                ahead[1].close()
            cell = self._new_cell(limits)
        try:
            cell.wait_ready()
        except SandboxError:
            cell.close()
            raise
        return cell

    def _new_cell(self, limits: Limits) -> Cell:
        """A cell that is being made."""
        self.wait_ready()
        assert self._control is not None
        ours, theirs = socket.socketpair()
        ours.settimeout(_CONTROL_SECONDS)
        try:
            request = {"op": "cell", "limits": limits.to_plain()}
            control.send(self._control, request, [theirs.fileno()])
            theirs.close()
            return Cell(ours, limits, self._last_words, self._group_memory, isolated=self.isolated)
        except OSError as error:
            ours.close()
            raise SandboxError(f"{self.name} is gone: {self._last_words()}") from error
        except BaseException:
            ours.close()
            raise
        finally:
            theirs.close()

    def close(self) -> None:
        """End the zygote. What was not closed before goes with it, or when it notices."""
        if self._ahead is not None:
            self._ahead[1].close()
            self._ahead = None
        if self._control is not None:
            self._control.close()
            self._control = None
        process, self._process = self._process, None
        if process is None:
            return
        if process.poll() is None:
            self._kill(process)
        process.wait()
        if process.stderr:
            process.stderr.close()

    def _kill(self, process: subprocess.Popen[bytes]) -> None:
        """End the zygote, which still runs. Its cells notice, tidy up and follow."""
        process.kill()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _last_words(self) -> str:
        process = self._process
        if process is None or process.stderr is None:
            return "it was closed."
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(timeout=1)
        os.set_blocking(process.stderr.fileno(), False)
        words = (process.stderr.read() or b"").decode(errors="replace").strip()
        if words:
            return clean(words.splitlines()[-1], 300)
        if process.returncode is None:
            return "it does not answer."
        return f"it ended with code {process.returncode}."

    def _group_memory(self) -> int:
        """Resident bytes of everything below the sandbox's process; 0 where it cannot be told."""
        return _resident_bytes(self._process.pid) if self._process else 0


def _resident_bytes(pid: int) -> int:
    """Memory that a process's descendants (Linux) hold and that is no file's. What several of them
    share counts for each.
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
