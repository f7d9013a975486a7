"""The pytest plugin: collects a plan into one item per submission, exercise and check, and runs
them.

Node ids look like ``grading.kitplan::3::04_repository::test_update``; the number stands for a
submission, so that no name that a student chose becomes part of an id. pytest-xdist spreads items
by everything before the last ``::``, which keeps one submission at one exercise on one process.
"""

from __future__ import annotations

import contextlib
import gc
import json
import time
from collections.abc import Generator, Iterator, Sequence
from pathlib import Path
from typing import Any

import psycopg
import pytest

from grader import plan as plans
from grader.catalog import CheckSpec, Exercise, load_course
from grader.desk import Desk
from grader.errors import GraderError, JudgeError
from grader.judge import Judge
from grader.lanes import Lanes
from grader.plan import Plan
from grader.results import CheckResult, Outcome, check_to_json
from grader.sandbox import Sandbox, open_sandbox
from grader.submissions import Submission, read_submissions
from grader.work import Work, in_turn
from pglab.errors import PglabError
from pglab.servers.attached import AttachedServer, Attachment

PROPERTY = "kit-result"
"""Name of the property of a pytest report that holds a check's result."""


SECONDS = "kit-seconds"
"""Name of the property that says how long the check took: pytest may have waited for less of it."""


class NotPassedError(Exception):
    """Makes pytest count a check that did not pass as failed."""


class Prestarted:
    """Hands over, in the same process, a sandbox that is importing its libraries already, or even
    judges who have theirs, to work side by side; who made the judges closes them.

    Attributes:
        lanes: the first checks, where they have begun.
    """

    def __init__(self, sandbox: Sandbox, judges: Sequence[Judge] = ()) -> None:
        self.sandbox = sandbox
        self.judges = judges
        self.lanes: Lanes | None = None

    def begin(self, work: Work) -> None:
        """Have the judges begin, where there are any, while pytest starts."""
        first = next(work.desks(), None)
        if self.judges and first is not None:
            _, submission, exercise = first
            self.lanes = Lanes(self.judges, submission, exercise, work.turns(exercise))


class Bench:
    """The judge of this process, and the desk in use: items of one submission at one exercise come
    in a row.
    """

    def __init__(self, plan: Plan, prestarted: Prestarted | None) -> None:
        self._plan = plan
        self._sandbox = prestarted.sandbox if prestarted else None
        self._judges = prestarted.judges if prestarted else ()
        self._judge: Judge | None = None
        self._desk: Desk | None = None
        self._following: Desk | None = None
        self._lanes = prestarted.lanes if prestarted else None
        self._failed = False

    def result(self, item: CheckItem) -> tuple[CheckResult, float] | None:
        """What an item's check finds, and how many seconds that takes; None where a check before
        it failed, and that is enough.
        """
        node = item.node
        if self._judges:
            return self._lanes_of(node).result(item.spec)
        began = time.perf_counter()
        desk = self.desk(node.submission, node.exercise)
        if self._failed and self._plan.until_failure:
            return None
        result = desk.run(
            item.spec, more=item.more, meanwhile=lambda: self._make_ready(item.following)
        )
        self._failed = self._failed or result.outcome is Outcome.FAILED
        return result, time.perf_counter() - began

    def _lanes_of(self, node: ExerciseNode) -> Lanes:
        lanes = self._lanes
        if lanes is None or lanes.of != (node.submission.student, node.exercise.name):
            self.clear()
            lanes = Lanes(self._judges, node.submission, node.exercise, node.specs())
            self._lanes = lanes
        return lanes

    def desk(self, submission: Submission, exercise: Exercise) -> Desk:
        desk = self._desk
        if desk is None or (desk.submission, desk.exercise) != (submission, exercise):
            following, self._following = self._following, None
            self.clear()
            if following and (following.submission, following.exercise) == (submission, exercise):
                desk = following
            else:
                desk = self._open().desk(submission, exercise)
            self._desk, self._failed = desk, False
        return desk

    def _make_ready(self, node: ExerciseNode | None) -> None:
        if node is not None and self._following is None:
            self._following = self._open().desk(node.submission, node.exercise)
            self._following.make_ready()

    def clear(self) -> None:
        desks, self._desk, self._following = (self._desk, self._following), None, None
        for desk in desks:
            if desk is not None:
                desk.close()
        if self._lanes is not None:
            lanes, self._lanes = self._lanes, None
            lanes.close()

    def close(self) -> None:
        judge, self._judge = self._judge, None
        with contextlib.ExitStack() as stack:
            if judge is not None:
                stack.callback(judge.sandbox.close)
                stack.callback(judge.close)
            self.clear()

    def _open(self) -> Judge:
        if self._judge is None:
            server = AttachedServer(Attachment(**self._plan.server))
            sandbox = self._sandbox or open_sandbox(
                self._plan.sandbox,
                socket_dir=server.socket_dir,
                own_work=self._plan.own_work,
                seed=self._plan.seed,
            )
            try:
                self._judge = Judge(server, sandbox, seed=self._plan.seed)
            except BaseException:
                sandbox.close()
                raise
        return self._judge


