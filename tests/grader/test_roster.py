"""A roster says who is who; what is wrong in it is told by its line."""

from __future__ import annotations

import csv
import datetime as dt
import io
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.errors import SubmissionError
from grader.roster import Entry, read_roster

BERLIN = ZoneInfo("Europe/Berlin")


def read(tmp_path: Path, text: str | bytes) -> tuple[Entry, ...]:
    file = tmp_path / "roster.csv"
    file.write_bytes(text.encode() if isinstance(text, str) else text)
    return read_roster(file, BERLIN)


def test_everything_that_a_row_may_say_is_read(tmp_path: Path) -> None:
    text = (
        "ID,Name,folder,email,section,submitted_at,extension_hours,excused,shoe size\n"
        'u1,"Lovelace, Ada",ada,ada@x.example,A,2026-11-20T23:00,24,no,38\n'
        "\n"
        "u2,,,,,2026-11-20T23:00Z,,yes\n"
    )
    assert read(tmp_path, text) == (
        Entry(
            "u1",
            "ada",
            "Lovelace, Ada",
            "ada@x.example",
            "A",
            dt.datetime(2026, 11, 20, 23, tzinfo=BERLIN),
            dt.timedelta(hours=24),
        ),
        Entry("u2", "u2", submitted_at=dt.datetime(2026, 11, 20, 23, tzinfo=dt.UTC), excused=True),
    )


def test_a_spreadsheets_semicolons_and_byte_order_mark_are_read(tmp_path: Path) -> None:
    assert read(tmp_path, "\ufeffid;name\r\nu1;Lovelace, Ada\r\n") == (
        Entry("u1", "u1", "Lovelace, Ada"),
    )


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "line 1: it has no column called id"),
        ("name\nada", "line 1: it has no column called id"),
        ("id,id\na,b", "line 1: it has two columns called id"),
        ("id\n", "names nobody"),
        ("id,name\n,ada", "line 2: it has no id"),
        ("id\nu1\nu1", "line 3: it says the same as line 2"),
        ("id,excused\nu1,perhaps", "line 2: it says excused is 'perhaps'"),
        ("id,extension_hours\nu1,-1", "line 2: it says extension_hours is '-1'"),
        ("id,extension_hours\nu1,nan", "line 2: it says extension_hours is 'nan'"),
        ("id,submitted_at\nu1,monday", "line 2: it has a time that cannot be read: 'monday'"),
        (b"id\n\xff", "is not UTF-8 text"),
    ],
)
def test_a_fault_is_told_by_file_and_line(tmp_path: Path, text: str | bytes, problem: str) -> None:
    with pytest.raises(SubmissionError) as told:
        read(tmp_path, text)
    assert str(tmp_path / "roster.csv") in str(told.value)
    assert problem in str(told.value)


def test_a_roster_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(SubmissionError, match="is missing"):
        read_roster(tmp_path / "none.csv")


_cells = st.text(st.characters(codec="utf-8", exclude_characters="\0\r"), max_size=12)


@given(rows=st.lists(st.tuples(_cells, _cells), min_size=1, max_size=5))
def test_any_name_is_read_back_or_refused(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, str]]
) -> None:
    text = io.StringIO()
    csv.writer(text).writerows([("id", "name"), *rows])
    try:
        found = read(tmp_path_factory.mktemp("roster"), text.getvalue())
    except SubmissionError:
        return
    wanted = [(i.strip(), n.strip()) for i, n in rows if i.strip() or n.strip()]
    assert [(entry.id, entry.name) for entry in found] == wanted
