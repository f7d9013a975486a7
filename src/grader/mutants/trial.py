"""Grades the mutants of solutions: the checks must fail each of them, or it must be known why it is
right all the same.
"""

from __future__ import annotations

import datetime
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from grader.batch import grade
from grader.catalog import Exercise, load_course
from grader.gathered import Progress
from grader.mutants.ledger import FILE_NAME, Ledger, change_of, ledger_of, read_ledger, write_ledger
from grader.mutants.mutant import Mutant, Mutants, mutants_of
from grader.results import ExerciseResult, Outcome
from grader.verify import Finding, about_errors

LEAST_SHARE = 0.95
"""Of an exercise's mutants, how many its checks must fail."""
PARTS = 40
"""A sample is one mutant of so many; another one every day, and all of them in as many days."""
_UNCHANGED = "unchanged"


@dataclass(frozen=True, slots=True)
class Tally:
    """One exercise's mutants."""

    exercise: str
    mutants: int
    """That there are."""
    graded: int
    killed: int
    whole: bool
    """Whether all of them were graded."""


@dataclass(frozen=True, slots=True)
class Trial:
    """What was looked at and what was found."""

    tallies: tuple[Tally, ...]
    findings: tuple[Finding, ...]
    without_ledger: tuple[str, ...]
    """Exercises that have none even now."""


@dataclass(frozen=True, slots=True)
class _Case:
    """The mutants of an exercise that are graded this time."""

    made: Mutants
    ledger: Ledger
    chosen: tuple[int, ...]

    @property
    def exercise(self) -> Exercise:
        return self.made.exercise

    @property
    def whole(self) -> bool:
        return len(self.chosen) == len(self.made.mutants)

    def submissions(self) -> Iterator[tuple[str, Mapping[str, str]]]:
        """Names of submissions and their files."""
        yield f"{self.exercise.name}.{_UNCHANGED}", self.made.unchanged
        for number in self.chosen:
            yield f"{self.exercise.name}.{number}", dict(self.made.mutants[number].files)


def try_mutants(
    names: Sequence[str],
    *,
    course_root: Path,
    home: Path,
    sample: bool = False,
    day: int | None = None,
    database: str = "embedded",
    sandbox: str = "auto",
    seed: int | None = None,
    jobs: int = 1,
    say: Callable[[str], None] = lambda line: None,
    progress: Progress = lambda done, total: None,
) -> Trial:
    """Grade the mutants of exercises' solutions, each until a check fails it.

    Args:
        names: exercises; all of the course where none is given.
        sample: where the ledger fits the exercise as it is now, grade a part of its mutants, and
            all of the others'. Write nothing. Without it all are graded and the ledgers written.
        day: which part it is, as a number that grows by one every day; today's if not given.
        course_root, home, database, sandbox, seed, jobs, say, progress: as for
            `grader.batch.grade`.

    Raises:
        GraderError: an exercise cannot even be read, the packages that make mutants are missing,
            or the machine is at fault.
    """
    day = datetime.datetime.now(datetime.UTC).toordinal() if day is None else day
    exercises = load_course(course_root).select(names)
    cases = [_case(e, day if sample else None) for e in exercises if e.solution_path]
    with tempfile.TemporaryDirectory(prefix="kit-mutants-") as folder:
        for case in cases:
            _lay_out(case, Path(folder))
        grading = grade(
            [Path(folder)],
            course_root=course_root,
            home=home,
            database=database,
            sandbox=sandbox,
            seed=seed,
            exercises=[case.exercise.name for case in cases],
            jobs=jobs,
            until_failure=True,
            say=say,
            progress=progress,
        )
    results = {
        submission.student: result
        for submission in grading.submissions
        for result in submission.exercises
        if submission.student.startswith(f"{result.exercise}.")
    }
    judged = [_judged(case, results, write=not sample) for case in cases]
    return Trial(
        tuple(tally for tally, _ in judged),
        tuple(finding for _, findings in judged for finding in findings),
        tuple(c.exercise.name for c in cases if not ledger_of(c.exercise).is_file()),
    )


def _case(exercise: Exercise, day: int | None) -> _Case:
    made, ledger = mutants_of(exercise), read_ledger(exercise)
    every = range(len(made.mutants))
    if day is None or ledger.key != made.key:
        return _Case(made, ledger, tuple(every))
    return _Case(made, ledger, tuple(n for n in every if (n + day) % PARTS == 0))


def _lay_out(case: _Case, folder: Path) -> None:
    """Write each mutant as a student would have handed it in."""
    for student, files in case.submissions():
        target = folder / student / case.exercise.name
        target.mkdir(parents=True)
        for name, text in files.items():
            (target / name).write_text(text, encoding="utf-8")


def _judged(
    case: _Case, results: Mapping[str, ExerciseResult], *, write: bool
) -> tuple[Tally, list[Finding]]:
    name = case.exercise.name
    of_mutants = {number: results[f"{name}.{number}"] for number in case.chosen}
    survivors = [case.made.mutants[n] for n, result in of_mutants.items() if not _killed(result)]
    total, graded = len(case.made.mutants), len(case.chosen)
    tally = Tally(name, total, graded, graded - len(survivors), case.whole)
    findings = [
        Finding(name, f"solutions/{name}", message)
        for message in _about_unchanged(results[f"{name}.{_UNCHANGED}"])
    ]
    if findings:
        return tally, findings  # what fails in the mutants need not be what was changed
    findings += [
        Finding(name, _shown(case.made.mutants[number]), message)
        for number, result in of_mutants.items()
        for message in about_errors(result)
    ]
    findings += [
        Finding(
            name,
            _shown(mutant),
            "passes every check. Write a check that fails it, or the reason why it is right into "
            f"solutions/{name}/{FILE_NAME}.",
        )
        for mutant in survivors
        if not case.ledger.reasons.get(change_of(mutant), "").strip()
    ]
    if case.whole and total and tally.killed < LEAST_SHARE * total:
        share = f"{tally.killed} of {total} mutants are failed by its checks, fewer than"
        findings.append(Finding(name, "test_*.py", f"{share} {LEAST_SHARE:.0%}"))
    if write:
        write_ledger(
            case.exercise, case.ledger, key=case.made.key, mutants=total, survivors=survivors
        )
    return tally, findings


def _killed(result: ExerciseResult) -> bool:
    return any(check.outcome is Outcome.FAILED for check in result.checks)


def _about_unchanged(result: ExerciseResult) -> Iterator[str]:
    for check in result.checks:
        if check.failure:
            yield (
                "must pass before its mutants can be judged (SQL as sqlglot writes it back), but "
                f"{check.name} does not: {check.failure.message}"
            )


def _shown(mutant: Mutant) -> str:
    return f"{mutant.place}: {' '.join(mutant.change)}"
