"""The pytest plugin: one item per submission, exercise and check.

In one process the checks are run by lanes, and an item is made for each that they tell of. For
several processes a plan is collected into items, which run them.

Node ids look like ``grading.kitplan::3::04_repository::test_update``; the number stands for a
submission, so that no name that a student chose becomes part of an id. pytest-xdist spreads items
by everything before the last ``::``, which keeps one submission at one exercise on one process.
"""

from __future__ import annotations

import contextlib
import gc
import time
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from grader import plan as plans
from grader.catalog import CheckSpec, Exercise, load_course
from grader.desk import Desk
from grader.errors import GraderError, JudgeError
from grader.gathered import Judged, decoded, encoded
from grader.judge import Judge
from grader.lanes import Found
from grader.plan import Plan
from grader.results import CheckResult, Outcome
from grader.sandbox import open_sandbox
from grader.submissions import Submission, read_submissions
from grader.work import CheckKey
from pglab.errors import PglabError
from pglab.servers.attached import AttachedServer, Attachment


class NotPassedError(Exception):
    """Makes pytest count a check that did not pass as failed."""


class Bench:
    """The judge of a process among several, and the desk in use: items of one submission at one
    exercise come in a row.
    """

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._judge: Judge | None = None
        self._desk: Desk | None = None
        self._following: Desk | None = None
        self._failed = False

    def found(self, item: PlannedCheck) -> Judged | None:
        """What an item's check finds; None where a check before it failed, and that is enough."""
        began = time.perf_counter()
        desk = self._desk_of(item.node)
        if self._failed and self._plan.until_failure:
            return None
        result = desk.run(
            item.spec, more=item.more, meanwhile=lambda: self._make_ready(item.following)
        )
        self._failed = self._failed or result.outcome is Outcome.FAILED
        return Judged(result, time.perf_counter() - began)

    def close(self) -> None:
        judge, self._judge = self._judge, None
        with contextlib.ExitStack() as stack:
            if judge is not None:
                stack.callback(judge.sandbox.close)
                stack.callback(judge.close)
            self._clear()

    def _desk_of(self, node: ExerciseNode) -> Desk:
        desk = self._desk
        if desk is None or not _is_at(desk, node):
            following, self._following = self._following, None
            self._clear()
            if following and _is_at(following, node):
                desk = following
            else:
                desk = self._open().desk(node.submission, node.exercise)
            self._desk, self._failed = desk, False
        return desk

    def _make_ready(self, node: ExerciseNode | None) -> None:
        if node is not None and self._following is None:
            self._following = self._open().desk(node.submission, node.exercise)
            self._following.make_ready()

    def _clear(self) -> None:
        desks, self._desk, self._following = (self._desk, self._following), None, None
        for desk in desks:
            if desk is not None:
                desk.close()

    def _open(self) -> Judge:
        if self._judge is None:
            server = AttachedServer(Attachment(**self._plan.server))
            sandbox = open_sandbox(
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


def _is_at(desk: Desk, node: ExerciseNode) -> bool:
    return (desk.submission, desk.exercise) == (node.submission, node.exercise)


Report = pytest.CollectReport | pytest.TestReport
_BENCH = pytest.StashKey[Bench]()
_FROZEN = pytest.StashKey[bool]()


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> PlanFile | None:
    if file_path.name == plans.FILE_NAME:
        return PlanFile.from_parent(parent, path=file_path)
    return None


def pytest_collection_finish(session: pytest.Session) -> None:
    """Leave what is there by now out of the search for garbage, which would otherwise be put off
    the longer the larger the class is.
    """
    if not gc.get_freeze_count():  # nobody else has done it
        gc.freeze()
        session.config.stash[_FROZEN] = True


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item, nextitem: pytest.Item | None) -> None:
    if isinstance(item, PlannedCheck) and isinstance(nextitem, PlannedCheck):
        item.more = nextitem.node is item.node
        item.following = None if item.more else nextitem.node


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """What was found goes from the item, which may live as long as its process, to its report."""
    report = yield
    if call.when == "call" and isinstance(item, CheckItem):
        vars(report)["judged"], item.judged = item.judged, None
    return report


