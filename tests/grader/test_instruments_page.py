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
    pytest.param(name, number, language, kind, id=f"{name}-{number}-{kind}")
    for name, section in SECTIONS.items()
    for language in ("python", "sql")
    for kind in ("answer", "mistake")
    for number in range(len(blocks(section, f"{language} {kind}")))
]
"""The n-th check of a section belongs to its n-th answer and its n-th mistake."""


def test_the_page_has_a_section_for_each_of_these_instruments() -> None:
    assert SECTIONS.keys() == set(INSTRUMENTS)
    for name, section in SECTIONS.items():
        checks, *pairs = (
            sum(len(blocks(section, language + kind)) for language in ("python", "sql"))
            for kind in ("", " answer", " mistake")
        )
        assert pairs == [checks, checks], name
        assert checks or name == "data"


@pytest.mark.parametrize(("name", "number", "language", "kind"), EXAMPLES)
def test_an_example_passes_its_answer_and_fails_its_mistake(
    course: Course, name: str, number: int, language: str, kind: str
) -> None:
    check = blocks(SECTIONS[name], "python")[number]
    answer = blocks(SECTIONS[name], f"{language} {kind}")[number]
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
