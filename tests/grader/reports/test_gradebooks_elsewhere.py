"""Canvas, nbgrader and LTI: the right points for the right people, and no cell that runs."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable

import pytest
from hypothesis import given, settings

from grader.reports import Options, canvas, lti, nbgrader
from grader.results import Grading

from .classes import with_roster, without_roster
from .demo import demo_class
from .strategies import gradings
from .test_gradebook import FORMULA

Rows = Callable[[Grading, Options], Iterable[str]]


def table(rows: Rows, grading: Grading, **options: str) -> list[dict[str, str]]:
    text = "".join(rows(grading, Options(**options)))
    return list(csv.DictReader(io.StringIO(text, newline=""), strict=True))


@pytest.mark.parametrize("rows", [canvas.rows, nbgrader.rows])
@given(grading=gradings(surrogates=True))
@settings(deadline=None, max_examples=40)
def test_it_parses_back_and_no_cell_starts_a_formula(rows: Rows, grading: Grading) -> None:
    text = "".join(rows(grading, Options()))
    text.encode()
    parsed = list(csv.reader(io.StringIO(text, newline=""), strict=True))
    assert len({len(row) for row in parsed}) == 1
    assert not [c for row in parsed for c in row if c.startswith(tuple(FORMULA)) or "\n" in c]


def test_canvas_gets_its_columns_and_the_points_possible() -> None:
    possible, ada, cleo, dan = table(canvas.rows, with_roster(), title="Week 3 (4711)")
    assert list(ada) == [
        "Student", "ID", "SIS User ID", "SIS Login ID", "Section", "Week 3 (4711)",
    ]  # fmt: skip
    assert (possible["Student"], possible["Week 3 (4711)"]) == ("Points Possible", "4")
    assert list(ada.values()) == ["Ada Lovelace", "", "1", "ada@school.example", "A", "3"]
    assert (cleo["Student"], cleo["Week 3 (4711)"]) == ("Cleo", "0")
    assert (dan["Student"], dan["Week 3 (4711)"]) == ("Dan", "EX")


def test_canvas_hears_nothing_of_points_that_are_not_final() -> None:
    assert "Bob" not in "".join(canvas.rows(with_roster(), Options()))


def test_without_a_roster_the_submissions_name_is_the_login() -> None:
    _, row = table(canvas.rows, without_roster("ada"))
    assert (row["Student"], row["SIS User ID"], row["SIS Login ID"]) == ("ada", "", "ada")
    assert row["A course"] == "4"


def test_nbgrader_gets_times_in_utc_and_what_lateness_took() -> None:
    ada, bob, cleo, dan = table(nbgrader.rows, with_roster())
    assert list(ada) == list(nbgrader.COLUMNS)
    assert (ada["assignment"], ada["student_id"], ada["last_name"]) == (
        "Week 3", "1", "Ada Lovelace",
    )  # fmt: skip
    assert (ada["duedate"], ada["timestamp"]) == ("2026-03-01 22:59:00", "2026-03-01 21:00:00")
    points = ("raw_score", "late_submission_penalty", "score", "max_score")
    assert [ada[key] for key in points] == ["4", "1", "3", "4"]
    assert [bob[key] for key in points] == ["", "", "", "4"]
    assert [cleo[key] for key in points] == ["0", "0", "0", "4"]
    assert [dan[key] for key in points] == ["", "", "", "4"]


def test_lti_tells_how_far_the_grading_is() -> None:
    ada, bob, cleo, dan = lti.documents(with_roster())
    assert (ada["scoreGiven"], ada["scoreMaximum"], ada["gradingProgress"]) == (3, 4, "FullyGraded")
    assert ada["comment"] == "3 of 4 points. 4 before lateness was taken off."
    assert (bob["activityProgress"], bob["gradingProgress"]) == ("Submitted", "Failed")
    assert (cleo["activityProgress"], cleo["scoreGiven"]) == ("Initialized", 0)
    assert dan["gradingProgress"] == "NotReady"


def test_lti_takes_its_time_from_the_grading() -> None:
    times = {score["timestamp"] for score in lti.documents(demo_class())}
    assert times == {"2026-03-02T09:00:00.000Z"}