@pytest.hookimpl(wrapper=True)
def pytest_report_to_serializable() -> Generator[None, dict[str, Any], dict[str, Any]]:
    """A report goes to another process."""
    plain = yield
    if plain.get("judged"):
        plain["judged"] = encoded([plain["judged"]])
    return plain


@pytest.hookimpl(wrapper=True)
def pytest_report_from_serializable() -> Generator[None, Report, Report]:
    """A report has come from another process."""
    report = yield
    known = vars(report)
    if known.get("judged"):
        [known["judged"]] = decoded(known["judged"])
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
        self.config.stash[_BENCH] = Bench(plan)
        exercises = load_course(Path(plan.course_root)).select(plan.exercises)
        submissions = read_submissions([Path(p) for p in plan.paths], exercises)
        if plans.fingerprint(submissions, exercises) != plan.fingerprint:
            raise JudgeError("Submissions or exercises changed meanwhile. Grade again.")
        done = frozenset(plan.done)
        for number, submission in enumerate(submissions):
            left = tuple(e for e in exercises if (number, e.name) not in done)
            yield SubmissionNode.of(self, number, submission, left, plan)

    def repr_failure(  # type: ignore[override]  # as its base class does
        self, excinfo: pytest.ExceptionInfo[BaseException]
    ) -> Any:
        if isinstance(excinfo.value, GraderError):
            return str(excinfo.value)
        return super().repr_failure(excinfo)


class SubmissionNode(pytest.Collector):
    """One student's submission; its children are the exercises that were handed in."""

    number: int
    submission: Submission
    exercises: tuple[Exercise, ...]
    plan: Plan

    @classmethod
    def of(
        cls,
        parent: PlanFile,
        number: int,
        submission: Submission,
        exercises: tuple[Exercise, ...],
        plan: Plan,
    ) -> SubmissionNode:
        node: SubmissionNode = cls.from_parent(parent, name=str(number))
        node.number, node.plan = number, plan
        node.submission, node.exercises = submission, exercises
        return node

    def collect(self) -> Iterator[ExerciseNode]:
        for exercise in self.exercises:
            if exercise.name in self.submission.files:
                node: ExerciseNode = ExerciseNode.from_parent(self, name=exercise.name)
                node.submission, node.exercise = self.submission, exercise
                node.number, node.plan = self.number, self.plan
                yield node


class ExerciseNode(pytest.Collector):
    """One submission at one exercise; its children are the checks."""

    number: int
    submission: Submission
    exercise: Exercise
    plan: Plan

    def collect(self) -> Iterator[PlannedCheck]:
        for spec in self.exercise.checks:
            if spec.visible or not self.plan.visible_only:
                item: PlannedCheck = PlannedCheck.from_parent(self, name=spec.name)
                item.node, item.spec = self, spec
                yield item


class CheckItem(pytest.Item):
    """One check on one submission."""

    judged: Judged | None = None
    """What was found, until that is reported."""

    def found(self) -> Found:
        """What comes of the check."""
        raise NotImplementedError

    def runtest(self) -> None:
        found = self.found()
        if isinstance(found, Exception):
            raise found
        if found is None:
            pytest.skip("a check before it failed")
        self.judged = found
        if found.result.outcome is not Outcome.PASSED:
            raise NotPassedError(_told(found.result))

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        if isinstance(excinfo.value, NotPassedError):
            return str(excinfo.value)
        return super().repr_failure(excinfo, style)


class ToldCheck(CheckItem):
    """One that has been run already. It is made when that is told, and not kept."""

    known: Found

    @classmethod
    def of(cls, parent: pytest.Session, key: CheckKey, found: Found) -> ToldCheck:
        item: ToldCheck = cls.from_parent(parent, name="::".join(map(str, key)))
        item.known = found
        return item

    def found(self) -> Found:
        return self.known


class PlannedCheck(CheckItem):
    """One of a plan."""

    node: ExerciseNode
    spec: CheckSpec
    more: bool = False
    """Whether another check of the same submission and exercise follows."""
    following: ExerciseNode | None = None
    """What comes afterwards, where no other check of this follows."""

    def found(self) -> Found:
        return self.config.stash[_BENCH].found(self)


def _told(result: CheckResult) -> str:
    return result.failure.message if result.failure else result.title
