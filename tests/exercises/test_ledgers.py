"""Of every exercise it is known which mutants of its solution pass, and why they are right."""

from pathlib import Path

import pytest

from grader.catalog import load_course
from grader.mutants.ledger import read_ledger
from grader.mutants.mutant import mutants_of
from grader.mutants.trial import LEAST_SHARE

ROOT = Path(__file__).parents[2]
EXERCISES = tuple(sorted(path.name for path in ROOT.glob("exercises/[0-9]*")))


@pytest.mark.slow
@pytest.mark.parametrize("name", EXERCISES)
def test_a_ledger_is_of_these_checks_and_gives_a_reason_for_each_survivor(
    name: str, course_root: Path
) -> None:
    exercise = load_course(course_root).exercises[name]
    made, ledger = mutants_of(exercise), read_ledger(exercise)
    assert ledger.key == made.key, f"kit exercise verify {name} --mutants writes it anew"
    assert all(reason.strip() for reason in ledger.reasons.values())
    assert 1 - len(ledger.reasons) / len(made.mutants) >= LEAST_SHARE
