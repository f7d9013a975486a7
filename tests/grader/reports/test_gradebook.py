"""``gradebook.csv``: right numbers, and no cell that a spreadsheet would run."""

from __future__ import annotations

import csv
import dataclasses
import io
import re
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grader.reports import gradebook
from grader.reports.gradebook import inert
from grader.results import ExerciseResult, Grading, Outcome, SubmissionResult

from .demo import KIT, UPDATE, check, demo_class, grading
from .strategies import gradings, texts

FORMULA = "=+-@\t\r\n\uff1d\uff0b\uff0d\uff20"


def written(grading: Grading) -> str:
    return "".join(gradebook._rows(gradebook.ClassSummary(grading)))


def table(grading: Grading) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(written(grading), newline="")))


@given(gradings(surrogates=True))
@settings(deadline=None, max_examples=30)
def test_it_parses_back_and_no_cell_starts_a_formula(grading: Grading) -> None:
    rows = list(csv.reader(io.StringIO(written(grading), newline=""), strict=True))
    assert len(rows) == len(grading.submissions) + 1
    assert {len(row) for row in rows} == {len(grading.exercises) + 6}
    for cell in (cell for row in rows for cell in row):
        assert not cell.startswith(tuple(FORMULA))
        assert not [c for c in cell if unicodedata.category(c) in {"Cc", "Cs", "Zl", "Zp"}]


@given(texts(surrogates=True))
@settings(deadline=None, max_examples=300)
def test_no_other_separator_makes_a_formula_of_a_piece(text: str) -> None:
    pieces = re.split(r"[;,|]", inert(text))
    assert not [p for p in pieces if p.strip(" \"'").startswith(tuple(FORMULA)) and "'" not in p]


@given(st.from_regex(r"[A-Za-z][A-Za-z .]{0,20}[a-z]", fullmatch=True))
def test_a_harmless_name_stays_as_it_is(name: str) -> None:
    assert inert(name) == " ".join(name.split())


@pytest.mark.parametrize(
    ("text", "cell"),
    [
        ("=1+1", "'=1+1"),
        ("  @SUM(A1)", "'@SUM(A1)"),
        ("\t\r=1", "'=1"),
        ("x;=1", "x;'=1"),
        ('x", "=1', 'x", "\'=1'),
        ("a-b = c", "a-b = c"),
    ],
)
def test_formulas_become_text(text: str, cell: str) -> None:
    assert inert(text) == cell


def test_a_row_holds_points_total_percent_and_misconceptions() -> None:
    graded = grading(
        check(Outcome.PASSED, points=1.5, name="test_a"),
        check(Outcome.FAILED, UPDATE, points=2.5, name="test_b"),
    )
    assert table(graded) == [
        {
            "student": "ada",
            "04_repository": "1.5",
            "total": "1.5",
            "max": "4",
            "percent": "37.5",
            "misconceptions": "truthy-update",
            "note": "",
        }
    ]


def test_points_that_the_kit_lost_are_left_empty_and_explained() -> None:
    graded = grading(
        check(Outcome.PASSED, points=1, name="test_a"),
        check(Outcome.ERROR, KIT, points=2, name="test_b"),
    )
    (row,) = table(graded)
    assert (row["04_repository"], row["total"], row["percent"]) == ("", "", "")
    assert row["note"] == "Not final: the kit failed at 1 check of 04_repository."


def test_what_was_not_handed_in_is_no_points_of_the_same_maximum() -> None:
    ada = grading(check(Outcome.PASSED, points=4)).submissions[0]
    absent = ExerciseResult("04_repository", "A repository for users", (), handed_in=False)
    bob, eve = SubmissionResult("bob", (absent,)), SubmissionResult("eve", (), problem="No ZIP.")
    rows = table(dataclasses.replace(grading(), submissions=(ada, bob, eve)))
    assert [(row["total"], row["max"], row["percent"]) for row in rows] == [
        ("4", "4", "100"),
        ("0", "4", "0"),
        ("0", "4", "0"),
    ]
    assert [row["note"] for row in rows] == [
        "",
        "Not handed in: 04_repository.",
        "Could not be read: No ZIP.",
    ]


def test_one_submission_less_changes_no_other_row() -> None:
    whole = demo_class()
    less = dataclasses.replace(whole, submissions=whole.submissions[1:])
    lines = written(whole).splitlines(keepends=True)
    assert written(less).splitlines(keepends=True) == lines[:1] + lines[2:]
