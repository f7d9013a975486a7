"""``%%exercise``: the cell is written, checked, and its results are shown."""

import re

import nbformat
import pytest
from nbclient import NotebookClient

from kit.notebook import exercises, practice_cards
from kit.notebook.fresh import copy_course

STARTER = (
    "from sqlalchemy.orm import Session\n\n\ndef create_user(session: Session, **more):\n    ..."
)


@pytest.fixture
def course(root, tmp_path, monkeypatch):
    """A copy of the exercises, so that the course itself is not written to."""
    copy = copy_course(root, tmp_path / "course")
    monkeypatch.setenv("KIT_COURSE", str(copy))
    return copy


@pytest.fixture
def answer(course):
    return course / "exercises" / "04_repository" / "repository.py"


def test_a_cell_of_comments_writes_nothing_and_shows_what_is_asked(notebook, answer):
    before = answer.read_bytes()
    ran = notebook.run("%%exercise 04_repository\n# Your repository.py goes here.\n\n")
    assert answer.read_bytes() == before
    assert ran.result.text.startswith("04_repository: A repository for users\nAbout 40 minutes, ")
    assert "- An update can clear a field" in ran.result.text
    assert "<details><summary>What is checked</summary>" in ran.result.html
    assert ran.receipts == []


def test_of_several_files_the_card_names_the_cells_own(notebook, course):
    shown = notebook.run("%%exercise 07 revenue_by_month.sql\n-- Yours goes here.\n").result
    assert "Write revenue_by_month.sql in this cell" in shown.text
    assert "progress.py" not in shown.text


@pytest.mark.sandbox
def test_a_cell_is_written_and_its_results_are_shown(notebook, answer, root):
    ran = notebook.run(f"%%exercise repository\n{STARTER}")
    assert answer.read_text() == STARTER + "\n"
    shown = ran.result
    assert "0 of 15 points, 0 of 12 checks" in shown.html
    assert "Written to exercises/04_repository/repository.py." in shown.text
    assert shown.html.count("<details open>") == 1
    assert re.search(r"✗ .*A created user is stored", shown.text)

    solution = (root / "solutions" / "04_repository" / "repository.py").read_text()
    done = notebook.run(f"%%exercise 04\n{solution}").result
    assert "15 of 15 points, 12 of 12 checks" in done.html
    assert "kit-good" in done.html
    for form in (done.html, done.text):
        assert "All 12 checks are right. Well done!" in form
        # This copy has no hidden ones; the course says what they are worth.
        assert "They bring 15 of 30 points. The other 15 are for checks that you cannot" in form
    assert "kept in" not in done.text, "what a cell wrote is not kept"

    answer.write_text(solution.replace("def find_user", "def find_nobody"))
    again = notebook.run("%exercise 04").result
    assert "✗" in again.text
    assert "find_user" in again.text


@pytest.mark.sandbox
def test_in_a_kernel_the_results_are_shown_once(kernel_environment, tracker_url):
    """Rich shows what it prints a second time where it finds Jupyter's own kernel."""
    cells = ["%load_ext kit", f"%%exercise 04_repository\n{STARTER}"]
    made = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(one) for one in cells])
    NotebookClient(made, timeout=120, kernel_name="python3").execute(env=kernel_environment)
    [shown] = made.cells[1].outputs
    assert shown.output_type == "execute_result"
    assert "0 of 12 checks" in shown.data["text/html"]


def test_without_an_exercise_or_a_check_there_is_no_hint(notebook, course, monkeypatch):
    monkeypatch.setattr(practice_cards, "_last", [])
    assert "Which exercise? Write its number: %hint 04." in notebook("%hint").printed
    assert "was not checked yet" in notebook("%hint 08").printed


@pytest.mark.sandbox
def test_hints_and_progress_follow_a_check(notebook, answer, root):
    solution = (root / "solutions" / "04_repository" / "mistakes").glob("*truthy*")
    mistake = next(path for path in solution)
    files = [mistake] if mistake.is_file() else sorted(mistake.glob("*.py"))
    checked = notebook.run(f"%%exercise 04\n{files[0].read_text()}").result
    assert "✗" in checked.text
    first, second = notebook.run("%hint").result, notebook.run("%hint 04").result
    assert re.search(r"\nHint 1 of \d, a question: ", first.text)
    assert re.search(r"\nHint 1 of .*\nHint 2 of \d, ", second.text)
    shown = notebook.run("%progress").result
    assert "Data persistence on PostgreSQL: " in shown.text
    [row] = [line for line in shown.text.splitlines() if line.startswith("A repository for users")]
    assert row.split()[-1] == "2"
    assert "unrecognized arguments" in notebook("%progress 04").printed


def test_what_stood_in_the_file_is_kept(answer, learner):
    before = answer.read_bytes()
    kept = exercises.write_answer(answer, "x = 1")
    assert kept.read_bytes() == before
    assert kept.is_relative_to(learner)
    assert exercises.write_answer(answer, "x = 2") is None
    answer.write_text("by hand")
    assert exercises.write_answer(answer, "x = 3").read_text() == "by hand"
    assert answer.read_text() == "x = 3\n"


def test_writing_leaves_nothing_beside_the_file(answer):
    names = {path.name for path in answer.parent.iterdir()}
    exercises.write_answer(answer, "x = 1")
    assert {path.name for path in answer.parent.iterdir()} == names


@pytest.mark.parametrize(
    ("cell", "says"),
    [
        ("%%exercise 99\nx = 1", "99"),
        ("%%exercise 04 models.py\nx = 1", "has no file models.py to hand in"),
        ("%%exercise 04 ../../secret.py\nx = 1", "has no file ../../secret.py to hand in"),
        ("%%exercise\nx = 1", "required: name"),
    ],
)
def test_a_wrong_name_is_told_and_nothing_is_written(notebook, answer, cell, says):
    before = answer.read_bytes()
    assert says in notebook(cell).printed
    assert answer.read_bytes() == before


def test_a_check_that_cannot_be_run_says_why(notebook, answer, monkeypatch):
    monkeypatch.setenv("KIT_HOME", str(answer))
    printed = notebook("%exercise 04").printed
    assert printed.startswith("CannotCheck: ")
    assert "The kit cannot write to its own folder" in printed


@pytest.mark.parametrize(
    ("cell", "code"),
    [("# a\n\n -- b\n", False), ("", False), ("x = 1  # a", True), ("SELECT 1", True)],
)
def test_comments_are_no_code(cell, code):
    assert exercises.has_code(cell) == code
