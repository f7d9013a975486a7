"""Notebooks as text, and back."""

import subprocess
import sys

import nbformat
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kit.notebook.source import NotNotebookText, to_notebook, to_text

TEXT = """\
=== markdown title
# Title

Words.

=== code load nbval-ignore-output raises-exception
%load_ext kit

1 + 1
"""


def test_text_becomes_cells_with_their_ids_and_tags():
    title, load = to_notebook(TEXT).cells
    assert (title.cell_type, title.id, title.source) == ("markdown", "title", "# Title\n\nWords.")
    assert load.source == "%load_ext kit\n\n1 + 1"
    assert load.metadata.tags == ["nbval-ignore-output", "raises-exception"]


def test_text_comes_back_as_it_was():
    assert to_text(to_notebook(TEXT)) == TEXT


lines = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cc", "Zl", "Zp", "Cs"]), max_size=9
)
sources = st.lists(lines | st.sampled_from(["=== code a", "\\=== x", "=== "]), max_size=5)


@given(st.lists(sources, min_size=1, max_size=4))
def test_any_source_comes_back(cells):
    made = to_notebook("=== code first\n")
    made.cells = [
        nbformat.v4.new_code_cell("\n".join(source).strip("\n").rstrip(), id=f"cell-{number}")
        for number, source in enumerate(cells)
    ]
    again = to_notebook(to_text(made))
    assert [cell.source for cell in again.cells] == [cell.source for cell in made.cells]


def test_outputs_stay_where_the_source_is_the_same():
    before = to_notebook(TEXT)
    before.cells[1].outputs = [nbformat.v4.new_output("stream", text="2")]
    assert to_notebook(TEXT, before).cells[1].outputs == before.cells[1].outputs
    assert to_notebook(TEXT.replace("1 + 1", "1 + 2"), before).cells[1].outputs == []


def test_what_is_made_is_a_valid_notebook():
    nbformat.validate(to_notebook(TEXT))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("words\n=== code a\n", "Line 1 is before the first cell"),
        ("=== code a\n1\n=== kode b\n", "Line 3 is no header"),
        ("=== code A\n", "Line 1 is no header"),
        ("=== code a\n=== code a\n", "The id a is there twice"),
        ("\n", "There are no cells"),
    ],
)
def test_what_is_wrong_is_told_with_its_line(text, says):
    with pytest.raises(NotNotebookText, match=says):
        to_notebook(text)


def run(*words):
    return subprocess.run(
        [sys.executable, "-m", "kit.notebook.source", *words],
        capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_the_command_makes_a_notebook_and_prints_it(tmp_path):
    text, notebook = tmp_path / "a.txt", tmp_path / "a.ipynb"
    text.write_text(TEXT, encoding="utf-8")
    assert run(text, notebook).returncode == 0
    assert run(notebook).stdout == TEXT


def test_the_command_leaves_the_notebook_alone_where_the_text_is_wrong(tmp_path):
    text, notebook = tmp_path / "a.txt", tmp_path / "a.ipynb"
    text.write_text("=== kode\n", encoding="utf-8")
    notebook.write_text('{"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}')
    before = notebook.read_bytes()
    ran = run(text, notebook)
    assert (ran.returncode, notebook.read_bytes()) == (2, before)
    assert "Line 1 is no header" in ran.stderr
    assert run().returncode == 2
