"""Judges that work side by side in one process, each at a desk of its own.

One judge alone leaves processors idle: while PostgreSQL and the submission work, it waits.
"""

from __future__ import annotations

import contextlib
import queue
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from grader import findings
from grader.catalog import CheckSpec, Exercise
from grader.gathered import Judged
from grader.results import Outcome
from grader.submissions import Submission
from grader.work import CheckKey, DeskKey

if TYPE_CHECKING:
    from grader.desk import Desk
    from grader.judge import Judge

_PATIENCE_S = 20.0

Found = Judged | Exception | None
"""What came of a check: a result, or why there is none; None where one before it failed, and that
is enough.
"""


Opened = Callable[[], "AbstractContextManager[Judge]"]
"""Opens a judge."""


def left_open(judge: Judge) -> Opened:
    """Lends a judge that stays open."""
    return lambda: contextlib.nullcontext(judge)


@dataclass(eq=False)
class Row:
    """The checks of one submission at one exercise, in the order in which they are run."""

    key: DeskKey
    submission: Submission
    exercise: Exercise
    specs: Sequence[CheckSpec]
    waiting: deque[CheckSpec] = field(init=False)
    found: dict[str, Found] = field(init=False, default_factory=dict)
    told: int = field(init=False, default=0)

    def __post_init__(self) -> None:
        self.waiting = deque(self.specs)


Task = tuple[Row, CheckSpec]


