"""A grading that is there, done again with its seed: do the verdicts agree, and if not, what is
otherwise than it was.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from grader.batch import grade
from grader.catalog import load_course
from grader.errors import SandboxError, SubmissionError
from grader.gathered import Progress
from grader.results import CheckResult, ExerciseResult, Grading, SubmissionResult
from grader.submissions import read_submissions

_EVIDENCE = {
    "kit_version": "the kit: {} then, {} now",
    "sandbox": "the sandbox: {} then, {} now",
    "server": "the server: {} then, {} now",
    "server_version": "PostgreSQL: {} then, {} now",
}
_SURROUNDINGS = {
    "alembic": "Alembic",
    "machine": "the kind of processor",
    "psycopg": "psycopg",
    "python": "Python",
    "sqlalchemy": "SQLAlchemy",
}


@dataclass(frozen=True, slots=True)
class Replayed:
    """One student's submission, then and now."""

    student: str
    checks: int
    """Of both gradings, each counted once."""
    verdicts: tuple[str, ...]
    """Checks on which the verdicts differ, and how; nothing where all agree."""
    words: tuple[str, ...]
    """Checks that have the same verdict and tell it in other words."""
    conditions: tuple[str, ...]
    """What is otherwise than it was then: files, exercises, versions."""
    error: bool
    """A check could not be judged, now."""
    broken_checks: tuple[str, ...]
    """Those that broke, each with its file and the line."""
    kit_failed: bool
    """The kit was at fault for one of the others."""


def replay(
    then: Grading,
    paths: Sequence[Path],
    *,
    course_root: Path,
    home: Path,
    database: str = "auto",
    sandbox: str = "auto",
    jobs: int = 1,
    say: Callable[[str], None] = lambda line: None,
    progress: Progress = lambda done, total: None,
) -> tuple[Replayed, ...]:
    """Grade submissions again as they were graded.

    Args:
        then: the grading that is there.
        paths: submissions of students who are in it, or classes of them.
        database, sandbox: ``auto`` takes those of then.
        course_root, home, jobs, say, progress: as for `grader.batch.grade`.

    Raises:
        SubmissionError: a student is not in that grading.
        SandboxError: it was made without a sandbox, and that was not asked for.
        GraderError, PglabError: as for `grader.batch.grade`.
    """
    exercises = [name for name, _ in then.exercises]
    before = {submission.student: submission for submission in then.submissions}
    for submission in read_submissions(paths, load_course(course_root).select(exercises)):
        if submission.student not in before:
            raise SubmissionError(
                f"{submission.student!r} is not in these results, so there is nothing to compare "
                f"with. In them: {_some(list(before))}."
            )
    evidence = then.evidence
    if (sandbox, evidence.sandbox) == ("auto", "process"):
        raise SandboxError(
            "It was graded as a mere process, which is no protection and is taken only by name: "
            "give --sandbox process if you trust it, or name another sandbox."
        )
    if database == "auto" and evidence.server != "url":  # whose address is nowhere written down
        database = evidence.server
    now = grade(
        paths,
        course_root=course_root,
        home=home,
        database=database,
        sandbox=evidence.sandbox if sandbox == "auto" else sandbox,
        seed=evidence.seed,
        exercises=exercises,
        jobs=jobs,
        say=say,
        progress=progress,
    )
    return tuple(compared(then, before[after.student], now, after) for after in now.submissions)


def compared(
    then: Grading, before: SubmissionResult, now: Grading, after: SubmissionResult
) -> Replayed:
    """How two gradings of a student's submission differ."""
    verdicts: list[str] = []
    words: list[str] = []
    checks = 0
    for name, one, other in _pairs(before, after):
        checks += 1
        if _verdict(one) != _verdict(other):
            verdicts.append(f"{name}: {_told(one)} then, {_told(other)} now{_why(other)}")
        elif one != other:
            words.append(name)
    return Replayed(
        after.student,
        checks,
        tuple(verdicts),
        tuple(words),
        tuple(_conditions(then, before, now, after)),
        after.has_errors,
        after.broken_checks,
        after.kit_failed,
    )


def _pairs(
    before: SubmissionResult, after: SubmissionResult
) -> Iterator[tuple[str, CheckResult | None, CheckResult | None]]:
    """The checks of both, in order; None where one of them does not have it."""
    then, now = ({e.exercise: e for e in s.exercises} for s in (before, after))
    for exercise in {**then, **now}:
        old, new = (_checks(of.get(exercise)) for of in (then, now))
        for name in {**old, **new}:
            yield f"{exercise}: {name}", old.get(name), new.get(name)


def _checks(result: ExerciseResult | None) -> dict[str, CheckResult]:
    return {check.name: check for check in result.checks} if result else {}


def _verdict(check: CheckResult | None) -> tuple[object, ...]:
    return (check.outcome, check.earned, check.points) if check else ()


def _told(check: CheckResult | None) -> str:
    if check is None:
        return "not there"
    return f"{check.outcome.value} ({check.earned:g} of {check.points:g})"


def _why(check: CheckResult | None) -> str:
    return f". {check.failure.message}" if check and check.failure else ""


def _conditions(
    then: Grading, before: SubmissionResult, now: Grading, after: SubmissionResult
) -> Iterator[str]:
    if before.sha256 != after.sha256:
        yield f"the files of the submission: {before.sha256[:12]} then, {after.sha256[:12]} now"
    hashes = {e.exercise: e.exercise_sha256 for e in after.exercises}
    for exercise in before.exercises:
        if exercise.exercise_sha256 != (found := hashes.get(exercise.exercise, "")):
            yield (
                f"the exercise {exercise.exercise}: {exercise.exercise_sha256[:12]} then, "
                f"{found[:12]} now"
            )
    for name, told in _EVIDENCE.items():
        old, new = (getattr(g.evidence, name) for g in (then, now))
        if old != new:
            yield told.format(old, new)
    for name, told in _SURROUNDINGS.items():
        old, new = (g.evidence.surroundings.get(name, "unknown") for g in (then, now))
        if old != new:
            yield f"{told}: {old} then, {new} now"


def _some(names: Sequence[str], most: int = 8) -> str:
    shown = ", ".join(names[:most])
    return f"{shown}, …" if len(names) > most else shown
