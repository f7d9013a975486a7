"""Scores are told in every report, and what is uncertain is left empty."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from hypothesis import given

from grader.people import Attempt, PersonScore, Scores
from grader.reports import write_reports
from grader.reports.score_words import duration, score_lines, score_rows, told_to
from grader.results import Evidence, Grading, SubmissionResult

from .strategies import gradings

DAY = 86_400


def person(id_: str, status: str = "graded", *attempts: Attempt, **fields: str) -> PersonScore:
    chosen = attempts[-1] if attempts else Attempt("", "", 0, 0.0, 0.0)
    return PersonScore(
        id=id_,
        name=fields.get("name", ""),
        email=fields.get("email", ""),
        section="",
        status=status,
        submission=chosen.submission,
        before=chosen.before,
        after=chosen.after,
        attempts=attempts,
    )


SCORES = Scores(
    "w",
    "Week 1",
    "2026-11-20T23:59:00+01:00",
    20.0,
    (
        person("u1", "graded", Attempt("ada", "2026-11-21T22:00:00+00:00", DAY, 15.0, 13.5)),
        person("u2", "missing", name="=HYPERLINK(1)"),
        person("u3", "excused"),
        person("u4", "not final", Attempt("eve", "", 0, 3.0, 3.0)),
        person("u5", "graded", Attempt("k1", "", 0, 5.0, 5.0), Attempt("k2", "", 0, 9.0, 9.0)),
    ),
    ("zoe",),
)
GRADING = Grading(
    "C",
    Evidence("1", 1, "bubblewrap", "embedded", "18"),
    tuple(SubmissionResult(name, ()) for name in ("ada", "eve", "k1", "k2", "zoe")),
    scores=SCORES,
)


def test_the_score_of_who_may_still_get_another_is_left_empty(tmp_path: Path) -> None:
    write_reports(GRADING, tmp_path, ["scores"])
    with (tmp_path / "scores.csv").open(encoding="utf-8", newline="") as file:
        rows = {row["id"]: row for row in csv.DictReader(file)}
    assert [rows[f"u{n}"]["score"] for n in range(1, 6)] == ["13.5", "0", "", "", "9"]
    assert [rows[f"u{n}"]["percent"] for n in range(1, 6)] == ["67.5", "0", "", "", "45"]
    assert [rows[f"u{n}"]["note"] for n in range(1, 6)] == [
        "",
        "handed in nothing",
        "excused",
        "not final",
        "one of 2 submissions",
    ]
    assert (rows["u1"]["before"], rows["u1"]["late"], rows["u1"]["max"]) == ("15", "1 day", "20")
    assert rows["u2"]["name"] == "'=HYPERLINK(1)"


def test_without_scores_there_is_no_such_file(tmp_path: Path) -> None:
    assert write_reports(Grading("C", GRADING.evidence, ()), tmp_path, ["scores"]) == []


def test_an_instructor_is_told_who_is_missing_late_or_unknown() -> None:
    assert score_lines(SCORES) == [
        "Handed in nothing: =HYPERLINK(1).",
        "Late: u1.",
        "Not in the roster: zoe.",
    ]


def test_a_student_is_told_about_lateness_and_about_another_attempt() -> None:
    assert told_to("ada", GRADING) == ["Handed in 1 day late: 15 points became 13.5."]
    assert told_to("k1", GRADING) == ["Another of your submissions counts, not this one."]
    assert told_to("k2", GRADING) == []


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (1, "1 minute"),
        (61, "2 minutes"),
        (3600, "1 hour"),
        (3601, "2 hours"),
        (90_000, "2 days"),
    ],
)
def test_a_time_is_told_in_its_largest_unit_and_rounded_up(seconds: int, shown: str) -> None:
    assert duration(seconds) == shown


def test_the_class_page_shows_the_scores_and_the_students_page_what_they_mean(
    tmp_path: Path,
) -> None:
    write_reports(GRADING, tmp_path, ["html"])
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert '<h2 id="scores">Scores</h2>' in page
    assert "Not in the roster: zoe." in page
    ada = (tmp_path / "students" / "ada.html").read_text(encoding="utf-8")
    assert "Handed in 1 day late: 15 points became 13.5." in ada


@given(grading=gradings())
def test_any_scores_can_be_told(grading: Grading) -> None:
    if grading.scores is not None:
        assert len(score_rows(grading.scores)) == len(grading.scores.people)
        for submission in grading.submissions:
            told_to(submission.student, grading)
