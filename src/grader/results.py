"""What a grading found: plain, immutable data that every report is written from.

Nothing here depends on time, on the machine or on the order in which submissions were graded,
apart from the fields that are called ``timings``. Texts that come from a submission (``output``,
``traceback``, ``actual``, the statements) are already bounded and free of control characters; each
report escapes them for the place where they are shown.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from grader.people import Scores, scores_from_json

FORMAT_VERSION = 1
"""Version of ``results.json``; raised when a field changes its meaning or goes away."""


class Outcome(StrEnum):
    """How one check ended."""

    PASSED = "passed"
    FAILED = "failed"
    ERROR = "error"
    """The kit, the check or the server was at fault. Never a zero that is not shown as this."""


class Reason(StrEnum):
    """Why a check did not pass."""

    ASSERTION = "assertion"
    """The check's own assertion did not hold."""
    RAISED = "raised"
    """The submission raised an exception that the check did not ask for."""
    IMPORT = "import"
    """The submission's file could not be imported (syntax error, missing name)."""
    MISSING = "missing"
    """The file or the function that the exercise asks for is not there."""
    TIMEOUT = "timeout"
    """The submission did not answer in time."""
    KILLED = "killed"
    """The submission's process ended, or was ended, before it answered."""
    LIMIT = "limit"
    """A limit other than time was reached (memory, processes, output, disk, connections)."""
    WIRE = "wire"
    """The submission's process sent something that is not an answer."""
    CHECK = "check"
    """The check itself broke: its author is at fault (only with ``Outcome.ERROR``)."""
    KIT = "kit"
    """The kit or the server is at fault (only with ``Outcome.ERROR``)."""


@dataclass(frozen=True, slots=True)
class SentStatement:
    """One SQL statement that PostgreSQL received from the submission, for showing."""

    sql: str
    parameters: tuple[str, ...] = ()
    sqlstate: str | None = None
    """Five characters where the statement failed (PostgreSQL manual, appendix A)."""


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a check did not pass, as data. Renderers choose the words around it."""

    reason: Reason
    message: str
    """What happened and why it matters, one to three sentences for the learner."""
    question: str = ""
    """One question that leads on; never the answer."""
    expected: str = ""
    actual: str = ""
    """What the database showed, or what the call returned."""
    misconception: str | None = None
    """Id of a page in ``docs/misconceptions/``."""
    statements: tuple[SentStatement, ...] = ()
    statements_total: int = 0
    """How many were sent; ``statements`` may show only the telling ones."""
    traceback: str = ""
    """The submission's own frames only."""
    location: str = ""
    """``file.py:12`` in the submission, where known."""


@dataclass(frozen=True, slots=True)
class CheckResult:
    """The result of one check on one submission."""

    name: str
    """The test function's name, unique within its exercise."""
    title: str
    """What the learner reads; a statement of what should be true."""
    points: float
    """Points that the check is worth."""
    earned: float
    outcome: Outcome
    visible: bool
    """False for checks that only instructors hold."""
    failure: Failure | None = None
    output: str = ""
    """What the submission printed during this check."""


@dataclass(frozen=True, slots=True)
class ExerciseResult:
    """The results of one exercise for one submission, in the order of the check files."""

    exercise: str
    """The folder's name, for example ``04_repository``."""
    title: str
    checks: tuple[CheckResult, ...]
    handed_in: bool = True
    """False where none of the exercise's files was in the submission: no points, no failures shown.
    The checks may then be left out: `Grading.maximum` knows what the exercise is worth."""
    exercise_sha256: str = ""
    """Hash of the exercise's checks and given files."""

    @property
    def points(self) -> float:
        return _total(check.points for check in self.checks)

    @property
    def earned(self) -> float:
        return _total(check.earned for check in self.checks)

    @property
    def has_errors(self) -> bool:
        """Whether the kit was at fault for a check, so that the points are not final."""
        return any(check.outcome is Outcome.ERROR for check in self.checks)

    @property
    def misconceptions(self) -> tuple[str, ...]:
        """Ids of the misconceptions found, each once, in order of appearance."""
        found = (c.failure.misconception for c in self.checks if c.failure)
        return tuple(dict.fromkeys(m for m in found if m))


