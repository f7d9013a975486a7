"""The page for authors shows checks that work: each passes what should pass and fails the other."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from grader.checks import INSTRUMENTS
from grader.results import Outcome, Reason
from grader.submissions import Submission
from tests.grader.courses import EXERCISE, TOML
from tests.grader.examining import Course

PAGE = (Path(__file__).parents[2] / "docs" / "instruments.md").read_text(encoding="utf-8")
SECTIONS = {
    found[1]: found[2] for found in re.finditer(r"^## `(\w+)`\n(.*?)(?=^## |\Z)", PAGE, re.S | re.M)
}
HEAD = "from grader.checks import Raises, check, hint\n\n\n"
SETTINGS = TOML + 'privileges = "tables"\n'


def blocks(section: str, kind: str) -> list[str]:
    return re.findall(rf"^```{kind}\n(.*?)^```$", section, re.S | re.M)


EXAMPLES = [
    pytest.param(name, language, kind, id=f"{name}-{kind}")
    for name, section in SECTIONS.items()
    for language in ("python", "sql")
    for kind in ("answer", "mistake")
    if blocks(section, f"{language} {kind}")
]


def test_the_page_has_a_section_for_each_of_these_instruments() -> None:
    assert SECTIONS.keys() == set(INSTRUMENTS)
    assert len(EXAMPLES) >= 2 * (len(INSTRUMENTS) - 1)


@pytest.mark.parametrize(("name", "language", "kind"), EXAMPLES)
def test_an_example_passes_its_answer_and_fails_its_mistake(
    course: Course, name: str, language: str, kind: str
) -> None:
    (check,) = blocks(SECTIONS[name], "python")
    (answer,) = blocks(SECTIONS[name], f"{language} {kind}")
    file = "notes.py" if language == "python" else "pinned.sql"
    toml = SETTINGS
    if name == "migrations":
        file = "0001_level.py"
        toml = toml.replace('"notes.py"', f'"{file}"').replace('"notes"\nseconds', '""\nseconds')
    if language == "sql":
        toml = toml.replace('"notes.py"', '"pinned.sql"').replace('module = "notes"\n', "")
    exercise = course.exercise(HEAD + check, toml=toml)
    submission = Submission("ada", {EXERCISE: {file: answer.encode()}})
    with course.judge.desk(submission, exercise) as desk:
        result = desk.run(exercise.checks[0])
    if kind == "answer":
        assert result.outcome is Outcome.PASSED, result.failure
    else:
        assert result.outcome is Outcome.FAILED
        assert result.failure is not None
        assert result.failure.reason is Reason.ASSERTION
