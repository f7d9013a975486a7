"""Moodle's grading worksheet, as it was exported."""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from grader.errors import ReportInputError
from grader.reports.text import one_line

_NEEDED = ("Identifier", "Grade")
_MAX_BYTES = 20_000_000


@dataclass(frozen=True, slots=True)
class Worksheet:
    """The table, and how it was written."""

    path: Path
    delimiter: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    mark: bytes = b""
    """The byte order mark, where the file had one."""
    _indexes: dict[str, dict[str, list[int]]] = field(default_factory=dict)

    def cell(self, row: tuple[str, ...], column: str) -> str:
        """The row's cell in a column; empty where there is no such column."""
        return row[self.columns.index(column)] if column in self.columns else ""

    def index(self, column: str, key: Callable[[str], str]) -> dict[str, list[int]]:
        """Numbers of the rows by what stands in a column."""
        if column not in self._indexes:
            found: dict[str, list[int]] = {}
            for place, row in enumerate(self.rows):
                found.setdefault(key(self.cell(row, column)), []).append(place)
            self._indexes[column] = found
        return self._indexes[column]


def read_worksheet(path: Path) -> Worksheet:
    """Read the file.

    Raises:
        ReportInputError: it cannot be read, or is not such a worksheet.
    """
    try:
        with path.open("rb") as file:
            content = file.read(_MAX_BYTES + 1)
        text = content.decode("utf-8-sig")
    except OSError as error:
        raise ReportInputError(f"{path} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise _wrong(path, "is not UTF-8 text") from error
    if len(content) > _MAX_BYTES:
        raise _wrong(path, "is larger than any worksheet")
    mark = codecs.BOM_UTF8 if content.startswith(codecs.BOM_UTF8) else b""
    for delimiter in (",", ";", "\t"):
        table = _table(path, text, delimiter)
        if table and set(_NEEDED) <= set(table[0]):
            return _checked(Worksheet(path, delimiter, table[0], tuple(table[1:]), mark))
    raise _wrong(path, f"has no columns {' and '.join(_NEEDED)}")


def _table(path: Path, text: str, delimiter: str) -> list[tuple[str, ...]]:
    try:
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
        return [tuple(row) for row in reader if row]
    except csv.Error as error:
        if delimiter == "\t":
            raise _wrong(path, f"is not CSV: {error}") from error
        return []


def _checked(worksheet: Worksheet) -> Worksheet:
    width = len(worksheet.columns)
    if len(set(worksheet.columns)) < width:
        raise _wrong(worksheet.path, "has two columns of the same name")
    for place, row in enumerate(worksheet.rows, 2):
        if len(row) != width:
            raise _wrong(worksheet.path, f"has {len(row)} cells in row {place}, not {width}")
    return worksheet


def _wrong(path: Path, what: str) -> ReportInputError:
    return ReportInputError(
        f"{path.name} {one_line(what)}. Download the grading worksheet from Moodle again, "
        "with English as your language, and do not open it before."
    )
