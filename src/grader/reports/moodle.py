"""``moodle.csv``: the grading worksheet that Moodle exported, with the points filled in.

Moodle matches rows by its own ``Identifier`` (``Participant 4711``), which nobody else knows, so
its worksheet is filled in and everything else in it stays as it is. A row belongs to the submission
whose folder Moodle named (``Ada Lovelace_4711_assignsubmission_file``), or else to the person with
the row's ID number, e-mail address or full name. Points are scaled to the maximum of the worksheet.
Where they are not final, the row is left as Moodle wrote it.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from grader.errors import ReportInputError
from grader.people import PersonScore
from grader.reports.files import write_whole
from grader.reports.gradebook import inert
from grader.reports.options import Options
from grader.reports.standings import class_scores, has_points, shown_name
from grader.reports.text import one_line
from grader.reports.worksheet import Worksheet, read_worksheet
from grader.results import Grading

NAME = "moodle.csv"

_FOLDER = re.compile(r"_(\d+)_assignsubmission_")
_READ_BACK = ("Identifier", "Grade", "Last modified (grade)", "Feedback comments")
"""Columns that Moodle reads when the worksheet is uploaded."""
_NAMED = 3


@dataclass(frozen=True, slots=True)
class _Match:
    """A row of the worksheet and whose it is."""

    row: int
    person: PersonScore


def write(grading: Grading, out: Path, options: Options) -> list[Path]:
    """Write the file; see `grader.reports.write_reports`.

    Raises:
        ReportInputError: there is no worksheet, or it does not match the grading.
    """
    if options.worksheet is None:
        msg = (
            "The format moodle fills in the grading worksheet of the assignment. Download it from "
            "Moodle and name it: --worksheet FILE."
        )
        raise ReportInputError(msg)
    worksheet = read_worksheet(options.worksheet)
    lines = list(_filled(worksheet, grading))
    return [write_whole(out / NAME, [worksheet.mark, *(line.encode() for line in lines)])]


def _filled(worksheet: Worksheet, grading: Grading) -> Iterator[str]:
    known = class_scores(grading)
    owners = {match.row: match.person for match in _matches(worksheet, known.people)}
    grade = worksheet.columns.index("Grade")
    yield _line(map(_calm, worksheet.columns), worksheet.delimiter)
    for place, row in enumerate(worksheet.rows):
        cells = [
            cell if column in _READ_BACK else _calm(cell)
            for column, cell in zip(worksheet.columns, row, strict=True)
        ]
        person = owners.get(place)
        if person and has_points(person):
            cells[grade] = _scaled(
                person.after, known.maximum, worksheet.cell(row, "Maximum grade")
            )
        yield _line(cells, worksheet.delimiter)


def _line(cells: Iterable[str], delimiter: str) -> str:
    line = io.StringIO()
    csv.writer(line, delimiter=delimiter).writerow(cells)
    return line.getvalue()


def _calm(cell: str) -> str:
    """The cell as it is, unless a spreadsheet would run it: Moodle writes a dash for no date."""
    return cell if cell.strip() == "-" else inert(cell)


def _scaled(points: float, maximum: float, highest: str) -> str:
    try:
        scale = float(highest.replace(",", ".")) / maximum
    except (ValueError, ZeroDivisionError):
        scale = 1.0
    return f"{points * scale:.2f}"


def _matches(worksheet: Worksheet, people: tuple[PersonScore, ...]) -> Iterator[_Match]:
    missing, taken = [], dict[int, PersonScore]()
    for person in people:
        rows = _rows_of(person, worksheet)
        if len(rows) > 1:
            msg = (
                f"{_who(person)} fits {len(rows)} rows of {worksheet.path.name}. Give a roster "
                "with e-mail addresses when you grade, so that they can be told apart."
            )
            raise ReportInputError(msg)
        if not rows:
            missing.append(person)
            continue
        if rows[0] in taken:
            msg = (
                f"{_who(taken[rows[0]])} and {_who(person)} fit the same row of "
                f"{worksheet.path.name}. Give a roster with e-mail addresses when you grade."
            )
            raise ReportInputError(msg)
        taken[rows[0]] = person
        yield _Match(rows[0], person)
    # Somebody without a submission may well have left the class in Moodle.
    if lost := [person for person in missing if person.submission]:
        names = ", ".join(_who(person) for person in lost[:_NAMED])
        more = f" and {len(lost) - _NAMED} more" if len(lost) > _NAMED else ""
        msg = (
            f"{worksheet.path.name} has no row for {names}{more}. Is it the worksheet of this "
            "assignment? Rows are found by the folder's name as Moodle gives it, ID number, "
            "e-mail address or full name."
        )
        raise ReportInputError(msg)


def _rows_of(person: PersonScore, worksheet: Worksheet) -> list[int]:
    """The rows that fit by the first thing that any row fits by."""
    folder = _FOLDER.search(person.submission)
    sought = (
        ("Identifier", f"Participant {folder[1]}" if folder else ""),
        ("ID number", person.id),
        ("Email address", person.email),
        ("Email address", person.id),
        ("Full name", person.name),
        ("Full name", person.id),
    )
    for column, value in sought:
        if _key(value) and (rows := worksheet.index(column, _key).get(_key(value))):
            return rows
    return []


def _key(text: str) -> str:
    return " ".join(text.replace("_", " ").split()).casefold()


def _who(person: PersonScore) -> str:
    return one_line(shown_name(person), 80)
