"""``kit report``: other formats from results that are there, and nothing half-written."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from grader import reports
from kit.cli import options
from tests.grader.reports.classes import with_roster, without_roster
from tests.grader.reports.demo import demo_class
from tests.kit.conftest import Ended

Inside = Callable[..., Ended]
SHEET = "Identifier,Full name,Grade\nParticipant 1,ada,\nParticipant 2,bob,\n"


@pytest.fixture
def graded(tmp_path: Path) -> Path:
    """A folder that ``kit grade`` wrote, without the pages for people."""
    folder = tmp_path / "out"
    reports.write_reports(without_roster("ada", "bob"), folder, ["json", "csv"])
    return folder


def contents(folder: Path) -> dict[str, bytes]:
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def test_the_command_line_knows_every_format() -> None:
    assert options.FORMATS == reports.FORMATS


def test_a_format_is_written_beside_the_others(inside: Inside, graded: Path) -> None:
    before = contents(graded)
    ended = inside("report", str(graded), "--format", "canvas", "--title", "Week 3 (4711)")
    assert (ended.code, ended.out) == (0, f"{graded / 'canvas.csv'}\n")
    after = contents(graded)
    assert "Week 3 (4711)" in after.pop("canvas.csv").decode()
    assert after == before


def test_without_a_format_the_usual_reports_are_written_anew(inside: Inside, graded: Path) -> None:
    (graded / "gradebook.csv").write_text("spoiled")
    results = (graded / "results.json").read_bytes()
    assert inside("report", str(graded)).code == 0
    after = contents(graded)
    assert {"results.json", "gradebook.csv", "junit.xml", "report.html"} <= set(after)
    assert after["gradebook.csv"].startswith(b"student,")
    assert after["results.json"] == results


def test_every_format_can_be_had_at_once(inside: Inside, graded: Path, tmp_path: Path) -> None:
    sheet = tmp_path / "Grades.csv"
    sheet.write_text(SHEET, encoding="utf-8")
    words = [word for name in reports.FORMATS for word in ("--format", name)]
    ended = inside("report", str(graded), *words, "--worksheet", str(sheet), "--json")
    assert ended.code == 0
    told = json.loads(ended.out)
    assert told["folder"] == str(graded)
    assert set(told["files"]) == set(contents(graded))
    assert "Participant 1,ada,4.00" in (graded / "moodle.csv").read_text(encoding="utf-8")


def test_another_folder_gets_the_results_as_well_and_nothing_of_before(
    inside: Inside, graded: Path, tmp_path: Path
) -> None:
    other = tmp_path / "upload"
    for name in ("canvas", "lti", "gradescope"):
        assert inside("report", str(graded), "--format", name, "--out", str(other)).code == 0
    assert set(contents(other)) == {"results.json", "gradescope/ada.json", "gradescope/bob.json"}
    assert set(contents(graded)) == {"results.json", "gradebook.csv"}


def test_a_single_submissions_file_does_not_stay_beside_those_of_a_class(
    inside: Inside, graded: Path
) -> None:
    (graded / "results.gradescope.json").write_text("{}")
    assert inside("report", str(graded), "--format", "gradescope").code == 0
    assert "results.gradescope.json" not in contents(graded)


def test_points_that_are_not_final_are_told(inside: Inside, tmp_path: Path) -> None:
    reports.write_reports(with_roster(), tmp_path / "out", ["json"])
    ended = inside("report", str(tmp_path / "out"), "--format", "lti")
    assert ended.code == 0
    assert "1 of 2 submissions could not be judged completely" in ended.err


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (None, "There is no results.json"),
        ("{", "is not JSON"),
        ('{"format": 2, "submissions": []}', "is of format 2; this kit reads 1"),
        ('{"format": 1, "submissions": []}', "damaged"),
    ],
)
def test_results_that_cannot_be_used_are_wrong_usage(
    inside: Inside, tmp_path: Path, content: str | None, says: str
) -> None:
    if content is not None:
        (tmp_path / "results.json").write_text(content)
    ended = inside("report", str(tmp_path), "--format", "csv", "--out", str(tmp_path / "new"))
    assert ended.code == 2
    assert says in ended.err
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--format", "pdf"], "'pdf' is not one of"),
        (["--format", "moodle"], "--worksheet FILE"),
        (["--format", "moodle", "--worksheet", "nowhere.csv"], "'nowhere.csv' does not exist"),
        (["--format", "xapi", "--site", "school"], "is no address"),
        (["--format", "moodle", "--worksheet", "other.csv"], "has no row for bob"),
        (["--format", "csv", "--format", "moodle", "--worksheet", "other.csv"], "no row for bob"),
        (["--format", "csv", "--worksheet", "other.csv"], "is for --format moodle"),
        (["--format", "csv", "--out", "other.csv"], "is a file"),
    ],
)
def test_wrong_usage_changes_nothing(
    inside: Inside, graded: Path, monkeypatch: pytest.MonkeyPatch, words: list[str], says: str
) -> None:
    monkeypatch.chdir(graded.parent)
    Path("other.csv").write_text("Identifier,Full name,Grade\nParticipant 1,ada,\n")
    (graded / "gradebook.csv").write_text("as it was")
    before = contents(graded.parent)
    ended = inside("report", str(graded), *words)
    assert ended.code == 2
    assert says in ended.err
    assert contents(graded.parent) == before


def test_the_only_worksheet_is_not_written_over(inside: Inside, graded: Path) -> None:
    (graded / "moodle.csv").write_text(SHEET)
    ended = inside(
        "report", str(graded), "--format", "moodle", "--worksheet", str(graded / "moodle.csv")
    )
    assert ended.code == 2
    assert "would be overwritten" in ended.err
    assert (graded / "moodle.csv").read_text() == SHEET


def test_a_folder_of_ones_own_things_is_refused(
    inside: Inside, graded: Path, tmp_path: Path
) -> None:
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "canvas.csv").write_text("mine")
    ended = inside("report", str(graded), "--format", "canvas", "--out", str(tmp_path / "thesis"))
    assert ended.code == 2
    assert "not a grading" in ended.err
    assert (tmp_path / "thesis" / "canvas.csv").read_text() == "mine"


def test_a_large_class_has_a_file_for_everybody(inside: Inside, tmp_path: Path) -> None:
    reports.write_reports(demo_class(60, 2, 3), tmp_path / "out", ["json"])
    assert inside("report", str(tmp_path / "out"), "--format", "check50").code == 0
    assert len(list((tmp_path / "out" / "check50").iterdir())) == 60