@dataclass(frozen=True, slots=True)
class SubmissionResult:
    """Everything about one student's submission."""

    student: str
    """Name of the student's folder or file: unique in the class."""
    exercises: tuple[ExerciseResult, ...]
    sha256: str = ""
    """Hash of the submission's files."""
    problem: str = ""
    """Why the submission could not be read at all; empty where it could."""

    @property
    def points(self) -> float:
        return _total(exercise.points for exercise in self.exercises)

    @property
    def earned(self) -> float:
        return _total(exercise.earned for exercise in self.exercises)

    @property
    def has_errors(self) -> bool:
        return any(exercise.has_errors for exercise in self.exercises)

    @property
    def broken_checks(self) -> tuple[str, ...]:
        """Checks that broke, each with its exercise, its file and the line."""
        return tuple(
            f"{exercise.exercise}, {check.name}: {check.failure.message}"
            for exercise in self.exercises
            for check in exercise.checks
            if check.failure and check.failure.reason is Reason.CHECK
        )

    @property
    def kit_failed(self) -> bool:
        """Whether the kit or the server was at fault for a check."""
        return any(
            check.outcome is Outcome.ERROR
            and not (check.failure and check.failure.reason is Reason.CHECK)
            for exercise in self.exercises
            for check in exercise.checks
        )


@dataclass(frozen=True, slots=True)
class Misconception:
    """What a report says about a misconception: title and where to read on."""

    id: str
    title: str
    notebook: str = ""
    hints: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Evidence:
    """What the results were found with, so that they can be found again."""

    kit_version: str
    seed: int
    sandbox: str
    """``bubblewrap``, ``container`` or ``process``."""
    server: str
    """``embedded``, ``container`` or ``url``."""
    server_version: str
    """For example ``18.4``."""
    surroundings: Mapping[str, str] = field(default_factory=dict)
    """Versions of what student code meets besides: ``python``, ``sqlalchemy``, ``psycopg`` and
    ``alembic``; and ``machine``, the kind of processor."""


@dataclass(frozen=True, slots=True)
class Grading:
    """A whole class, graded."""

    course: str
    evidence: Evidence
    submissions: tuple[SubmissionResult, ...]
    """Sorted by student."""
    misconceptions: Mapping[str, Misconception] = field(default_factory=dict)
    """Every misconception that the exercises name, by id."""
    timings: Mapping[str, Any] = field(default_factory=dict)
    """The only part that differs between two runs with the same seed. What reports read of it,
    where it is there: ``started`` (ISO 8601, UTC), ``by_student`` (seconds by student) and
    ``by_check`` (seconds by student, exercise and check)."""

    scores: Scores | None = None
    """Where a roster was given, or an assignment with a due date or weights."""

    assignment: str = ""
    """Title of the assignment that was graded; empty where none was named."""

    @property
    def maximum(self) -> dict[str, float]:
        """Points that each exercise is worth, the same for everybody; in the exercises' order."""
        worth: dict[str, float] = {}
        for submission in self.submissions:
            for exercise in submission.exercises:
                worth[exercise.exercise] = max(worth.get(exercise.exercise, 0.0), exercise.points)
        return dict(sorted(worth.items()))

    @property
    def points(self) -> float:
        """Points that can be reached."""
        return _total(self.maximum.values())

    def seconds(self, student: str, exercise: str = "", check: str = "") -> float | None:
        """How long a check took, or the submission if none is named, where it was measured."""
        keys = ("by_check", student, exercise, check) if check else ("by_student", student)
        found: Any = self.timings
        for key in keys:
            found = found.get(key) if isinstance(found, Mapping) else None
        return float(found) if isinstance(found, int | float) else None

    @property
    def exercises(self) -> tuple[tuple[str, str], ...]:
        """Name and title of every exercise that was graded, in order."""
        names = {e.exercise: e.title for s in self.submissions for e in s.exercises}
        return tuple(sorted(names.items()))


