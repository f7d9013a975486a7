"""A class in numbers: who stands where, which checks are hard, which misconceptions are about."""

from __future__ import annotations

import statistics
from collections.abc import Iterator
from dataclasses import dataclass, field

from grader.reports.marks import Mark, mark_of_check, why_nothing
from grader.reports.names import page_names
from grader.reports.text import percent
from grader.results import (
    CheckResult,
    ExerciseResult,
    Grading,
    Misconception,
    Outcome,
    SubmissionResult,
)

_SLOWEST = 10


@dataclass(slots=True)
class CheckSummary:
    """One check over the whole class."""

    number: int
    """From 1, in the order of the check files; unique within the exercise."""
    name: str
    title: str
    points: float
    visible: bool
    passed: int = 0
    failed: int = 0
    errors: int = 0

    @property
    def ran(self) -> int:
        return self.passed + self.failed + self.errors


@dataclass(frozen=True, slots=True)
class ExerciseSummary:
    """One exercise over the whole class."""

    name: str
    title: str
    points: float
    checks: tuple[CheckSummary, ...]
    handed_in: int


@dataclass(frozen=True, slots=True)
class Standing:
    """One student in the class."""

    submission: SubmissionResult
    page: str
    """Name of the student's page without folder and extension."""
    results: dict[str, ExerciseResult]
    """By the exercise's name; without those that the submission says nothing about."""
    percent: float | None
    misconceptions: tuple[str, ...]

    @property
    def nothing(self) -> str:
        """Which answers earned nothing because no check could look at what they do, and why: a few
        words, with the number of the exercise where there are several.
        """
        why = {name: why_nothing(result) for name, result in sorted(self.results.items())}
        several = len(self.results) > 1
        return ", ".join(
            f"{name.partition('_')[0]} {word}" if several else word
            for name, word in why.items()
            if word
        )

    @property
    def final(self) -> bool:
        """Whether the points can stand: the kit was never at fault."""
        return not self.submission.has_errors


@dataclass(frozen=True, slots=True)
class MisconceptionSummary:
    """Who shows a misconception."""

    misconception: Misconception
    students: tuple[Standing, ...]


@dataclass(slots=True)
class ErrorSummary:
    """The same reason why a check could not be judged, wherever it happened."""

    exercise: str
    check: CheckResult
    message: str
    students: list[Standing] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Slow:
    """One check of one student that took long, or a submission as a whole."""

    seconds: float
    standing: Standing
    exercise: str = ""
    title: str = ""
    """Of the check."""


class ClassSummary:
    """What the reports of a class say beyond the single results.

    Args:
        grading: the class.
    """

    def __init__(self, grading: Grading) -> None:
        self.grading = grading
        self.points = grading.points
        self.maximum = grading.maximum
        pages = page_names(s.student for s in grading.submissions)
        self.standings = [self._standing(s, pages[s.student]) for s in grading.submissions]
        self.exercises = [self._exercise(name, title) for name, title in grading.exercises]

    @property
    def final(self) -> list[Standing]:
        """The students whose points can stand; the only ones that statistics are made from."""
        return [s for s in self.standings if s.final]

    @property
    def unreadable(self) -> list[Standing]:
        return [s for s in self.standings if s.submission.problem]

    @property
    def full_marks(self) -> int:
        return sum(s.submission.earned >= self.points > 0 for s in self.final)

    @property
    def median(self) -> float | None:
        """Of the final percentages; None where there are none."""
        known = [s.percent for s in self.final if s.percent is not None]
        return round(statistics.median(known), 1) if known else None

    def distribution(self) -> list[int]:
        """How many students have 0 to under 10 percent, 10 to under 20, …, 90 to 100."""
        bins = [0] * 10
        for standing in self.final:
            if standing.percent is not None:
                bins[max(0, min(int(standing.percent // 10), 9))] += 1
        return bins

    def misconceptions(self) -> list[MisconceptionSummary]:
        """The misconceptions that somebody shows, the most frequent first."""
        found: dict[str, list[Standing]] = {}
        for standing in self.standings:
            for id_ in standing.misconceptions:
                found.setdefault(id_, []).append(standing)
        return [
            MisconceptionSummary(misconception(self.grading, id_), tuple(who))
            for id_, who in sorted(found.items(), key=lambda item: (-len(item[1]), item[0]))
        ]

    def errors(self) -> list[ErrorSummary]:
        """Why checks could not be judged, what hit most students first."""
        found: dict[tuple[str, str, str], ErrorSummary] = {}
        for standing, exercise, check in self._checks():
            if check.outcome is Outcome.ERROR:
                message = check.failure.message if check.failure else "The kit did not say why."
                error = found.setdefault(
                    (exercise.exercise, check.name, message),
                    ErrorSummary(exercise.exercise, check, message),
                )
                error.students.append(standing)
        return sorted(found.values(), key=lambda error: -len(error.students))

    def slowest(self) -> list[Slow]:
        """What took longest: checks where they were measured, else submissions, else nothing."""
        checks = [
            Slow(seconds, standing, exercise.exercise, check.title)
            for standing, exercise, check in self._checks()
            if (seconds := self._seconds(standing, exercise.exercise, check.name)) is not None
        ]
        submissions = [
            Slow(seconds, standing)
            for standing in self.standings
            if (seconds := self._seconds(standing)) is not None
        ]
        return sorted(checks or submissions, key=lambda slow: -slow.seconds)[:_SLOWEST]

    def marks(self, standing: Standing, exercise: ExerciseSummary) -> list[Mark]:
        """How one student stands at each check of an exercise."""
        result = standing.results.get(exercise.name)
        ran = {check.name: check for check in result.checks} if result else {}
        handed_in = result is not None and result.handed_in
        return [mark_of_check(ran.get(c.name), handed_in=handed_in) for c in exercise.checks]

    def _standing(self, submission: SubmissionResult, page: str) -> Standing:
        found = (m for e in submission.exercises for m in e.misconceptions)
        return Standing(
            submission=submission,
            page=page,
            results={e.exercise: e for e in submission.exercises},
            percent=percent(submission.earned, self.points),
            misconceptions=tuple(dict.fromkeys(found)),
        )

    def _exercise(self, name: str, title: str) -> ExerciseSummary:
        checks: dict[str, CheckSummary] = {}
        handed_in = 0
        for standing in self.standings:
            result = standing.results.get(name)
            if result is None:
                continue
            handed_in += result.handed_in
            for check in result.checks:
                summary = checks.setdefault(
                    check.name,
                    CheckSummary(
                        len(checks) + 1, check.name, check.title, check.points, check.visible
                    ),
                )
                if result.handed_in:
                    summary.passed += check.outcome is Outcome.PASSED
                    summary.failed += check.outcome is Outcome.FAILED
                    summary.errors += check.outcome is Outcome.ERROR
        points = self.maximum[name]
        return ExerciseSummary(name, title, points, tuple(checks.values()), handed_in)

    def _seconds(self, standing: Standing, exercise: str = "", check: str = "") -> float | None:
        return self.grading.seconds(standing.submission.student, exercise, check)

    def _checks(self) -> Iterator[tuple[Standing, ExerciseResult, CheckResult]]:
        for standing in self.standings:
            for exercise in standing.submission.exercises:
                for check in exercise.checks:
                    yield standing, exercise, check


def misconception(grading: Grading, id_: str) -> Misconception:
    """What is known of a misconception; its id for a title where nothing is."""
    return grading.misconceptions.get(id_) or Misconception(id_, id_)
