"""What a sandbox offers: a cell for each submission, one made ahead of need."""

from __future__ import annotations

import contextlib
import threading
import weakref
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Self

from grader.errors import SandboxError
from grader.sandbox.cell import Cell
from grader.worker.limits import Limits

Invitation = Callable[[], AbstractContextManager[str]]
WORKER = Path(__file__).resolve().parents[1] / "worker"
CONTROL_SECONDS = 20.0
"""How long a cell may take to do what it is told."""


class Sandbox(ABC):
    """A backend that has been started, and the cells in it, for one judge or several.

    Judges in several threads share it. A cell is only its judge's.
    """

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
        self._ahead: tuple[Limits, Cell] | None = None
        """The next cell, made while the one before is in use."""
        self._mutex = threading.RLock()
        """Held while a cell is asked for, and not while it is waited for."""
        self._cells: weakref.WeakSet[Cell] = weakref.WeakSet()
        self._closed = False

    @property
    def is_closed(self) -> bool:
        """Whether it has been closed: then everything in it ends, through no fault of its own."""
        return self._closed

    @property
    @abstractmethod
    def socket_dir_inside(self) -> str:
        """The directory of PostgreSQL's socket as the submission sees it."""

    @abstractmethod
    def start(self) -> Self:
        """Start and return at once; libraries are imported meanwhile.

        Raises:
            SandboxError: the backend does not work on this machine.
        """

    @abstractmethod
    def wait_ready(self) -> None:
        """Wait until the libraries are imported.

        Raises:
            SandboxError: the backend does not work after all; the message says why.
        """

    @abstractmethod
    def meet(self, invite: Invitation) -> None:
        """Let the sandbox connect to a database, if later processes then know the server, and it
        has not met it yet.

        Args:
            invite: makes SQLAlchemy's URL of it, as seen from inside, of a role that may do nothing
                any more afterwards: the password stays in the memory of every cell.

        Raises:
            SandboxError: it did not work out. Cells work all the same, a little slower.
        """

    @abstractmethod
    def preload(self, modules: Sequence[str]) -> None:
        """Have modules imported once for all cells that are made from now on, if cells share what
        was imported. They are libraries that instruments need, none of a submission's.
        """

    def cell(self, limits: Limits | None = None) -> Cell:
        """A new cell for one submission.

        Raises:
            SandboxError: none can be had.
        """
        limits = limits or Limits()
        try:
            cell = _ready(self._taken(limits))
        except SandboxError:  # what was made ahead may have ended, or the backend
            cell = _ready(self._taken(limits))
        with contextlib.suppress(SandboxError), self._mutex:  # told when a cell is needed
            if self._ahead is None:
                self._ahead = (limits, self._begun_cell(limits))
        return cell

    def close(self) -> None:
        """End all that runs in the sandbox, for good, whoever uses it; safe to call twice."""
        self._closed = True
        self._break_off()  # so that whoever holds the mutex is not kept waiting
        with self._mutex:
            self._end()
            for cell in self._cells:
                cell.hang_up()

    @abstractmethod
    def _new_cell(self, limits: Limits) -> Cell:
        """A cell that is being made, in a backend that is started first if need be."""

    @abstractmethod
    def _break_off(self) -> None:
        """Have the backend answer nobody any more."""

    @abstractmethod
    def _end(self) -> None:
        """End the backend with all that is in it; safe to call twice."""

    def _taken(self, limits: Limits) -> Cell:
        """The cell that was made ahead, if it is of these limits; else a new one."""
        with self._mutex:
            ahead, self._ahead = self._ahead, None
            if ahead is not None and ahead[0] == limits:
                return ahead[1]
            if ahead is not None:
                ahead[1].close()
            return self._begun_cell(limits)

    def _begun_cell(self, limits: Limits) -> Cell:
        if self._closed:
            raise SandboxError(f"{self.name} was closed.")
        cell = self._new_cell(limits)
        self._cells.add(cell)
        return cell

    def _close_ahead(self) -> None:
        if self._ahead is not None:
            self._ahead[1].close()
            self._ahead = None

    def _environment(self) -> dict[str, str]:
        """Nothing of the judge's environment reaches the sandbox."""
        return {
            "PATH": "/usr/bin:/bin",
            "LANG": "C.UTF-8",
            "PYTHONUTF8": "1",
            "PYTHONHASHSEED": str(self._hash_seed),
        }

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _ready(cell: Cell) -> Cell:
    try:
        cell.wait_ready()
    except SandboxError:
        cell.close()
        raise
    return cell
