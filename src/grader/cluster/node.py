"""A node of a cluster: a worker of the scheduler, with a server and a sandbox of its own.

The functions at the end are what the scheduler is asked to run there. A node is made for one
grading, and closed with it. If nobody says that the grading has ended, because whoever started it
was killed, it closes itself after a minute in which nothing was asked of it.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterator

import psycopg

from grader.catalog import load_course
from grader.cluster.orders import Absent, Delivery, Greeting, Order, Setup, unpack
from grader.errors import GraderError
from grader.evidence import evidence_of
from grader.folders import temporary_folder
from grader.gathered import Judged, encoded
from grader.judge import Judge
from grader.lanes import Lanes, Row, left_open
from grader.results import Outcome
from grader.sandbox import open_sandbox
from grader.submissions import Submission
from pglab.errors import PglabError
from pglab.servers import open_server
from pglab.servers.server import connect

IDLE_S = 60.0
"""After so long without anything to do a node closes itself."""
_LOOK_S = 5.0
_FAULTS = (GraderError, PglabError, psycopg.Error, OSError)
"""Of the machine."""


class Node:
    """Grades whole submissions, several at a time if several threads ask.

    Raises:
        GraderError, PglabError: the machine is not as it must be.
    """

    def __init__(self, setup: Setup) -> None:
        self._setup = setup
        self._mutex = threading.Lock()
        self._idle: list[Judge] = []
        self._running: set[Lanes] = set()
        self._busy = 0
        self._closing = False
        with contextlib.ExitStack() as stack:
            folder = stack.enter_context(temporary_folder())
            unpack(setup.course, folder)
            course = load_course(folder)
            self._exercises = {e.name: e for e in course.select(setup.exercises)}
            for exercise in self._exercises.values():
                _ = exercise.checks  # read them while nothing else runs
            self.server = open_server(setup.database, home=setup.home(), disposable=True)
            stack.callback(self.server.close)
            # The sandbox works, or it is told before anything is graded.
            self._sandbox = open_sandbox(
                setup.sandbox,
                socket_dir=self.server.socket_dir,
                own_work=setup.own_work,
                seed=setup.seed,
            )
            stack.callback(self._sandbox.close)
            self._idle.append(self._new_judge())
            self.evidence = evidence_of(self.server, self._sandbox, seed=setup.seed)
            self._used = time.monotonic()
            self._stack = stack.pop_all()

    def grade(self, order: Order) -> Delivery:
        """What every check finds in a submission. Whatever happens, there is an answer."""
        judged: dict[str, list[Judged]] = {name: [] for name in order.files}
        problems: dict[tuple[str, str], str] = {}
        submission = Submission(order.student, order.files)
        rows = [self._row(order, submission, name) for name in order.files]
        with self._judge() as judge, self._lanes(judge, rows, order) as lanes:
            for (_, exercise, check), found in lanes:
                if isinstance(found, Judged):
                    judged[exercise].append(found)
                elif found is not None:
                    problems[exercise, check] = f"{type(found).__name__}: {found}"
        has_errors = any(
            one.result.outcome is Outcome.ERROR for found in judged.values() for one in found
        )
        texts = {exercise: encoded(found) for exercise, found in judged.items()}
        return Delivery(order.number, texts, problems, has_errors or bool(problems))

    def _row(self, order: Order, submission: Submission, name: str) -> Row:
        exercise, asked = self._exercises[name], order.checks[name]
        specs = [spec for spec in exercise.checks if spec.name in asked]
        return Row((order.number, name), submission, exercise, specs)

    @contextlib.contextmanager
    def _lanes(self, judge: Judge, rows: list[Row], order: Order) -> Iterator[Lanes]:
        """Runs the checks, until the node is closed."""
        lanes = Lanes([left_open(judge)], rows, until_failure=order.until_failure)
        with contextlib.closing(lanes):
            with self._mutex:
                self._running.add(lanes)
                too_late = self._closing
            if too_late:
                lanes.break_off()
            try:
                yield lanes
            finally:
                with self._mutex:
                    self._running.discard(lanes)

    def close(self) -> None:
        """Break off what runs here, and end the rest when nobody uses it; safe to call twice."""
        with self._mutex:
            self._closing = True
            running, busy = list(self._running), self._busy > 0
        for lanes in running:
            lanes.break_off()
        if not busy:
            self._end()

    def _end(self) -> None:
        with self._mutex:
            judges, self._idle = self._idle, []
        for judge in judges:
            with contextlib.suppress(*_FAULTS):
                judge.close()
        self._stack.close()

    def is_whole(self) -> bool:
        """Whether the server still answers."""
        try:
            with connect(self.server.admin_url):
                return True
        except psycopg.Error:
            return False

    def is_deserted(self) -> bool:
        """Whether nobody has asked for anything for long."""
        with self._mutex:
            return not self._busy and time.monotonic() - self._used > IDLE_S

    @contextlib.contextmanager
    def _judge(self) -> Iterator[Judge]:
        """A judge that nobody else uses meanwhile."""
        with self._mutex:
            self._busy += 1
            judge = self._idle.pop() if self._idle else None
        try:
            judge = judge or self._new_judge()
            yield judge
        finally:
            with self._mutex:
                self._busy -= 1
                self._used = time.monotonic()
                if judge is not None:
                    self._idle.append(judge)
                last = self._closing and not self._busy
            if last:
                self._end()

    def _new_judge(self) -> Judge:
        return Judge(self.server, self._sandbox, seed=self._setup.seed)


_nodes: dict[str, Node] = {}
"""By the name of the grading."""
_making = threading.Lock()


def install(run: str, setup: Setup) -> Greeting:
    """Get ready for a grading, and say with what; asked again, it says the same."""
    try:
        with _making:
            node = _nodes.get(run)
            if node is None:
                node = _nodes[run] = Node(setup)
                threading.Thread(target=_watch, args=[run], name="desertion", daemon=True).start()
            return Greeting(node.evidence)
    except _FAULTS as error:
        return Greeting(None, str(error))


def grade_there(run: str, order: Order) -> Delivery | Absent:
    """Grade a submission on this node."""
    node = _nodes.get(run)
    if node is None:
        return Absent(_address())
    try:
        delivery = node.grade(order)
    except _FAULTS:
        if node.is_whole():
            raise
    else:
        if not delivery.has_errors or node.is_whole():
            return delivery
    close(run)  # it is made anew when the next submission comes
    return Absent(_address(), lost=True)


def close(run: str) -> None:
    """The grading has ended."""
    node = _nodes.pop(run, None)
    if node is not None:
        node.close()


def _address() -> str:
    from distributed import get_worker

    return str(get_worker().address)


def _watch(run: str) -> None:
    while (node := _nodes.get(run)) is not None:
        if node.is_deserted():
            close(run)
        time.sleep(_LOOK_S)
