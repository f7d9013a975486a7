"""Answers are taken from the cells of a notebook that say so."""

from __future__ import annotations

import contextlib
import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.catalog import Exercise, load_course
from grader.sources import Archive, Folder, Notebook, Refused
from tests.grader.courses import EXERCISE, TOML, make_course


@pytest.fixture(scope="module")
def notes(tmp_path_factory: pytest.TempPathFactory) -> Exercise:
    return load_course(make_course(tmp_path_factory.mktemp("course"))).exercises[EXERCISE]


def book(*cells: str | list[str], kind: str = "code") -> bytes:
    return json.dumps({"cells": [{"cell_type": kind, "source": c} for c in cells]}).encode()


def answers(content: bytes, exercise: Exercise) -> dict[str, bytes] | None:
    files = Notebook("week.ipynb", lambda: content).files(exercise)
    return None if files is None else {name: read() for name, read in files.items()}


@pytest.mark.parametrize("name", [EXERCISE, "01", "1", "notes"])
@pytest.mark.parametrize("lines", [False, True])
def test_a_cell_answers_the_exercise_that_it_names(notes: Exercise, name: str, lines: bool) -> None:
    cell = f"%%exercise {name}\nx = 1\ny = 2\n"
    source: Any = cell.splitlines(keepends=True) if lines else cell
    assert answers(book("print()", source), notes) == {"notes.py": b"x = 1\ny = 2\n"}


def test_the_last_cell_counts_as_it_does_in_the_notebook(notes: Exercise) -> None:
    assert answers(book("%%exercise 01\na", "%%exercise 01\nb"), notes) == {"notes.py": b"b"}


@pytest.mark.parametrize(
    "content",
    [
        book(),
        book("x = 1", "# %%exercise 01\n", "%%exercise 02\n"),
        book("%%exercise 01\nx", kind="markdown"),
        book("%%exercises 01\nx"),
        json.dumps({"cells": ["%%exercise 01\nx", {"cell_type": "code", "source": 1}]}).encode(),
    ],
)
def test_other_cells_answer_nothing(notes: Exercise, content: bytes) -> None:
    assert answers(content, notes) is None


def test_a_cell_says_which_file_where_there_are_several(tmp_path: Path) -> None:
    toml = TOML.replace('["notes.py"]', '["notes.py", "more.sql"]')
    several = load_course(make_course(tmp_path, toml=toml)).exercises[EXERCISE]
    cells = ("%%exercise 01 notes.py\na", "%%exercise 01 more.sql\nb")
    assert answers(book(*cells), several) == {"notes.py": b"a", "more.sql": b"b"}
    with pytest.raises(Refused, match="does not say which file it is"):
        answers(book("%%exercise 01\na"), several)


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b'{"cells": 1}', b"\xff", b"[" * 100_000])
def test_what_is_no_notebook_is_refused(notes: Exercise, content: bytes) -> None:
    with pytest.raises(Refused, match=r"week\.ipynb is not a notebook that can be read"):
        answers(content, notes)


def test_a_folder_and_an_archive_may_hold_notebooks(tmp_path: Path, notes: Exercise) -> None:
    content = book("%%exercise 01\nx = 1")
    (tmp_path / "week.ipynb").write_bytes(content)
    (tmp_path / "._week.ipynb").write_bytes(b"rubbish of an operating system")
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("ada/week.ipynb", content)
    (tmp_path / "ada.zip").write_bytes(packed.getvalue())
    for source in (Folder(tmp_path), Archive(tmp_path / "ada.zip")):
        files = source.files(notes)
        assert files is not None
        assert files["notes.py"]() == b"x = 1"


def test_a_file_in_its_place_counts_more_than_a_notebook(tmp_path: Path, notes: Exercise) -> None:
    (tmp_path / "week.ipynb").write_bytes(book("%%exercise 01\nx = 1"))
    (tmp_path / "notes.py").write_bytes(b"y = 2")
    files = Folder(tmp_path).files(notes)
    assert files is not None
    assert files["notes.py"]() == b"y = 2"


_json: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["cells", "cell_type", "source", "x"]), inner, max_size=4)
    ),
    max_leaves=12,
)
_cells = st.lists(
    st.fixed_dictionaries(
        {"cell_type": st.just("code"), "source": st.text() | st.lists(st.text() | _json) | _json}
    )
    | _json
)


@given(data=_json | st.fixed_dictionaries({"cells": _cells}), raw=st.binary(max_size=40))
def test_any_notebook_is_read_or_refused(notes: Exercise, data: Any, raw: bytes) -> None:
    for content in (json.dumps(data).encode(), raw):
        with contextlib.suppress(Refused):
            answers(content, notes)


_CODE = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\n"), max_size=20)


@given(
    cells=st.lists(st.tuples(st.booleans(), st.lists(_CODE, max_size=4), st.booleans()), max_size=5)
)
def test_the_last_answer_comes_out_as_it_was_written_whatever_it_says(
    notes: Exercise, cells: list[tuple[bool, list[str], bool]]
) -> None:
    """Cells that answer and others, of any text, as one string or in lines."""
    sources: list[str | list[str]] = []
    expected = None
    for answering, lines, in_lines in cells:
        body = "\n".join(lines)
        text = f"%%exercise {EXERCISE}\n{body}" if answering else f"#{body}"
        sources.append(text.splitlines(keepends=True) if in_lines else text)
        expected = {"notes.py": body.encode()} if answering else expected
    assert answers(book(*sources), notes) == expected


def test_a_reader_that_refuses_is_heard(notes: Exercise) -> None:
    def refuse() -> bytes:
        raise Refused("It is a link.")

    reader: Callable[[], bytes] = refuse
    with pytest.raises(Refused, match="It is a link"):
        Notebook("week.ipynb", reader).files(notes)
