"""What a student's page shows, in the words and the order in which it is read."""

from __future__ import annotations

from dataclasses import dataclass, field

from grader.reports.marks import Mark, mark_of_check, mark_of_exercise
from grader.reports.score_words import roster_names, told_to
from grader.reports.sent import SentGroup, grouped
from grader.reports.summary import ClassSummary, ExerciseSummary, Standing, misconception
from grader.results import (
    CheckResult,
    ExerciseResult,
    Failure,
    Misconception,
    Outcome,
)

_NEXT_STEPS = 3


@dataclass(slots=True)
class CheckView:
    """One check on the page."""

    id: str
    """Of the element, for links within the page."""
    exercise: str
    check: CheckResult
    mark: Mark
    misconception: Misconception | None
    groups: list[SentGroup]
    same_as: CheckView | None = None
    """An earlier check of the exercise that failed for the very same reason."""

    @property
    def word(self) -> str:
        """The outcome as a learner reads it."""
        return "not yet" if self.check.outcome is Outcome.FAILED else self.mark.word

    @property
    def statements_total(self) -> int:
        failure = self.check.failure
        return max(failure.statements_total, len(failure.statements)) if failure else 0


@dataclass(frozen=True, slots=True)
class ExerciseView:
    """One exercise on the page."""

    id: str
    name: str
    title: str
    points: float
    earned: float
    handed_in: bool
    mark: Mark
    checks: list[CheckView] = field(default_factory=list)

    @property
    def passed(self) -> int:
        return sum(view.check.outcome is Outcome.PASSED for view in self.checks)


@dataclass(frozen=True, slots=True)
class StudentPage:
    """The whole page."""

    standing: Standing
    points: float
    exercises: list[ExerciseView]
    told: list[str]
    """About lateness and attempts."""
    names: list[str]
    """Who handed it in, as the roster calls them; empty where it does not."""

    @property
    def student(self) -> str:
        return self.standing.submission.student

    @property
    def title(self) -> str:
        """Their names, or the submission's."""
        return ", ".join(self.names) or self.student

    @property
    def problem(self) -> str:
        return self.standing.submission.problem

    @property
    def earned(self) -> float:
        return self.standing.submission.earned

    @property
    def percent(self) -> float | None:
        return self.standing.percent

    @property
    def bar(self) -> float:
        """Width in percent."""
        return max(0.0, min(self.percent or 0.0, 100.0))

    @property
    def final(self) -> bool:
        return self.standing.final

    @property
    def errors(self) -> int:
        return sum(view.check.outcome is Outcome.ERROR for view in self._checks)

    @property
    def all_passed(self) -> bool:
        return bool(self._checks) and all(
            exercise.handed_in and exercise.passed == len(exercise.checks)
            for exercise in self.exercises
        )

    @property
    def next_steps(self) -> list[CheckView]:
        """The first check that fails in each of the first exercises where one does."""
        failing = (
            next((v for v in e.checks if v.check.outcome is Outcome.FAILED), None)
            for e in self.exercises
        )
        return [view for view in failing if view][:_NEXT_STEPS]

    @property
    def _checks(self) -> list[CheckView]:
        return [view for exercise in self.exercises for view in exercise.checks]


def student_page(standing: Standing, summary: ClassSummary) -> StudentPage:
    """The page of one student.

    Args:
        standing: the student.
        summary: the class, for what the student did not hand in.
    """
    exercises = [
        _exercise(f"e{number}", exercise, standing.results.get(exercise.name), summary)
        for number, exercise in enumerate(summary.exercises, 1)
    ]
    told = told_to(standing.submission.student, summary.grading)
    names = roster_names(standing.submission.student, summary.grading)
    return StudentPage(standing, summary.points, exercises, told, names)


def _exercise(
    id_: str, exercise: ExerciseSummary, result: ExerciseResult | None, summary: ClassSummary
) -> ExerciseView:
    handed_in = result is not None and result.handed_in
    view = ExerciseView(
        id=id_,
        name=exercise.name,
        title=exercise.title,
        points=exercise.points,
        earned=result.earned if result else 0.0,
        handed_in=handed_in,
        mark=mark_of_exercise(result, exercise.points),
    )
    if result is not None and handed_in:
        seen: dict[Failure, CheckView] = {}
        for number, check in enumerate(result.checks, 1):
            shown = _check(f"{id_}c{number}", exercise.name, check, summary)
            if check.outcome is Outcome.FAILED and check.failure:
                shown.same_as = seen.get(check.failure)
                seen.setdefault(check.failure, shown)
            view.checks.append(shown)
    return view


def _check(id_: str, exercise: str, check: CheckResult, summary: ClassSummary) -> CheckView:
    failure = check.failure
    known = failure.misconception if failure else None
    return CheckView(
        id=id_,
        exercise=exercise,
        check=check,
        mark=mark_of_check(check),
        misconception=misconception(summary.grading, known) if known else None,
        groups=grouped(failure.statements) if failure else [],
    )
