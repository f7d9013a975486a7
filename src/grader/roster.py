"""Who is in a class: a CSV file that says which folder is whose, and when it was handed in.

====================  =========================================================================
``id``                the student's identifier; the only column that must be there
``folder``            name of the submission in the class; the id where there is no such column
``name`` ``email``    for gradebooks
``section``           a group of the class, for gradebooks
``submitted_at``      ISO 8601; in the assignment's time zone where it does not say its own
``extension_hours``   by how much this student's due date is later
``excused``           ``yes`` where nothing is expected
====================  =========================================================================

A student with several rows has handed in several times. A folder in several rows is a group's: each
of its members gets its points. Other columns are left alone.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from grader.assignment import parse_time
from grader.errors import CatalogError, SubmissionError
from grader.tomlfile import read_text

_COLUMNS = (
    "id",
    "folder",
    "name",
    "email",
    "section",
    "submitted_at",
    "extension_hours",
    "excused",
)
_YES, _NO = ("yes", "true", "1", "x"), ("", "no", "false", "0")


@dataclass(frozen=True, slots=True)
class Entry:
    """One row: a student, and one submission of theirs."""

    id: str
    folder: str
    name: str = ""
    email: str = ""
    section: str = ""
    submitted_at: dt.datetime | None = None
    extension: dt.timedelta = dt.timedelta()
    excused: bool = False


def read_roster(file: Path, zone: dt.tzinfo = dt.UTC) -> tuple[Entry, ...]:
    """The rows of a roster.

    Args:
        file: comma- or semicolon-separated, UTF-8, with a line of headings.
        zone: of times that do not say their own.

    Raises:
        SubmissionError: it cannot be read, or a row is not as it must be; the message names the
            file and the line.
    """
    try:
        text = read_text(file).removeprefix("\ufeff")
    except CatalogError as error:
        raise SubmissionError(str(error)) from error
    first = text.partition("\n")[0]
    separator = ";" if first.count(";") > first.count(",") else ","
    reader = csv.reader(io.StringIO(text), delimiter=separator)
    rows = _Rows(file, zone)
    try:
        heads = [head.strip().lower() for head in next(reader, [])]
        if "id" not in heads:
            raise rows.error(1, "has no column called id. Known: " + ", ".join(_COLUMNS))
        if twice := [h for h in heads if h in _COLUMNS and heads.count(h) > 1]:
            raise rows.error(1, f"has two columns called {twice[0]}")
        entries = [
            rows.entry(reader.line_num, dict(zip(heads, map(str.strip, row), strict=False)))
            for row in reader
            if any(cell.strip() for cell in row)
        ]
    except csv.Error as error:
        raise rows.error(reader.line_num, f"is not CSV: {error}") from error
    if not entries:
        raise SubmissionError(f"{file} names nobody.")
    return tuple(entries)


class _Rows:
    def __init__(self, file: Path, zone: dt.tzinfo) -> None:
        self._file = file
        self._zone = zone
        self._seen: dict[tuple[str, str], int] = {}

    def error(self, line: int, problem: str) -> SubmissionError:
        return SubmissionError(f"{self._file}, line {line}: it {problem}.")

    def entry(self, line: int, row: Mapping[str, str]) -> Entry:
        if not row.get("id"):
            raise self.error(line, "has no id")
        excused = row.get("excused", "").lower()
        if excused not in _YES + _NO:
            raise self.error(line, f"says excused is {row['excused']!r}; say yes or no")
        entry = Entry(
            id=row["id"],
            folder=row.get("folder") or row["id"],
            name=row.get("name", ""),
            email=row.get("email", ""),
            section=row.get("section", ""),
            submitted_at=self._time(line, row.get("submitted_at", "")),
            extension=self._hours(line, row.get("extension_hours", "")),
            excused=excused in _YES,
        )
        before = self._seen.setdefault((entry.id, entry.folder), line)
        if before != line:
            raise self.error(line, f"says the same as line {before}")
        return entry

    def _time(self, line: int, text: str) -> dt.datetime | None:
        try:
            return parse_time(text, self._zone) if text else None
        except CatalogError as error:
            raise self.error(line, f"has a time that cannot be read: {error}"[:-1]) from error

    def _hours(self, line: int, text: str) -> dt.timedelta:
        try:
            hours = float(text or 0)
            if not 0 <= hours <= 24 * 365:
                raise ValueError(text)
        except ValueError:
            raise self.error(line, f"says extension_hours is {text!r}; say a number") from None
        return dt.timedelta(hours=hours)
