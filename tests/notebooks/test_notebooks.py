"""Every notebook of the course: its limits, its stored outputs, and a run of all its cells."""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from statistics import median

import nbformat
import pytest

from kit.notebook import storing

FOLDER = Path(__file__).resolve().parents[2] / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("[0-9][0-9]_*.ipynb"))
SANITIZER = FOLDER / storing.SANITIZER

MOST_CELLS = 60
MOST_LINES = 15
MEDIAN_LINES = 5
MOST_WORDS = 120

pytestmark = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)


def read(path):
    return nbformat.read(path, as_version=4)


def code_cells(path):
    return [cell for cell in read(path).cells if cell.cell_type == "code"]


def words(markdown):
    """The number of words that stand open: not those behind a disclosure."""
    open_text = re.sub(r"<details>.*?</details>", "", markdown, flags=re.DOTALL)
    return len(re.findall(r"\w[\w'’-]*", open_text))  # noqa: RUF001


def prose_between_code(path) -> Iterator[int]:
    """Words between each code cell and the next."""
    count, seen_code = 0, False
    for cell in read(path).cells:
        if cell.cell_type == "code":
            if seen_code:
                yield count
            count, seen_code = 0, True
        else:
            count += words(cell.source)


def test_a_notebook_has_at_most_sixty_cells(path):
    assert len(read(path).cells) <= MOST_CELLS


def test_code_cells_are_short(path):
    lines = [len(cell.source.splitlines()) for cell in code_cells(path)]
    assert max(lines) <= MOST_LINES
    assert median(lines) <= MEDIAN_LINES


def test_no_long_prose_stands_between_two_code_cells(path):
    assert max(prose_between_code(path)) <= MOST_WORDS


def test_a_notebook_has_its_parts_in_order(path):
    source = "\n".join(cell.source for cell in read(path).cells if cell.cell_type == "markdown")
    parts = ("**Questions**", "**After this notebook you can**", "**Time:**", "**Predict:**",
             "## Remember", "## Key points", "## Further reading")  # fmt: skip
    places = [source.find(part) for part in parts]
    assert -1 not in places
    assert places == sorted(places)


def test_retrieval_questions_have_answers_with_feedback_for_each_wrong_option(path):
    [cell] = [cell for cell in read(path).cells if cell.source.startswith("## Remember")]
    questions = cell.source.split("### Question ")[1:]
    assert len(questions) == 5
    for question in questions:
        asked, _, answer = question.partition("<details>")
        options = set(re.findall(r"^- \*\*([A-Z])\.\*\*", asked, re.MULTILINE))
        [right] = re.findall(r"^\*\*([A-Z])\.\*\*", answer, re.MULTILINE)
        wrong = set(re.findall(r"^- ([A-Z]):", answer, re.MULTILINE))
        assert len(options) >= 3
        assert options - {right} == wrong
        assert answer.rstrip().endswith("</details>")


def test_identifiers_of_cells_are_words_that_stay(path):
    for cell in read(path).cells:
        assert re.fullmatch(r"[a-z][a-z0-9-]*", cell.id)
        assert not re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]+)*", cell.id), "an editor made this one up"


def test_outputs_are_stored_for_a_run_from_first_to_last(path):
    counts = [cell.execution_count for cell in code_cells(path)]
    assert counts == list(range(1, len(counts) + 1))


def test_stored_outputs_name_nothing_of_a_machine(path):
    text = path.read_text(encoding="utf-8")
    notebook = read(path)
    for place in storing.machine_places(path):
        assert place not in text
    assert dict(notebook.metadata) == storing.METADATA
    for cell in notebook.cells:
        assert set(cell.metadata) <= {"tags"}


def test_everything_that_is_shown_has_a_text_form(path):
    for cell in code_cells(path):
        for output in cell.outputs:
            if "data" in output:
                assert output.data.get("text/plain", "").strip(), cell.id


def test_pictures_have_an_alternative_text(path):
    for cell in read(path).cells:
        shown = [cell.source] if cell.cell_type == "markdown" else []
        for output in cell.get("outputs", []):
            shown.append(output.get("data", {}).get("text/html", ""))
            shown.append(output.get("data", {}).get("image/svg+xml", ""))
        for text in shown:
            assert all("alt=" in tag for tag in re.findall(r"<img\b[^>]*>", text)), cell.id
            assert not re.search(r"!\[\s*\]\(", text), cell.id
            assert all("<title" in svg for svg in re.findall(r"<svg\b.*?</svg>", text, re.DOTALL))


