"""What the checks of a grading found, as it comes in, and what that makes of each submission."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from grader.catalog import CheckSpec, Exercise
from grader.desk import not_taken
from grader.results import (
    CheckResult,
    ExerciseResult,
    Failure,
    Outcome,
    Reason,
    SubmissionResult,
    check_from_json,
    check_to_json,
)
from grader.submissions import Submission
from grader.text import clean
from grader.work import CheckKey, DeskKey, Work

Progress = Callable[[int, int], None]
"""Told after every check: how many are done, of how many."""

Found = Callable[[str, CheckResult], None]
"""Told of every check that has been run: its exercise, and what it found."""

_NOTHING = Failure(Reason.MISSING, "Nothing was handed in for this exercise.")


@dataclass(frozen=True, slots=True)
class Judged:
    """What one check found, and how many seconds that took."""

    result: CheckResult
    seconds: float


def encoded(found: Sequence[Judged]) -> str:
    """What some checks found, as text for another process."""
    return json.dumps([[check_to_json(one.result), one.seconds] for one in found])


def decoded(text: str) -> list[Judged]:
    """The inverse of `encoded`."""
    return [Judged(check_from_json(result), seconds) for result, seconds in json.loads(text)]


Keep = Callable[[DeskKey, Sequence[Judged]], None]
"""Told what was found at a desk when all its checks have been run, none of them in vain."""


def _keep_nothing(desk: DeskKey, found: Sequence[Judged]) -> None:
    pass


class Gathered:
    """Receives the results of checks in whatever order they come.

    Args:
        work: what is to be done.
        progress: told at once what is known already, and after every check.
        keep: told of every desk that is done.
        known: what was found at some desks already.
        found: told of every check that is run.
    """

    def __init__(
        self,
        work: Work,
        progress: Progress,
        *,
        keep: Keep = _keep_nothing,
        known: Mapping[DeskKey, Sequence[Judged]] | None = None,
        found: Found = lambda exercise, result: None,
    ) -> None:
        self.judged: dict[CheckKey, Judged] = {}
        self.problems: dict[CheckKey, str] = {}
        """By check, why there is no result."""
        self._work = work
        self._progress = progress
        self._keep = keep
        self._found = found
        self._total = work.checks
        self._spared = 0
        self._names = {e.name: [s.name for s in work.specs(e)] for e in work.exercises}
        for (number, exercise), before in (known or {}).items():
            for one in before:
                self.judged[number, exercise, one.result.name] = one
        self._tell()

    def add(self, key: CheckKey, judged: Judged) -> None:
        """A check has been run."""
        self.judged[key] = judged
        number, exercise, _ = key
        found = [self.judged.get((number, exercise, name)) for name in self._names[exercise]]
        whole = [one for one in found if one and one.result.outcome is not Outcome.ERROR]
        if len(whole) == len(found):
            self._keep((number, exercise), whole)
        self._found(exercise, judged.result)
        self._tell()

    def spare(self) -> None:
        """A check need not be run: one before it failed, and that was to be enough."""
        self._spared += 1
        self._tell()

    def _tell(self) -> None:
        self._progress(len(self.judged) + self._spared, self._total)

    def submission_results(self) -> tuple[SubmissionResult, ...]:
        """What each submission gets, in order."""
        return tuple(
            self._submission_result(number, submission)
            for number, submission in enumerate(self._work.submissions)
        )

    def _submission_result(self, number: int, submission: Submission) -> SubmissionResult:
        graded = [
            self._exercise_result(number, submission, exercise) for exercise in self._work.exercises
        ]
        return SubmissionResult(submission.student, tuple(graded), submission.sha256)

    def _exercise_result(
        self, number: int, submission: Submission, exercise: Exercise
    ) -> ExerciseResult:
        specs = self._work.specs(exercise)
        problem = submission.problems.get(exercise.name)
        handed_in = exercise.name in submission.files or problem is not None
        if exercise.name in submission.files:
            checks = [
                self._check_result((number, exercise.name, spec.name), spec) for spec in specs
            ]
            if self._work.until_failure:
                checks = _until_failure(checks)
        else:
            checks = [not_taken(spec, problem or _NOTHING) for spec in specs]
        return ExerciseResult(
            exercise.name, exercise.title, tuple(checks), handed_in, exercise.sha256
        )

    def _check_result(self, key: CheckKey, spec: CheckSpec) -> CheckResult:
        judged = self.judged.get(key)
        return judged.result if judged else _lost(spec, self.problems.get(key, ""))

    def seconds(self) -> dict[str, Any]:
        """Seconds by student, and by student, exercise and check."""
        submissions = self._work.submissions
        by_student = {submission.student: 0.0 for submission in submissions}
        by_check: dict[str, dict[str, dict[str, float]]] = {}
        for (number, exercise, name), judged in sorted(self.judged.items(), key=lambda kv: kv[0]):
            student = submissions[number].student
            by_student[student] = round(by_student[student] + judged.seconds, 3)
            of_exercise = by_check.setdefault(student, {}).setdefault(exercise, {})
            of_exercise[name] = round(judged.seconds, 3)
        return {"by_student": by_student, "by_check": by_check}


def _until_failure(checks: list[CheckResult]) -> list[CheckResult]:
    failed = [number for number, c in enumerate(checks) if c.outcome is Outcome.FAILED]
    return checks[: failed[0] + 1] if failed else checks


def _lost(spec: CheckSpec, why: str) -> CheckResult:
    """A result that never arrived: not a pass, and not the student's fault."""
    because = f" ({why})" if why else ""
    message = f"The result of this check did not arrive{because}. Grade this submission again."
    return CheckResult(
        name=spec.name,
        title=spec.title,
        points=spec.points,
        earned=0,
        outcome=Outcome.ERROR,
        visible=spec.visible,
        failure=Failure(Reason.KIT, clean(message, 1000)),
    )
