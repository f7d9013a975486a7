"""Scores are told in every report, and what is uncertain is left empty."""

from __future__ import annotations

import csv
import dataclasses
from pathlib import Path

import pytest
from hypothesis import given

from grader.people import Attempt, PersonScore, Scores
from grader.reports import write_reports
from grader.reports.score_words import due_date, duration, score_lines, score_rows, told_to
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


@pytest.mark.parametrize(
    ("due", "zone", "shown"),
    [
        ("2026-11-30T23:59:00+01:00", "CET", "30 November 2026, 23:59 CET"),
        ("2026-06-01T08:00:00+02:00", "CEST", "1 June 2026, 08:00 CEST"),
        ("2026-06-01T08:00:05+00:00", "UTC", "1 June 2026, 08:00:05 UTC"),
        ("2026-06-01T08:00:00+00:00", "", "1 June 2026, 08:00 UTC"),
        ("2026-06-01T08:00:00+01:00", "", "1 June 2026, 08:00 UTC+1"),
        ("2026-06-01T08:00:00-03:30", "", "1 June 2026, 08:00 UTC-3:30"),
        ("", "", ""),
        ("some day", "", "some day"),
    ],
)
def test_a_due_date_is_told_as_people_write_it(due: str, zone: str, shown: str) -> None:
    assert due_date(dataclasses.replace(SCORES, due=due, due_zone=zone)) == shown


def test_the_pages_are_about_the_assignment_and_name_people_as_the_roster_does(
    tmp_path: Path,
) -> None:
    together = Attempt("pair", "", 0, 5.0, 5.0)
    people = (
        person("u1", "graded", Attempt("ada", "", 0, 1.0, 1.0), name="Ada Okafor"),
        person("u2", "graded", together, name="Ben Rossi"),
        person("u3", "graded", together, name="Eve <b>"),
        person("u4", "graded", Attempt("zoe", "", 0, 1.0, 1.0), name="zoe"),
    )
    scores = dataclasses.replace(SCORES, people=people, due_zone="CET")
    submissions = tuple(SubmissionResult(name, ()) for name in ("ada", "pair", "zoe"))
    write_reports(
        dataclasses.replace(GRADING, scores=scores, submissions=submissions), tmp_path, ["html"]
    )
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "<title>Week 1 – class report</title>" in page
    assert '<p class="soft">C</p><h1>Week 1</h1>' in page
    assert "Due 20 November 2026, 23:59 CET" in page
    ada, pair, zoe = (
        (tmp_path / "students" / f"{name}.html").read_text(encoding="utf-8")
        for name in ("ada", "pair", "zoe")
    )
    assert '<p class="soft">C · Week 1</p>\n<h1><bdi>Ada Okafor</bdi></h1>' in ada
    assert "Handed in as <bdi>ada</bdi>" in ada
    assert "<h1><bdi>Ben Rossi, Eve &lt;b&gt;</bdi></h1>" in pair
    assert "<h1><bdi>zoe</bdi></h1>" in zoe
    assert "Handed in as" not in zoe


def test_a_class_without_sections_has_no_column_for_them(tmp_path: Path) -> None:
    write_reports(GRADING, tmp_path, ["html"])
    assert ">Section<" not in (tmp_path / "report.html").read_text(encoding="utf-8")
    some = dataclasses.replace(SCORES.people[0], section="B")
    scores = dataclasses.replace(SCORES, people=(some, *SCORES.people[1:]))
    write_reports(dataclasses.replace(GRADING, scores=scores), tmp_path, ["html"])
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert ">Section<" in page
    assert "<td>B</td>" in page


def test_an_assignment_without_scores_heads_the_pages_too(tmp_path: Path) -> None:
    grading = dataclasses.replace(GRADING, scores=None, assignment="Week 2")
    write_reports(grading, tmp_path, ["html"])
    assert "<h1>Week 2</h1>" in (tmp_path / "report.html").read_text(encoding="utf-8")


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