class Lanes:
    """Runs checks in threads of its own, and tells of each.

    A judge does all checks of a desk, because each desk costs it a role and a cell; where there is
    no desk left, it helps another. What is told of one desk comes in the order of its checks, and
    of all desks as it is known.

    Args:
        judges: each opens one that nobody else uses meanwhile. They may share a sandbox.
        rows: what is to be done.
        until_failure: leave out the checks of a desk after one that fails.
        waited_for: somebody waits for the very first check. It has the machine for itself, and the
            other judges begin when it is told.
    """

    def __init__(
        self,
        judges: Sequence[Opened],
        rows: Iterable[Row],
        *,
        until_failure: bool = False,
        waited_for: bool = False,
    ) -> None:
        self._untouched = deque(row for row in rows if row.specs)
        self._begun: list[Row] = []
        """Those that have checks that nobody has taken."""
        self._left = sum(len(row.specs) for row in self._untouched)
        self._until_failure = until_failure
        self._told: queue.SimpleQueue[tuple[CheckKey, Found]] = queue.SimpleQueue()
        self._mutex = threading.Lock()
        self._open: list[Judge] = []
        self._closed = False
        self._others = threading.Event()
        """Set when all judges but the first may begin."""
        if not waited_for:
            self._others.set()
        # The first one each, before any of them asks for a second.
        firsts = [(judge, first) for judge in judges if (first := self._next(None))]
        self._threads = [
            threading.Thread(
                target=self._work, args=[judge, first, number > 0], name="checks", daemon=True
            )
            for number, (judge, first) in enumerate(firsts)
        ]
        self._working = len(self._threads)
        for thread in self._threads:
            thread.start()

    def __iter__(self) -> Iterator[tuple[CheckKey, Found]]:
        """What comes of every check, each once."""
        while self._left:
            told = self._told.get()
            self._left -= 1
            yield told

    def break_off(self) -> None:
        """Take up no more checks, and end those that still run; safe to call from any thread."""
        with self._mutex:
            self._closed = True
            self._others.set()
            sandboxes = {id(judge.sandbox): judge.sandbox for judge in self._open}
        if self._left:
            for sandbox in sandboxes.values():
                sandbox.close()

    def close(self) -> None:
        """Break off, and wait until the judges have put away what they used."""
        self.break_off()
        for thread in self._threads:
            thread.join(_PATIENCE_S)

    def _work(self, opened: Opened, first: Task, is_other: bool) -> None:
        mine = [first]
        why: Exception = RuntimeError("the judge has gone")
        try:
            if is_other:
                self._others.wait()
            if self._closed:
                return
            with opened() as judge:
                with self._mutex:
                    self._open.append(judge)
                try:
                    self._work_with(judge, mine)
                finally:
                    with self._mutex:
                        self._open.remove(judge)
        except Exception as error:
            why = error
        finally:
            self._leave(mine, why)

    def _work_with(self, judge: Judge, mine: list[Task]) -> None:
        """Run checks as long as there are any.

        Args:
            mine: those that are taken and not told of: the present one, then the following.
        """
        desk = after = None
        try:
            while mine:
                row, spec = mine[0]
                desk = desk or judge.desk(row.submission, row.exercise)
                following = self._next(row)
                if following is not None:
                    mine.append(following)
                    if following[0] is not row:
                        after = judge.desk(following[0].submission, following[0].exercise)
                found = _found(desk, spec, after, more=following is not None and after is None)
                self._tell(*mine.pop(0), found)
                if self._until_failure and _has_failed(found):
                    self._spare(row, mine)
                if not mine or mine[0][0] is not row:
                    _put_away(desk)
                    desk, after = after, None
        finally:
            for one in (desk, after):
                if one is not None:
                    _put_away(one)

    def _next(self, row: Row | None) -> Task | None:
        """The next check for whoever is at this row, or at none."""
        with self._mutex:
            if self._closed:
                return None
            if row is None or not row.waiting:
                row = self._another_row()
            if row is None:
                return None
            spec = row.waiting.popleft()
            if not row.waiting:
                self._begun.remove(row)
            return row, spec

    def _another_row(self) -> Row | None:
        if self._untouched:
            row = self._untouched.popleft()
            self._begun.append(row)
            return row
        # Whether to run a check may depend on those before it.
        return self._begun[0] if self._begun and not self._until_failure else None

    def _spare(self, row: Row, mine: list[Task]) -> None:
        """Leave out the checks that are left of a row, the following one too, and take another."""
        with self._mutex:
            left = self._rest(row)
        if mine and mine[0][0] is row:
            left.insert(0, mine.pop())
        if not mine and (following := self._next(None)):
            mine.append(following)
        for task in left:
            self._tell(*task, None)

    def _tell(self, row: Row, spec: CheckSpec, found: Found) -> None:
        with self._mutex:
            row.found[spec.name] = found
            while row.told < len(row.specs) and (name := row.specs[row.told].name) in row.found:
                self._told.put(((*row.key, name), row.found.pop(name)))
                row.told += 1
                self._others.set()

    def _leave(self, mine: Sequence[Task], why: Exception) -> None:
        """A judge has gone, and with it what it had taken. The last one tells what nobody will do
        any more, and why.
        """
        left = list(mine)
        with self._mutex:
            self._working -= 1
            if self._until_failure:  # nobody else takes what is left of these rows
                for row, _ in mine:
                    left += self._rest(row)
            for row in [*self._begun, *self._untouched] if not self._working else []:
                left += self._rest(row)
        for task in left:
            self._tell(*task, why)

    def _rest(self, row: Row) -> list[Task]:
        """Take all checks of a row that nobody has taken."""
        if row in self._begun:
            self._begun.remove(row)
        rest = [(row, spec) for spec in row.waiting]
        row.waiting.clear()
        return rest


def _found(desk: Desk, spec: CheckSpec, after: Desk | None, *, more: bool) -> Found:
    began = time.perf_counter()
    try:
        result = desk.run(spec, more=more, meanwhile=after.make_ready if after else None)
    except Exception as error:
        return error
    return Judged(result, time.perf_counter() - began)


def _has_failed(found: Found) -> bool:
    return isinstance(found, Judged) and found.result.outcome is Outcome.FAILED


def _put_away(desk: Desk) -> None:
    with contextlib.suppress(*findings.MACHINE):  # the next grading on this server sweeps it
        desk.close()
