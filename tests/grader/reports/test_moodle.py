"""Moodle's worksheet comes back as it was, with the points in it, or not at all."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from grader.errors import ReportInputError
from grader.reports import Options, write_reports
from grader.results import Grading

from .classes import with_roster, without_roster
from .strategies import gradings, texts
from .test_gradebook import FORMULA

HEADS = [
    "Identifier", "Full name", "Email address", "Status", "Grade", "Maximum grade",
    "Grade can be changed", "Last modified (submission)", "Last modified (grade)",
    "Feedback comments",
]  # fmt: skip
ONE_FOLDER = settings(
    deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def row(number: int, name: str, email: str = "", grade: str = "") -> list[str]:
    last = ["Yes", "Sunday, 1 March 2026, 9:00 PM", "-", ""]
    return [f"Participant {number}", name, email, "Submitted", grade, "100.00", *last]


def exported(path: Path, *rows: list[str], heads: list[str] = HEADS, delimiter: str = ",") -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, delimiter=delimiter).writerows([heads, *rows])
    return path


def filled(grading: Grading, worksheet: Path, out: Path) -> list[list[str]]:
    (path,) = write_reports(grading, out, ["moodle"], Options(worksheet=worksheet))
    return list(csv.reader(io.StringIO(path.read_bytes().decode(), newline=""), strict=True))


def grades(grading: Grading, worksheet: Path, out: Path) -> list[str]:
    return [cells[HEADS.index("Grade")] for cells in filled(grading, worksheet, out)[1:]]


def test_people_are_found_by_email_name_or_id_and_points_are_scaled(tmp_path: Path) -> None:
    sheet = exported(
        tmp_path / "in.csv",
        row(12, "Cleo"),
        row(11, "A. L.", "ADA@school.example"),
        row(13, "bob", grade="55.00"),
        row(14, "Dan"),
        row(15, "Eve", grade="7.00"),
    )
    rows = filled(with_roster(), sheet, tmp_path)
    # Bob's points are not final, Dan is excused, Eve is not in the class: as Moodle had them.
    assert [cells[4] for cells in rows[1:]] == ["0.00", "75.00", "55.00", "", "7.00"]
    assert rows[0] == HEADS
    assert rows[2][7:] == ["Sunday, 1 March 2026, 9:00 PM", "-", ""]


def test_moodles_own_folder_names_are_known(tmp_path: Path) -> None:
    sheet = exported(tmp_path / "in.csv", row(4711, "Ada Lovelace"), row(4712, "Ada Lovelace"))
    graded = without_roster("Ada Lovelace_4712_assignsubmission_file")
    assert grades(graded, sheet, tmp_path) == ["", "100.00"]


def test_underscores_stand_for_spaces(tmp_path: Path) -> None:
    sheet = exported(tmp_path / "in.csv", row(1, "Ada Lovelace"))
    assert grades(without_roster("ada_lovelace"), sheet, tmp_path) == ["100.00"]


@pytest.mark.parametrize(("mark", "delimiter"), [(b"", ";"), (b"\xef\xbb\xbf", ","), (b"", "\t")])
def test_the_file_stays_as_it_was_written(tmp_path: Path, mark: bytes, delimiter: str) -> None:
    sheet = exported(tmp_path / "in.csv", row(1, "ada", grade="100.00"), delimiter=delimiter)
    sheet.write_bytes(mark + sheet.read_bytes())
    write_reports(without_roster("ada"), tmp_path, ["moodle"], Options(worksheet=sheet))
    assert (tmp_path / "moodle.csv").read_bytes() == sheet.read_bytes()


@pytest.mark.parametrize(
    ("students", "names", "said"),
    [
        (["ada", "bob"], ["ada"], "has no row for bob"),
        (["a", "b", "c", "d", "e"], ["x"], "no row for a, b, c and 2 more"),
        (["ada"], ["Ada", "ADA"], "ada fits 2 rows"),
        (["ada_l", "ada l"], ["Ada L"], "fit the same row"),
    ],
)
def test_a_worksheet_that_does_not_match_is_refused_and_nothing_is_written(
    tmp_path: Path, students: list[str], names: list[str], said: str
) -> None:
    sheet = exported(tmp_path / "in.csv", *(row(i, name) for i, name in enumerate(names)))
    with pytest.raises(ReportInputError, match=said):
        filled(without_roster(*students), sheet, tmp_path)
    assert not (tmp_path / "moodle.csv").exists()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "has no columns Identifier and Grade"),
        (b"Bezeichner,Bewertung\n", "has no columns Identifier and Grade"),
        (b"Identifier,Grade\nParticipant 1\n", "has 1 cells in row 2, not 2"),
        (b"Identifier,Grade,Grade\n", "two columns of the same name"),
        (b"Identifier,Gr\xfcn\n", "is not UTF-8"),
    ],
)
def test_what_is_no_worksheet_is_refused_with_the_cure(
    tmp_path: Path, content: bytes, said: str
) -> None:
    (tmp_path / "in.csv").write_bytes(content)
    with pytest.raises(ReportInputError, match=f"{said}.*Download the grading worksheet"):
        filled(without_roster("ada"), tmp_path / "in.csv", tmp_path)


def test_without_a_worksheet_the_message_says_how_to_name_one(tmp_path: Path) -> None:
    with pytest.raises(ReportInputError, match="--worksheet FILE"):
        write_reports(without_roster("ada"), tmp_path, ["moodle"])


@given(
    graded=gradings(surrogates=True),
    names=st.lists(texts().filter(lambda text: "\0" not in text), max_size=4),
)
@ONE_FOLDER
def test_whatever_is_in_it_the_shape_stays_and_no_cell_starts_a_formula(
    graded: Grading, names: list[str], tmp_path: Path
) -> None:
    known = [submission.student for submission in graded.submissions if not graded.scores]
    sheet = tmp_path / "in.csv"
    rows = [row(i, name) for i, name in enumerate([*names, *known])]
    text = io.StringIO()
    csv.writer(text).writerows([HEADS, *rows])
    sheet.write_bytes(text.getvalue().encode(errors="replace"))
    try:
        found = filled(graded, sheet, tmp_path)
    except ReportInputError:
        return
    assert [cells[0] for cells in found] == ["Identifier", *(cells[0] for cells in rows)]
    for cells in found:
        assert len(cells) == len(HEADS)
        assert not [c for c in cells if c.startswith(tuple(FORMULA)) and c != "-"]