_BENCH = pytest.StashKey[Bench]()
_FROZEN = pytest.StashKey[bool]()


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> PlanFile | None:
    if file_path.name == plans.FILE_NAME:
        return PlanFile.from_parent(parent, path=file_path)
    return None


def pytest_collection_finish(session: pytest.Session) -> None:
    """Leave what was collected out of the search for garbage, which would otherwise be put off the
    longer the larger the class is.
    """
    if not gc.get_freeze_count():  # nobody else has done it
        gc.freeze()
        session.config.stash[_FROZEN] = True


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item, nextitem: pytest.Item | None) -> None:
    if isinstance(item, CheckItem) and isinstance(nextitem, CheckItem):
        item.more = nextitem.node is item.node
        item.following = None if item.more else nextitem.node


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """An item lives as long as its process: it keeps nothing that its report has."""
    report = yield
    if call.when == "call":
        item.user_properties.clear()
    return report


def pytest_unconfigure(config: pytest.Config) -> None:
    bench = config.stash.get(_BENCH, None)
    # The results are in. What could not be dropped is swept by the next grading on this server.
    with contextlib.suppress(PglabError, psycopg.Error, OSError):
        if bench is not None:
            bench.close()
    if config.stash.get(_FROZEN, False):
        gc.unfreeze()


class PlanFile(pytest.File):
    """A plan; its children are submissions."""

    def collect(self) -> Iterator[SubmissionNode]:
        plan = Plan.read(self.path)
        plugins = self.config.pluginmanager.get_plugins()
        ready = next((p for p in plugins if isinstance(p, Prestarted)), None)
        self.config.stash[_BENCH] = Bench(plan, ready)
        exercises = load_course(Path(plan.course_root)).select(plan.exercises)
        submissions = read_submissions([Path(p) for p in plan.paths], exercises)
        if plans.fingerprint(submissions, exercises) != plan.fingerprint:
            raise JudgeError("Submissions or exercises changed meanwhile. Grade again.")
        done = frozenset(plan.done)
        for number, submission in enumerate(submissions):
            left = tuple(e for e in exercises if (number, e.name) not in done)
            yield SubmissionNode.of(self, str(number), submission, left, plan)

    def repr_failure(  # type: ignore[override]  # as its base class does
        self, excinfo: pytest.ExceptionInfo[BaseException]
    ) -> Any:
        if isinstance(excinfo.value, GraderError):
            return str(excinfo.value)
        return super().repr_failure(excinfo)


class SubmissionNode(pytest.Collector):
    """One student's submission; its children are the exercises that were handed in."""

    submission: Submission
    exercises: tuple[Exercise, ...]
    plan: Plan

    @classmethod
    def of(
        cls,
        parent: PlanFile,
        name: str,
        submission: Submission,
        exercises: tuple[Exercise, ...],
        plan: Plan,
    ) -> SubmissionNode:
        node: SubmissionNode = cls.from_parent(parent, name=name)
        node.submission, node.exercises, node.plan = submission, exercises, plan
        return node

    def collect(self) -> Iterator[ExerciseNode]:
        for exercise in self.exercises:
            if exercise.name in self.submission.files:
                node: ExerciseNode = ExerciseNode.from_parent(self, name=exercise.name)
                node.submission, node.exercise = self.submission, exercise
                node.plan = self.plan
                yield node


class ExerciseNode(pytest.Collector):
    """One submission at one exercise; its children are the checks."""

    submission: Submission
    exercise: Exercise
    plan: Plan

    def specs(self) -> list[CheckSpec]:
        """The checks that are run, in the order in which they are."""
        hidden_too = not self.plan.visible_only
        specs = [spec for spec in self.exercise.checks if spec.visible or hidden_too]
        return in_turn(specs, self.plan.first)

    def collect(self) -> Iterator[CheckItem]:
        for spec in self.specs():
            item: CheckItem = CheckItem.from_parent(self, name=spec.name)
            item.node, item.spec = self, spec
            yield item


class CheckItem(pytest.Item):
    """One check on one submission."""

    node: ExerciseNode
    spec: CheckSpec
    more: bool = False
    """Whether another check of the same submission and exercise follows."""
    following: ExerciseNode | None = None
    """What comes afterwards, where no other check of this follows."""

    def runtest(self) -> None:
        found = self.config.stash[_BENCH].result(self)
        if found is None:
            pytest.skip("a check before it failed")
        result, seconds = found
        self.user_properties.append((PROPERTY, json.dumps(check_to_json(result))))
        self.user_properties.append((SECONDS, seconds))
        if result.outcome is not Outcome.PASSED:
            raise NotPassedError(_told(result))

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        if isinstance(excinfo.value, NotPassedError):
            return str(excinfo.value)
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, int, str]:
        code = self.spec.function.__code__
        return Path(code.co_filename), code.co_firstlineno, self.spec.title


def _told(result: CheckResult) -> str:
    return result.failure.message if result.failure else result.title