def to_json(grading: Grading) -> dict[str, Any]:
    """The grading as the plain dict that ``results.json`` holds, totals included."""
    maximum, points = grading.maximum, grading.points
    submissions = [submission_to_json(s, maximum, points) for s in grading.submissions]
    return {**heading_to_json(grading), "submissions": submissions}


def heading_to_json(grading: Grading) -> dict[str, Any]:
    """What stands in ``results.json`` beside the submissions."""
    return {
        "format": FORMAT_VERSION,
        "course": grading.course,
        "assignment": grading.assignment,
        "evidence": _plain(grading.evidence),
        "misconceptions": _plain(grading.misconceptions),
        "scores": _plain(grading.scores),
        "timings": _plain(grading.timings),
    }


def submission_to_json(
    submission: SubmissionResult, maximum: Mapping[str, float], points: float
) -> dict[str, Any]:
    """One submission as a plain dict, totals included.

    Args:
        submission: the submission.
        maximum: points that each exercise is worth (`Grading.maximum`).
        points: points that can be reached (`Grading.points`).
    """
    plain: dict[str, Any] = _plain(submission)
    plain |= {"points": points, "earned": submission.earned}
    for exercise, inner in zip(submission.exercises, plain["exercises"], strict=True):
        inner |= {
            "points": maximum[exercise.exercise],
            "earned": exercise.earned,
            "misconceptions": list(exercise.misconceptions),
        }
    return plain


def from_json(data: Mapping[str, Any]) -> Grading:
    """The inverse of `to_json`.

    Raises:
        ValueError: the data is of another version, or not a grading.
    """
    if not isinstance(data, Mapping) or "format" not in data:
        msg = "This is not a results.json: it does not say its format. Run kit grade to make one."
        raise ValueError(msg)
    if data["format"] != FORMAT_VERSION:
        msg = f"results.json is of format {data['format']!r}; this kit reads {FORMAT_VERSION}."
        raise ValueError(msg)
    try:
        return Grading(
            course=data["course"],
            evidence=Evidence(**data["evidence"]),
            submissions=tuple(_submission(s) for s in data["submissions"]),
            misconceptions={
                key: Misconception(**{**value, "hints": tuple(value["hints"])})
                for key, value in data["misconceptions"].items()
            },
            timings=data["timings"],
            scores=scores_from_json(data["scores"]) if data.get("scores") else None,
            assignment=data.get("assignment", ""),
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        msg = f"results.json is damaged: {type(error).__name__}: {error}. Run kit grade again."
        raise ValueError(msg) from error


def check_to_json(check: CheckResult) -> dict[str, Any]:
    """One check's result as a plain dict, for sending it between processes."""
    plain: dict[str, Any] = _plain(check)
    return plain


def check_from_json(data: Mapping[str, Any]) -> CheckResult:
    """The inverse of `check_to_json`."""
    failure = data["failure"]
    if failure is not None:
        statements = tuple(
            SentStatement(s["sql"], tuple(s["parameters"]), s["sqlstate"])
            for s in failure["statements"]
        )
        failure = Failure(
            **{**failure, "reason": Reason(failure["reason"]), "statements": statements}
        )
    return CheckResult(**{**data, "outcome": Outcome(data["outcome"]), "failure": failure})


def _total(points: Iterable[float]) -> float:
    """The sum without the dust of binary fractions: ten tenths of a point are one point."""
    return round(math.fsum(points), 6)


def _submission(data: Mapping[str, Any]) -> SubmissionResult:
    exercises = tuple(
        ExerciseResult(
            exercise=e["exercise"],
            title=e["title"],
            checks=tuple(check_from_json(c) for c in e["checks"]),
            handed_in=e["handed_in"],
            exercise_sha256=e["exercise_sha256"],
        )
        for e in data["exercises"]
    )
    return SubmissionResult(data["student"], exercises, data["sha256"], data["problem"])


_ATOMS = frozenset({str, int, float, bool, type(None)})


def _plain(value: Any) -> Any:
    if type(value) in _ATOMS:
        return value
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: _plain(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {str(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, tuple | list):
        return [_plain(inner) for inner in value]
    return str(value) if isinstance(value, StrEnum) else value
