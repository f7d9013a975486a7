"""One submission as the list of items that graders elsewhere know: their "tests"."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Self

from grader.reports.plain import described
from grader.reports.text import legible, one_line
from grader.results import (
    CheckResult,
    ExerciseResult,
    Grading,
    Outcome,
    SubmissionResult,
)


@dataclass(frozen=True, slots=True)
class Asked:
    """What everybody was asked for, worked out once for a class."""

    grading: Grading
    points: float
    """Points that can be reached."""
    worth: dict[str, float]
    """Points of each exercise, in order."""
    titles: dict[str, str]

    @classmethod
    def of(cls, grading: Grading) -> Self:
        """What this grading asked for."""
        worth = grading.maximum
        return cls(grading, grading.points, worth, dict(grading.exercises))


KIT_FAILED = (
    "The kit failed here, not you. These points are not final: ask your instructor to grade again."
)
"""What a student reads where there is no score."""


@dataclass(frozen=True, slots=True)
class Item:
    """A check, or a whole exercise where none of its checks could say anything."""

    number: str
    """``2.3`` is the third check of the second exercise."""
    exercise: str
    name: str
    """Unique within the submission."""
    title: str
    points: float
    earned: float
    outcome: Outcome
    visible: bool = True
    text: str = ""
    """Why it did not pass, as plain text; empty where it did."""
    output: str = ""
    """What the submission printed."""
    check: CheckResult | None = None


def items(submission: SubmissionResult, asked: Asked) -> list[Item]:
    """Everything that this submission was asked for, in the order of the exercises.

    The points of the items add up to those that can be reached, whatever was handed in.
    """
    results = {result.exercise: result for result in submission.exercises}
    found: list[Item] = []
    for order, (exercise, worth) in enumerate(asked.worth.items(), 1):
        result = results.get(exercise)
        if result is not None and result.handed_in:
            found += _checks(order, result, asked.grading)
        else:
            found.append(_absent(order, exercise, asked.titles[exercise], worth, submission))
    if submission.problem and not found:
        found.append(_absent(1, "submission", "The submission can be read", 0, submission))
    return found


def seconds(submission: SubmissionResult, grading: Grading) -> float | None:
    """How long the submission's checks took, where that was measured."""
    measured = grading.seconds(submission.student)
    return None if measured is None else round(measured, 3)


def _checks(order: int, result: ExerciseResult, grading: Grading) -> Iterator[Item]:
    for place, check in enumerate(result.checks, 1):
        passed = check.outcome is Outcome.PASSED
        yield Item(
            number=f"{order}.{place}",
            exercise=one_line(result.exercise),
            name=f"{one_line(result.exercise)}.{one_line(check.name)}",
            title=one_line(check.title),
            points=check.points,
            earned=check.earned,
            outcome=check.outcome,
            visible=check.visible,
            text="" if passed else described(check, grading),
            output=legible(check.output),
            check=check,
        )


def _absent(
    order: int, exercise: str, title: str, worth: float, submission: SubmissionResult
) -> Item:
    result = next((e for e in submission.exercises if e.exercise == exercise), None)
    said = "Nothing was handed in for this exercise."
    if submission.problem:
        said = f"The submission could not be read: {legible(submission.problem)}"
    return Item(
        number=str(order),
        exercise=one_line(exercise),
        name=one_line(exercise),
        title=one_line(title),
        points=worth,
        earned=result.earned if result else 0,
        outcome=Outcome.ERROR if result and result.has_errors else Outcome.FAILED,
        text=said,
    )
