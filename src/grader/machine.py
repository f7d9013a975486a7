"""This machine as the place where a grading is done: a server, a sandbox, and some processes."""

from __future__ import annotations

import contextlib
import importlib
import os
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, Self

from grader.evidence import evidence_of
from grader.judge import Judge
from grader.lanes import Lanes, Row
from grader.plan import Plan, fingerprint
from grader.results import Evidence
from grader.sandbox import open_sandbox
from grader.starting import ServerStart
from grader.work import DeskKey, Work
from pglab.errors import PglabError
from pglab.scratch import Scratch
from pglab.servers import Server
from pglab.servers.attached import Attachment

if TYPE_CHECKING:
    from grader.gathered import Gathered
    from grader.standby import Standby

_LANES = 2
"""Judges of one process: as many as keep two processors busy."""


class Workplace(Protocol):
    """Where a grading is done. A context manager: what it needs is there while inside."""

    evidence: Evidence
    """What results from here are found with."""

    def __enter__(self) -> Self: ...

    def __exit__(self, *_: object) -> None: ...

    def run(self, work: Work, done: Collection[DeskKey], gathered: Gathered) -> None:
        """Run every check of the work but those at the desks that are done.

        Raises:
            GraderError: nothing could be graded.
        """


class Machine:
    """A server and a sandbox on this machine, and processes that share them.

    Args:
        course_root: the folder with ``exercises/``.
        paths: of the classes and submissions that the work was read from.
        home: where the kit keeps its state.
        database: ``auto``, ``embedded``, ``container`` or a URL.
        sandbox: ``auto``, ``bubblewrap``, ``container`` or ``process``.
        seed: of the run.
        jobs: processes.
        own_work: the code is the user's own, so that a mere process may do as sandbox.
        standby: has a server, a sandbox and judges that are used in place of new ones.
        say: told in a line what was chosen and why.
    """

    evidence: Evidence

    def __init__(
        self,
        course_root: Path,
        paths: Sequence[Path],
        *,
        home: Path,
        database: str,
        sandbox: str,
        seed: int,
        jobs: int,
        own_work: bool,
        standby: Standby | None = None,
        say: Callable[[str], None],
    ) -> None:
        self._course_root = course_root
        self._paths = paths
        self._home = home
        self._database = database
        self._sandbox_choice = sandbox
        self._seed = seed
        self._jobs = jobs
        self._own_work = own_work
        self._standby = standby
        self._say = say

    def __enter__(self) -> Self:
        with contextlib.ExitStack() as stack:
            if self._standby:
                self._server, self._sandbox, self._judges = self._standby.lend()
            else:
                self._start(stack)
            self.evidence = evidence_of(self._server, self._sandbox, seed=self._seed)
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def run(self, work: Work, done: Collection[DeskKey], gathered: Gathered) -> None:
        """See `Workplace`."""
        from grader.session import run_lanes, run_plan

        desks = [key for key, _, _ in work.desks() if key not in done]
        if not desks and done:
            return
        jobs = min(self._jobs, len(desks))
        try:
            if jobs > 1:
                self._sandbox.close()  # each process has one of its own
                run_plan(self._plan(work, done), jobs, gathered)
            else:  # they begin while pytest starts
                with contextlib.closing(self._lanes(work, done)) as lanes:
                    run_lanes(lanes, gathered)
        finally:
            if self._server.durable and not self._standby:
                _sweep(self._server)  # what a process left that was killed

    def _plan(self, work: Work, done: Collection[DeskKey]) -> Plan:
        return Plan(
            course_root=str(self._course_root.resolve()),
            paths=tuple(os.path.abspath(p) for p in self._paths),
            exercises=tuple(e.name for e in work.exercises),
            visible_only=work.visible_only,
            until_failure=work.until_failure,
            seed=self._seed,
            sandbox=self.evidence.sandbox,
            own_work=self._own_work,
            server=Attachment.of(self._server).to_plain(),
            fingerprint=fingerprint(work.submissions, work.exercises),
            done=tuple(sorted(done)),
        )

    def _lanes(self, work: Work, done: Collection[DeskKey]) -> Lanes:
        rows = [
            Row(key, submission, exercise, work.turns(exercise))
            for key, submission, exercise in work.desks()
            if key not in done
        ]
        waited_for = any(spec.name in work.first for row in rows[:1] for spec in row.specs)
        return Lanes(self._judges, rows, until_failure=work.until_failure, waited_for=waited_for)

    def _start(self, stack: contextlib.ExitStack) -> None:
        """Start a server and a sandbox, which end with the stack."""
        start = stack.enter_context(ServerStart(self._database, home=self._home, say=self._say))
        self._sandbox = open_sandbox(
            self._sandbox_choice,
            socket_dir=start.socket_dir(),
            own_work=self._own_work,
            seed=self._seed,
        )
        stack.callback(self._sandbox.close)
        # pytest, which that needs, takes a while to import; server and sandbox start meanwhile.
        importlib.import_module("grader.session")
        self._server = start.server()
        if self._server.durable:
            _sweep(self._server)
        self._judges = [self._judge] * _LANES

    def _judge(self) -> Judge:
        return Judge(self._server, self._sandbox, seed=self._seed)


def _sweep(server: Server) -> None:
    """Drop what killed processes left on a server that outlives them."""
    with contextlib.suppress(PglabError), Scratch(server) as scratch:
        scratch.sweep()
