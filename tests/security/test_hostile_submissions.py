"""Hostile submissions get exactly what they honestly earn, and nobody else notices them. Reports of
them show what they say, and nobody's reader obeys it.
"""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from rich.console import Console

from grader.reports import FORMATS, Options, write_reports
from grader.reports.terminal import check_report, print_class_table
from grader.reports.tutor import failure_report
from grader.results import Grading, Outcome, to_json
from tests.security.archives import MADE, Made
from tests.security.conftest import (
    HONEST,
    SUBMISSIONS,
    Hostile,
    ends_of,
    graded,
    lay_out,
    result_of,
    said_of,
)
from tests.security.readers import read
from tests.security.shown import (
    FAILURES,
    NAMES,
    PRINTED,
    SHOWN,
    files_of,
    gradings,
    plain,
    worksheet,
)

# The first test waits for the grading of all.
pytestmark = [pytest.mark.slow, pytest.mark.timeout(1500)]


@pytest.mark.parametrize("hostile", SUBMISSIONS, ids=lambda h: h.name)
def test_a_hostile_submission_earns_exactly_its_honest_part(
    hostile: Hostile, with_hostile: Grading
) -> None:
    result = result_of(with_hostile, hostile.name)
    assert hostile.ends_in(result), ends_of(result, hostile.exercise)
    assert result.earned == hostile.earns
    said = said_of(result, hostile.exercise)
    assert [words for words in hostile.says if words not in said] == [], said


@pytest.mark.parametrize("hostile", SUBMISSIONS, ids=lambda h: h.name)
def test_what_a_hostile_submission_does_is_never_an_error_of_the_kit(
    hostile: Hostile, with_hostile: Grading
) -> None:
    errors = [
        (check.name, check.failure)
        for exercise in result_of(with_hostile, hostile.name).exercises
        for check in exercise.checks
        if check.outcome is Outcome.ERROR
    ]
    assert errors == []


@pytest.mark.parametrize("hostile", SUBMISSIONS, ids=lambda h: h.name)
def test_no_probe_of_the_sandbox_or_the_server_works(
    hostile: Hostile, with_hostile: Grading
) -> None:
    outputs = [c.output for e in result_of(with_hostile, hostile.name).exercises for c in e.checks]
    found = [
        line for o in outputs for line in o.splitlines() if line.startswith(("FOUND", "WORKED"))
    ]
    assert found == []


@pytest.mark.parametrize("made", MADE, ids=lambda m: m.name)
def test_an_odd_archive_or_name_earns_nothing_and_is_told_why(
    made: Made, with_hostile: Grading
) -> None:
    result = result_of(with_hostile, made.called)
    assert result.earned == 0
    (notes,) = (each for each in result.exercises if each.exercise == "01_notes")
    told = [check.failure for check in notes.checks]
    assert all(told)
    if made.shows:
        assert all(failure and made.shows in failure.message for failure in told), told
    else:
        assert ends_of(result, "01_notes") == ["assertion"] * 3


@pytest.mark.parametrize("student", HONEST)
def test_the_neighbors_of_hostile_submissions_get_the_same_results_to_the_byte(
    student: str, with_hostile: Grading, without_hostile: Grading
) -> None:
    def as_bytes(grading: Grading) -> str:
        whole = to_json(grading)["submissions"]
        return json.dumps([s for s in whole if s["student"] == student], sort_keys=True)

    assert as_bytes(with_hostile) == as_bytes(without_hostile)
    result = result_of(with_hostile, student)
    assert result.earned == result.points


def test_who_fills_the_tables_is_shut_out_and_nobody_else(
    backend: str,
    without_hostile: Grading,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """With a smaller limit than in the class, where the time may be over before it is reached. One
    process, so that it is set for the neighbors' judge too.
    """
    monkeypatch.setattr("grader.judge.DATABASE_MEGABYTES", 20)
    chosen = tuple(h for h in SUBMISSIONS if h.name == "fills_the_tables")
    folder = lay_out(tmp_path / "class", chosen)
    grading = graded(folder, tmp_path / "home", backend, exercises=["01_notes"], jobs=1)
    result = result_of(grading, "fills_the_tables")
    assert ends_of(result, "01_notes") == ["limit", "assertion", "limit"]
    assert result.earned == 0
    assert "filled the database with more than 20 MB" in said_of(result, "01_notes")
    for student in HONEST:
        (alone,) = result_of(grading, student).exercises
        assert alone in result_of(without_hostile, student).exercises


def test_probes_really_ran(with_hostile: Grading) -> None:
    """Without this, a probe that never started would look like one that found nothing."""
    printed = result_of(with_hostile, "looks_for_secrets").exercises[0].checks[0].output
    assert "INSIDE /" in printed


def test_what_a_submission_printed_is_kept_without_control_sequences(with_hostile: Grading) -> None:
    text = json.dumps(to_json(with_hostile)["submissions"], ensure_ascii=False)
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert "forged" in text


@pytest.fixture(scope="session")
def reports(with_hostile: Grading, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Folders with every report that there is."""
    folders = []
    for grading in gradings(with_hostile):
        folder = tmp_path_factory.mktemp("reports")
        moodle = worksheet(grading, tmp_path_factory.mktemp("moodle") / "Grades.csv")
        write_reports(grading, folder, FORMATS, Options(title="Week 3", worksheet=moodle))
        folders.append(folder)
    return folders


@pytest.mark.parametrize("name", FORMATS)
def test_what_submissions_say_is_shown_and_never_obeyed(name: str, reports: list[Path]) -> None:
    text = ""
    for folder in reports:
        files = list(files_of(name, folder))
        assert files
        for path in files:
            seen = read(path.read_bytes().decode("utf-8"), path.suffix)
            assert seen.taken == [], path.relative_to(folder)
            text += seen.text
    assert [words for words in SHOWN[name] if words not in plain(text)] == []


def test_every_file_belongs_to_a_format(reports: list[Path]) -> None:
    for folder in reports:
        written = {path for path in folder.rglob("*") if path.is_file()}
        assert written == {path for name in FORMATS for path in files_of(name, folder)}


@pytest.mark.parametrize("width", [40, 1000])
def test_what_is_printed_is_text(width: int, with_hostile: Grading) -> None:
    output = io.StringIO()
    console = Console(file=output, width=width, color_system=None, force_terminal=False)
    for grading in gradings(with_hostile):
        print_class_table(grading, console)
        for submission in grading.submissions:
            for exercise in submission.exercises:
                console.print(check_report(exercise, grading.misconceptions, all=True))
                for check in exercise.checks:
                    if check.failure:
                        console.print(failure_report(check, grading.misconceptions))
    seen = read(output.getvalue(), "")
    assert seen.taken == []
    if width == 1000:
        wanted = (*FAILURES, *PRINTED, NAMES[0])
        assert [words for words in wanted if words not in plain(seen.text)] == []
