"""What a check needs of the machine, made ready before anybody asks for it."""

from __future__ import annotations

import contextlib
import itertools
import math
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Self

import psycopg

from grader.catalog import Exercise
from grader.errors import GraderError
from grader.judge import Judge
from grader.lanes import Opened, left_open
from grader.sandbox import Sandbox, open_sandbox
from pglab.errors import PglabError
from pglab.scratch import Scratch
from pglab.servers.server import Server

if TYPE_CHECKING:
    from pathlib import Path

_STOCK = 16
"""Databases at most that are made in advance; each takes some megabytes."""
_SPARE = 3
"""Of each judge, beyond one for each check: for the sandbox to meet the server, and two ahead."""
_LAID = 2
"""Checks of each judge that are made ready whole; a process waits for each."""


class Standby:
    """A server, a sandbox that knows it, and databases, for the checks of a learner's own work.

    It serves one run of checks: the order of sets in student code depends on the run's seed, and
    that is settled when the sandbox starts.

    Args:
        socket_dir: where the server's socket is or will be.
        choice: the sandbox that was asked for; see `grader.sandbox.open_sandbox`.
        seed: of the run.
        lanes: how many checks run side by side, each with a judge of its own.

    Raises:
        GraderError: the sandbox cannot be had.
    """

    def __init__(self, socket_dir: Path, *, choice: str, seed: int, lanes: int = 1) -> None:
        self.seed = seed
        self._server: Server | None = None
        self._lanes = lanes
        self._judges: list[Judge] = []
        self._sandbox = open_sandbox(choice, socket_dir=socket_dir, own_work=True, seed=seed)

    def attach(self, server: Server) -> None:
        """Have the judges meet a server that is started, and clear up what a killed one left there.

        Raises:
            PglabError: the server is not as it must be.
        """
        with Scratch(server) as scratch:
            scratch.sweep()
        self._server = server
        self._judges = [Judge(server, self._sandbox, seed=self.seed) for _ in range(self._lanes)]

    def prepare(self, exercises: Sequence[Exercise]) -> None:
        """Have databases of these exercises made, and all that their first checks need, but the
        submission.

        Raises:
            GraderError, PglabError, psycopg.Error: that is not possible.
        """
        assert self._judges, "attach() comes first"
        with ThreadPoolExecutor(len(self._judges)) as threads:
            for exercise in exercises:
                # To ask for the results is to hear what went wrong.
                list(threads.map(self._prepare, self._judges, itertools.repeat(exercise)))

    def _prepare(self, judge: Judge, exercise: Exercise) -> None:
        visible = sum(check.visible for check in exercise.checks)
        each = math.ceil(visible / len(self._judges)) + _SPARE
        judge.prepare(exercise, stock=min(each, _STOCK // len(self._judges)))
        judge.lay(exercise, _LAID)

    def lend(self) -> tuple[Server, Sandbox, Sequence[Opened]]:
        """What a grading uses and leaves open."""
        assert self._server is not None, "attach() comes first"
        return self._server, self._sandbox, [left_open(judge) for judge in self._judges]

    def close(self) -> None:
        """Give everything up. What cannot be dropped is swept by the next one on this server."""
        judges, self._judges = self._judges, []
        for judge in judges:
            with contextlib.suppress(GraderError, PglabError, psycopg.Error, OSError):
                judge.close()
        self._sandbox.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
