"""The checks of one submission at one exercise, as many at a time as there are judges."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from concurrent.futures import Future
from typing import TYPE_CHECKING

from grader.catalog import CheckSpec, Exercise
from grader.results import CheckResult
from grader.submissions import Submission

if TYPE_CHECKING:
    from grader.judge import Judge

_PATIENCE_S = 20.0


class Lanes:
    """Each judge works in a thread of its own and takes the next check that nobody has taken.

    As with several processes, each has a sandbox of its own, so that what one check uses of a limit
    is not counted to another, and all share the server.

    Args:
        judges: used by nobody else meanwhile.
        specs: the checks.
    """

    def __init__(
        self,
        judges: Sequence[Judge],
        submission: Submission,
        exercise: Exercise,
        specs: Sequence[CheckSpec],
    ) -> None:
        self.of = (submission.student, exercise.name)
        self._at = (submission, exercise)
        self._found: dict[str, Future[tuple[CheckResult, float]]] = {
            spec.name: Future() for spec in specs
        }
        self._waiting = iter(specs)
        self._mutex = threading.Lock()
        self._threads = [
            # The first one each, before any of them asks for a second.
            threading.Thread(target=self._work, args=(judge, spec), name="checks", daemon=True)
            for judge, spec in zip(judges, self._waiting, strict=False)
        ]
        for thread in self._threads:
            thread.start()

    def result(self, spec: CheckSpec) -> tuple[CheckResult, float]:
        """What a check found, when it has found it, and how many seconds that took."""
        return self._found[spec.name].result()

    def close(self) -> None:
        """Take up no more checks. Those that still run are broken off with their judges."""
        with self._mutex:
            self._waiting = iter(())
        if all(one.done() for one in self._found.values()):
            for thread in self._threads:
                thread.join(_PATIENCE_S)

    def _work(self, judge: Judge, first: CheckSpec) -> None:
        spec: CheckSpec | None = first
        try:
            with judge.desk(*self._at) as desk:
                while spec is not None:
                    following = self._next()
                    began = time.perf_counter()
                    result = desk.run(spec, more=following is not None)
                    self._found[spec.name].set_result((result, time.perf_counter() - began))
                    spec = following
        except BaseException as error:  # whoever waits for a check of this judge must hear of it
            for one in self._found.values():
                if not one.done():
                    one.set_exception(error)

    def _next(self) -> CheckSpec | None:
        with self._mutex:
            return next(self._waiting, None)
