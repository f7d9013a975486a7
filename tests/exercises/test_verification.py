"""Every exercise of the course, proved: right answers pass, each wrong one fails as it should.

What a wrong answer is told is kept in ``golden/``; ``--write-golden`` writes it anew.
"""

import re
import textwrap
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from grader.batch import grade
from grader.catalog import load_course
from grader.results import CheckResult, ExerciseResult, Grading, Misconception, Outcome
from grader.verify import Verification, verify

ROOT = Path(__file__).parents[2]
GOLDEN = Path(__file__).parent / "golden"
SEED = 20260101
# For the whole course: the first test that asks for the proof waits for all of it.
PATIENCE_SECONDS = 2700
EXERCISES = tuple(sorted(path.name for path in ROOT.glob("exercises/[0-9]*")))
MISTAKES = sorted(ROOT.glob("solutions/*/mistakes/[!_.]*"))


@dataclass(frozen=True)
class Proof:
    verification: Verification
    grading: Grading

    def of(self, mistake: Path) -> ExerciseResult:
        """The result of a wrong answer."""
        exercise = mistake.parents[1].name
        name = f"{exercise}.mistake.{mistake.stem}"
        [submission] = [s for s in self.grading.submissions if s.student == name]
        [result] = [e for e in submission.exercises if e.exercise == exercise]
        return result


@pytest.fixture(scope="session")
def proof(course_root: Path, home: Path) -> Proof:
    """`verify` for the whole course, and the grading that it looked at."""
    gradings: list[Grading] = []

    def recording(*args: Any, **kwargs: Any) -> Grading:
        gradings.append(grade(*args, **kwargs))
        return gradings[-1]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("grader.verify.grade", recording)
        verification = verify([], course_root=course_root, home=home, seed=SEED)
    return Proof(verification, gradings[0])


@pytest.mark.slow
@pytest.mark.timeout(PATIENCE_SECONDS)
def test_right_answers_pass_and_mistakes_fail_as_their_headers_say(proof: Proof) -> None:
    assert [f"{f.exercise}: {f.where}: {f.message}" for f in proof.verification.findings] == []
    assert proof.verification.exercises == EXERCISES


@pytest.mark.slow
@pytest.mark.timeout(PATIENCE_SECONDS)
@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda p: f"{p.parents[1].name}-{p.stem}")
def test_a_mistake_is_told_what_its_golden_file_says(
    mistake: Path, proof: Proof, request: pytest.FixtureRequest
) -> None:
    told = as_text(proof.of(mistake), proof.grading)
    file = GOLDEN / mistake.parents[1].name / f"{mistake.stem}.txt"
    if request.config.getoption("--write-golden", default=False):
        file.parent.mkdir(exist_ok=True)
        file.write_text(told, encoding="utf-8")
    assert told == file.read_text(encoding="utf-8")


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda p: f"{p.parents[1].name}-{p.stem}")
def test_a_message_names_nothing_of_the_kit(mistake: Path) -> None:
    told = (GOLDEN / mistake.parents[1].name / f"{mistake.stem}.txt").read_text(encoding="utf-8")
    assert not re.search(r"kit_|grader|pglab|test_\w|Traceback|/tmp|<function|object at", told)


def test_no_golden_file_is_left_of_a_mistake_that_is_gone() -> None:
    wanted = {f"{p.parents[1].name}/{p.stem}.txt" for p in MISTAKES}
    assert {str(p.relative_to(GOLDEN)) for p in GOLDEN.glob("*/*.txt")} == wanted


@pytest.mark.parametrize("name", EXERCISES)
def test_half_of_the_points_are_visible(name: str, course_root: Path) -> None:
    exercise = load_course(course_root).exercises[name]
    visible = sum(spec.points for spec in exercise.checks if spec.visible)
    assert 0.4 <= visible / exercise.points <= 0.6
    mistakes = list((course_root / "solutions" / name / "mistakes").iterdir())
    alternatives = list((course_root / "solutions" / name / "alternatives").iterdir())
    assert len(mistakes) >= 5
    assert len(alternatives) >= 3


def as_text(result: ExerciseResult, grading: Grading) -> str:
    """What a learner is told about the checks that failed, without what differs in every run."""
    failed = [check for check in result.checks if check.outcome is not Outcome.PASSED]
    return "\n\n".join(_failure(check, grading) for check in failed) + "\n"


def _failure(check: CheckResult, grading: Grading) -> str:
    failure = check.failure
    assert failure is not None
    misconception = grading.misconceptions.get(
        failure.misconception or "", Misconception("", "(no misconception)")
    )
    lines = [f"NOT YET: {check.title} ({check.points:g})", failure.message]
    lines += [f"Expected: {failure.expected}"] if failure.expected else []
    lines += [f"But it is: {failure.actual}"] if failure.actual else []
    lines += [f"Question: {failure.question}", f"Misconception: {misconception.title}"]
    lines += [failure.traceback] if failure.traceback else []
    sent = [
        " ".join(s.sql.split()) + (f"  [{', '.join(s.parameters)}]" if s.parameters else "")
        for s in failure.statements
    ]
    lines += [f"Sent {failure.statements_total}:", *(f"  {text}" for text in sent)]
    wrap = textwrap.TextWrapper(100, subsequent_indent="    ", break_on_hyphens=False)
    return "\n".join(wrap.fill(line) for line in lines)
