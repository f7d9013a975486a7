"""What a check needs of the machine, made ready before anybody asks for it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable
from typing import TYPE_CHECKING, Self

import psycopg

from grader.catalog import Exercise
from grader.errors import GraderError
from grader.judge import Judge
from grader.plugin import Prestarted
from grader.sandbox import Sandbox, open_sandbox
from pglab.errors import PglabError
from pglab.scratch import Scratch
from pglab.servers.server import Server

if TYPE_CHECKING:
    from pathlib import Path

_STOCK = 16
"""Databases at most that are made in advance; each takes some megabytes."""
_SPARE = 3
"""Beyond one for each check: for the sandbox to meet the server, and two ahead."""


class Standby:
    """A server, a sandbox that knows it, and databases, for the checks of a learner's own work.

    It serves one run of checks: the order of sets in student code depends on the run's seed, and
    that is settled when the sandbox starts.

    Args:
        socket_dir: where the server's socket is or will be.
        choice: the sandbox that was asked for; see `grader.sandbox.open_sandbox`.
        seed: of the run.

    Raises:
        GraderError: the sandbox cannot be had.
    """

    def __init__(self, socket_dir: Path, *, choice: str, seed: int) -> None:
        self.choice = choice
        self.seed = seed
        self.sandbox: Sandbox = open_sandbox(
            choice, socket_dir=socket_dir, own_work=True, seed=seed
        )
        self._server: Server | None = None
        self._judge: Judge | None = None

    def attach(self, server: Server) -> None:
        """Have the judge meet a server that is started, and clear up what a killed one left there.

        Raises:
            PglabError: the server is not as it must be.
        """
        with Scratch(server) as scratch:
            scratch.sweep()
        self._server = server
        self._judge = Judge(server, self.sandbox, seed=self.seed)

    def prepare(self, exercises: Iterable[Exercise]) -> None:
        """Have databases of these exercises made, and a cell for the submission.

        Raises:
            GraderError, PglabError: that is not possible.
        """
        assert self._judge is not None, "attach() comes first"
        for exercise in exercises:
            checks = sum(spec.visible for spec in exercise.checks)
            self._judge.prepare(exercise, stock=min(checks + _SPARE, _STOCK))
        self.sandbox.prepare()

    def fits(self, choice: str, seed: int | None) -> bool:
        """Whether a run that asks for this sandbox and this seed (None: any) can have it."""
        return choice == self.choice and seed in (None, self.seed)

    def lend(self) -> tuple[Server, Prestarted]:
        """What a grading uses and leaves open."""
        assert self._server is not None, "attach() comes first"
        return self._server, Prestarted(self.sandbox, self._judge)

    def close(self) -> None:
        """Give everything up. What cannot be dropped is swept by the next one on this server."""
        judge, self._judge = self._judge, None
        with contextlib.suppress(GraderError, PglabError, psycopg.Error, OSError):
            if judge is not None:
                judge.close()
        self.sandbox.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
