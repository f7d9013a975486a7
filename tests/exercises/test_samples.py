"""The sample class gets the points that its README says, and is told so."""

import json
import re
from pathlib import Path

import pytest

from grader.batch import grade
from grader.results import (
    CheckResult,
    ExerciseResult,
    Grading,
    Outcome,
    Reason,
    SubmissionResult,
    to_json,
)

SAMPLES = Path(__file__).parents[2] / "samples"
ROW = re.compile(r"^\| (\w+) \| ([^|]+) \| ([^|]+) \| (\d+) \| ([^|]*)\|$", re.MULTILINE)
EXPECTED = {row[0]: row[1:] for row in ROW.findall((SAMPLES / "README.md").read_text("utf-8"))}

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]


HOSTILE = "mateo"


@pytest.fixture(scope="session")
def grading(course_root: Path, home: Path) -> Grading:
    return graded([SAMPLES / "class"], course_root, home)


def graded(paths: list[Path], course_root: Path, home: Path, seed: int | None = None) -> Grading:
    return grade(
        paths,
        course_root=course_root,
        home=home,
        database="embedded",
        seed=seed,
        assignment="samples",
        jobs=2,
    )


def of(grading: Grading, student: str) -> SubmissionResult:
    [submission] = [s for s in grading.submissions if s.student == student]
    return submission


def failed(result: ExerciseResult) -> list[CheckResult]:
    return [check for check in result.checks if check.outcome is not Outcome.PASSED]


def test_every_student_is_in_the_table(grading: Grading) -> None:
    assert {s.student for s in grading.submissions} == EXPECTED.keys()
    assert len(EXPECTED) >= 12


@pytest.mark.parametrize("student", EXPECTED)
def test_a_student_gets_what_the_table_says(student: str, grading: Grading) -> None:
    submission = of(grading, student)
    first, second, total, misconceptions = EXPECTED[student]
    shown = [
        f"{exercise.earned:g}" if exercise.handed_in else "not handed in"
        for exercise in submission.exercises
    ]
    found = {m for exercise in submission.exercises for m in exercise.misconceptions}
    told = [f"{c.name}: {c.failure}" for e in submission.exercises for c in failed(e)]
    assert shown == [first.strip(), second.strip()], "\n".join(told)
    assert submission.earned == int(total)
    assert found == {m.strip() for m in misconceptions.split(",") if m.strip()}
    assert not submission.has_errors, "\n".join(told)


def test_a_file_that_cannot_be_read_is_explained_by_its_line(grading: Grading) -> None:
    for check in failed(of(grading, "imani").exercises[0]):
        assert check.failure is not None
        assert check.failure.reason is Reason.IMPORT
        assert check.failure.location == "repository.py:71"


def test_an_endless_loop_costs_one_check(grading: Grading) -> None:
    [check] = failed(of(grading, "jonas").exercises[0])
    assert check.failure is not None
    assert check.failure.reason is Reason.TIMEOUT


def test_a_missing_function_costs_its_own_checks(grading: Grading) -> None:
    reasons = {c.failure.reason for c in failed(of(grading, "keiko").exercises[1]) if c.failure}
    assert reasons == {Reason.MISSING}


def test_nothing_that_was_printed_can_steer_a_terminal(grading: Grading) -> None:
    output = of(grading, "lucia").exercises[0].checks[0].output
    assert "PASSED 30/30" in output
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f\u202e]", output)
    assert len(output) < 20_000


def test_without_the_hostile_student_no_byte_of_the_others_results_is_another(
    grading: Grading, course_root: Path, home: Path
) -> None:
    others = [folder for folder in (SAMPLES / "class").iterdir() if folder.name != HOSTILE]
    without = graded(others, course_root, home, grading.evidence.seed)

    def as_bytes(grading: Grading) -> list[str]:
        whole = to_json(grading)["submissions"]
        return [json.dumps(s, sort_keys=True) for s in whole if s["student"] != HOSTILE]

    assert as_bytes(without) == as_bytes(grading)
