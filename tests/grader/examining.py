"""Runs one check, given as source text, on one answer: for tests of the judge and instruments."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path

from grader.catalog import Exercise, load_course
from grader.desk import Desk
from grader.judge import Judge
from grader.results import CheckResult, Outcome, Reason
from grader.submissions import Submission
from tests.grader.courses import EXERCISE, SCHEMA, SOLUTION, TOML, make_course

Examine = Callable[..., CheckResult]
HEAD = "from grader.checks import Raises, check, hint\n\n\n@check('It holds', points=2)\n"


@dataclasses.dataclass
class Course:
    """Exercises of one check each."""

    root: Path
    judge: Judge
    made: int = 0

    def exercise(self, check: str, *, toml: str = TOML, schema: str = SCHEMA) -> Exercise:
        self.made += 1
        text = check if check.startswith("from ") else HEAD + check
        root = make_course(self.root / str(self.made), visible=text, toml=toml, schema=schema)
        return dataclasses.replace(load_course(root).exercises[EXERCISE], solution_path=None)

    def desk(self, check: str, answer: str = SOLUTION, **files: str) -> Desk:
        exercise = self.exercise(check, **files)
        taken = {EXERCISE: {"notes.py": answer.encode()}}
        return self.judge.desk(Submission("ada", taken), exercise)


def failed(result: CheckResult, reason: Reason = Reason.ASSERTION) -> str:
    """Why a check was not passed, in the words for the learner."""
    assert (result.outcome, result.earned) == (Outcome.FAILED, 0), result
    assert result.failure is not None
    assert result.failure.reason is reason, result.failure
    return result.failure.message


def errored(result: CheckResult, reason: Reason = Reason.CHECK) -> str:
    """Why a check could not be judged."""
    assert (result.outcome, result.earned) == (Outcome.ERROR, 0), result
    assert result.failure is not None
    assert result.failure.reason is reason, result.failure
    return result.failure.message