def test_only_public_names_are_imported(path):
    source = "\n".join(cell.source for cell in code_cells(path))
    names = re.findall(r"^\s*from (?:kit|tracker|pglab)[\w.]* import (.+)$", source, re.MULTILINE)
    modules = re.findall(r"^\s*(?:from|import) ((?:kit|tracker|pglab)[\w.]*)", source, re.MULTILINE)
    assert not [name for name in ", ".join(names).split(", ") if name.startswith("_")]
    assert not [module for module in modules if "._" in module]


def test_comments_for_nbval_do_not_reach_the_server(path):
    assert not [cell.id for cell in code_cells(path) if "NBVAL_" in cell.source]


def nbval(path, environment):
    """Run nbval as a reader of the manual would."""
    return subprocess.run(
        [
            sys.executable, "-m", "pytest", "-q", "--nbval", "--nbval-sanitize-with", SANITIZER,
            "--rootdir", path.parent, "-p", "no:cacheprovider", path.name,
        ],
        cwd=path.parent, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip


def snapshot(url):
    """Everything in the database, by table, and its roles and databases."""
    import psycopg
    from psycopg import sql

    with psycopg.connect(url, application_name="kit") as connection:
        tables = connection.execute(
            "SELECT schemaname, tablename FROM pg_tables"
            " WHERE schemaname NOT IN ('pg_catalog', 'information_schema') ORDER BY 1, 2"
        ).fetchall()
        query = sql.SQL(
            "SELECT md5(coalesce(string_agg(t::text, '' ORDER BY t::text), '')) FROM {} t"
        )
        content = {
            table: connection.execute(query.format(sql.Identifier(*table))).fetchone()
            for table in tables
        }
        others = connection.execute(
            "SELECT (SELECT array_agg(rolname ORDER BY 1) FROM pg_roles),"
            " (SELECT array_agg(datname ORDER BY 1) FROM pg_database)"
        ).fetchone()
    return content, others


@pytest.mark.notebook
def test_a_notebook_shows_what_is_stored_and_leaves_the_database_as_it_found_it(
    path, kernel_environment, tracker_url
):
    before = snapshot(tracker_url)
    ran = nbval(path, kernel_environment)
    assert ran.returncode == 0, ran.stdout[-4000:]
    assert snapshot(tracker_url) == before


def sql_cells(notebook):
    """Those that are meant to work."""
    tagged = [(cell, cell.metadata.get("tags", [])) for cell in notebook.cells]
    return [
        cell
        for cell, tags in tagged
        if cell.source.startswith("%%sql") and "raises-exception" not in tags
    ]


def break_a_query(notebook):
    """Ask a table that is not there."""
    cell = sql_cells(notebook)[0]
    cell.source = re.sub(r"FROM (\w+)", r"FROM \1_gone", cell.source, count=1)


def send_one_statement_more(notebook):
    """The result is the same; only the receipt can tell."""
    cell = sql_cells(notebook)[-1]
    cell.source = cell.source.replace("%%sql\n", "%%sql\nSELECT 'unseen';\n")


def change_a_stored_table(notebook):
    """One word of the last table that is shown."""
    for cell in reversed(notebook.cells):
        for output in cell.get("outputs", []):
            html = output.get("data", {}).get("text/html", "")
            if "kit-table" in html:
                output.data["text/html"] = html.replace("<td>", "<td>not ", 1)
                return


@pytest.mark.notebook
def test_planted_mistakes_turn_their_cells_red(path, kernel_environment, tracker_url, tmp_path):
    notebook = read(path)
    for plant in (break_a_query, send_one_statement_more, change_a_stored_table):
        plant(notebook)
    pairs = zip(code_cells(path), [c for c in notebook.cells if c.cell_type == "code"], strict=True)
    changed = {f"Cell {n}" for n, (before, after) in enumerate(pairs) if before != after}
    assert len(changed) == 3
    planted = tmp_path / path.name
    nbformat.write(notebook, planted)
    ran = nbval(planted, kernel_environment)
    assert ran.returncode == 1
    red = set(re.findall(r"^FAILED .*::(Cell \d+)", ran.stdout, re.MULTILINE))
    assert changed <= red
    # A cell that shows what another one did is red with it; the others are not.
    assert len(red) <= len(changed) + 2
