"""Every notebook of the course: its limits, its stored outputs, and a run of all its cells."""

import ast
import base64
import importlib
import re
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from statistics import median

import nbformat
import psycopg
import pytest
from psycopg import sql

from kit.journal import Journal
from kit.notebook import storing
from kit.notebook.pictures import FEWEST_WORDS

FOLDER = Path(__file__).resolve().parents[2] / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("[0-9][0-9]_*.ipynb"))
MIGRATIONS = FOLDER.parent / "migrations" / "versions"

MOST_CELLS = 60
MOST_LINES = 15
MEDIAN_LINES = 5
MOST_WORDS = 120
TAGS = {"nbval-ignore-output", "raises-exception"}
"""Not ``nbval-skip``: what is not run may be anything."""
EARLIER = 2
"""Retrieval questions that ask about an earlier notebook, from the second notebook on."""

pytestmark = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)


def read(path):
    return nbformat.read(path, as_version=4)


def code_cells(path):
    return [cell for cell in read(path).cells if cell.cell_type == "code"]


def words(markdown):
    """The number of words that stand open: not those behind a disclosure."""
    open_text = re.sub(r"<details>.*?</details>", "", markdown, flags=re.DOTALL)
    return len(re.findall(r"\w[\w'’-]*", open_text))


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
    parts = ("**Questions**", "**After this notebook you can**", "**Time:**", "## Remember",
             "## Key points", "## Further reading")  # fmt: skip
    places = [source.find(part) for part in parts]
    assert -1 not in places
    assert places == sorted(places)


def test_something_is_predicted_before_the_questions_at_the_end(path):
    sources = [cell.source for cell in read(path).cells]
    end = next(n for n, source in enumerate(sources) if source.startswith("## Remember"))
    predicted = [s for s in sources[:end] if s.startswith("%%predict ") or "**Predict:**" in s]
    assert predicted


def test_predictions_are_of_this_notebook_unanswered_and_compared(path):
    """What is stored is what a new learner sees; each question has its outcome."""
    sources = [cell.source for cell in code_cells(path)]
    asked = {}
    for number, source in enumerate(sources):
        if found := re.match(r"%%predict (\S+)", source):
            assert found[1] not in asked, "asked twice"
            asked[found[1]] = number
            assert re.search(r"^answer: \?$", source, re.MULTILINE), found[1]
            assert re.search(r"^sure: \?$", source, re.MULTILINE), found[1]
    for name, number in asked.items():
        assert name.startswith(path.stem[:2] + "-")
        assert any(re.search(rf"compare\(\s*[\"']{name}[\"']", s) for s in sources[number + 1 :]), (
            name
        )


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


def test_retrieval_questions_ask_about_earlier_notebooks_too(path):
    [cell] = [cell for cell in read(path).cells if cell.source.startswith("## Remember")]
    earlier = re.findall(r"^### Question \d · from (\d\d)$", cell.source, re.MULTILINE)
    own = path.stem[:2]
    assert all("00" <= number < own for number in earlier)
    assert len(earlier) >= (EARLIER if own > "00" else 0)


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


def test_the_stored_greeting_tells_the_newest_migration(path):
    """nbval overlooks the number, so that an output of long ago would stay."""
    newest = max(file.name[:4] for file in MIGRATIONS.glob("[0-9]*.py"))
    assert set(re.findall(r"at migration (\w+)", path.read_text(encoding="utf-8"))) == {newest}


def test_everything_that_is_shown_has_a_text_form(path):
    for cell in code_cells(path):
        for output in cell.outputs:
            if "data" in output:
                assert output.data.get("text/plain", "").strip(), cell.id


def pictures_without_words(notebook):
    """Cells with a picture that says nothing to who does not see it."""
    found = []
    for cell in notebook.cells:
        shown = [cell.source] if cell.cell_type == "markdown" else []
        for output in cell.get("outputs", []):
            data = output.get("data", {})
            shown += [data.get("text/html", ""), data.get("image/svg+xml", "")]
            if any(kind.startswith("image/") and kind != "image/svg+xml" for kind in data):
                found.append(cell.id)  # an image alone has no place for words
        for text in shown:
            alts = [re.search(r'\balt="([^"]*)"', tag) for tag in re.findall(r"<img\b[^>]*>", text)]
            alts += re.finditer(r"!\[([^\]]*)\]\(", text)
            words_of = [len(unescape(alt[1]).split()) if alt else 0 for alt in alts]
            untitled = [
                svg for svg in re.findall(r"<svg\b.*?</svg>", text, re.DOTALL)
                if "<title" not in svg
            ]  # fmt: skip
            if untitled or any(count < FEWEST_WORDS for count in words_of):
                found.append(cell.id)
    return found


def test_pictures_have_an_alternative_text(path):
    assert pictures_without_words(read(path)) == []


def test_a_picture_whose_words_are_taken_away_is_noticed(path):
    notebook = read(path)
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            html = output.get("data", {}).get("text/html", "")
            if "<img alt=" in html:
                output.data["text/html"] = re.sub(r'<img alt="[^"]*"', "<img", html)
                assert cell.id in pictures_without_words(notebook)


def imported(path) -> Iterator[tuple[str, str | None]]:
    """Modules of the project that a notebook imports, and the names from them."""
    for cell in code_cells(path):
        lines = [line for line in cell.source.splitlines() if not line.startswith("%")]
        if cell.source.startswith("%%") and not cell.source.startswith("%%receipt"):
            continue
        for node in ast.walk(ast.parse("\n".join(lines))):
            if isinstance(node, ast.Import):
                yield from ((alias.name, None) for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                yield from ((node.module or "", alias.name) for alias in node.names)


def test_only_public_names_are_imported(path):
    for module, name in imported(path):
        root = module.partition(".")[0]
        if root not in ("kit", "tracker", "pglab", "grader"):
            continue
        assert root != "grader", "the judge is not a library for lessons"
        assert root != "kit" or module in ("kit", "kit.notebook"), module
        assert "._" not in module
        if name is not None:
            public = getattr(importlib.import_module(module), "__all__", None)
            assert name in public if public is not None else not name.startswith("_"), name


def test_tags_are_those_that_are_known(path):
    for cell in read(path).cells:
        assert set(cell.metadata.get("tags", [])) <= TAGS, cell.id


def test_comments_for_nbval_do_not_reach_the_server(path):
    assert not [cell.id for cell in code_cells(path) if "NBVAL_" in cell.source]


def snapshot(url):
    """Everything in the database, by table, and its roles and databases."""
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
            # Templates of scratch databases stay, so that the next one is quick; and %progress
            # fills a database of its own from what the learner did.
            " (SELECT array_agg(datname ORDER BY 1) FROM pg_database"
            "   WHERE datname !~ '^kit_t_' AND datname <> 'practice')"
        ).fetchone()
    return content, others


@pytest.mark.notebook
def test_a_notebook_shows_what_is_stored_and_leaves_the_database_as_it_found_it(
    path, nbval, kernel_environment, tracker_url, learner
):
    """The next run begins where this one did; the planted mistakes below are such a run."""
    before = snapshot(tracker_url)
    ran = nbval(path, kernel_environment)
    assert ran.returncode == 0, ran.stdout[-4000:]
    assert snapshot(tracker_url) == before
    assert Journal(learner).read() == [], "something was predicted or checked"


def compared(notebook) -> Iterator[tuple[int, nbformat.NotebookNode]]:
    """Code cells whose outputs are compared, and that are meant to work, with their places."""
    for number, cell in enumerate(notebook.cells):
        if cell.cell_type == "code" and not set(cell.metadata.get("tags", [])) & TAGS:
            yield number, cell


def html_of(cell):
    return [o for o in cell.get("outputs", []) if "text/html" in o.get("data", {})]


def break_a_query(notebook, taken):
    """Ask a table that is not there."""
    for number, cell in compared(notebook):
        asks = cell.source.startswith("%%sql") or "exec_driver_sql" in cell.source
        if number not in taken and asks and re.search(r"FROM \w+", cell.source):
            cell.source = re.sub(r"FROM (\w+)", r"FROM \1_gone", cell.source, count=1)
            return number
    return None


def commit_in_silence(notebook, taken):
    """The result is the same, and something is stored for good; only the receipt can tell."""
    for number, cell in compared(notebook):
        receipts = [o for o in html_of(cell) if "kit-receipt" in o.data["text/html"]]
        if number not in taken and receipts:
            if cell.source.startswith("%%sql\n"):
                cell.source = cell.source.replace("%%sql\n", f"%%sql\n{PLANTED};\n", 1)
            elif cell.source.startswith("%"):
                continue
            else:
                cell.source = (
                    "from kit.notebook import engine as planted\n"
                    f"with planted().begin() as it: it.exec_driver_sql({PLANTED!r})\n" + cell.source
                )
            return number
    return None


def draw_another_diagram(notebook, taken):
    """One word in the last picture, or in the last table where there is no picture."""
    for picture in (True, False):
        for number, cell in reversed(list(compared(notebook))):
            for output in html_of(cell) if number not in taken else []:
                html = output.data["text/html"]
                changed = _with_another_picture(html) if picture else _with_another_value(html)
                if changed != html:
                    output.data["text/html"] = changed
                    return number
    return None


def _with_another_picture(html):
    def change(found):
        svg = base64.b64decode(found[1]).decode()
        other = re.sub(r"(<text[^>]*>)", r"\1not ", svg, count=1)
        return found[0].replace(found[1], base64.b64encode(other.encode()).decode())

    return re.sub(r"data:image/svg\+xml;base64,([^\"]+)", change, html, count=1)


def _with_another_value(html):
    return html.replace("<td>", "<td>not ", 1) if "kit-table" in html else html


def take_the_words_from_a_figure(notebook, taken):
    """Call `figure` or `diagram` without its alternative text."""
    for number, cell in compared(notebook):
        if number in taken or not re.search(r"\b(figure|diagram|picture)\(", cell.source):
            continue
        changed = re.sub(r"""\balt=(?=["'f(])""", "alt='' and ", cell.source, count=1)
        if changed != cell.source:
            cell.source = changed
            return number
    return None


PLANTED = "CREATE TABLE planted (n int)"
KINDS = (
    break_a_query, draw_another_diagram, take_the_words_from_a_figure, commit_in_silence,
)  # fmt: skip


@pytest.mark.notebook
def test_planted_mistakes_turn_their_cells_red(
    path, nbval, kernel_environment, tracker_url, tmp_path
):
    """One copy with a mistake of every kind for which there is a place, cut off after the last."""
    notebook = read(path)
    taken: dict[int, str] = {}
    for plant in KINDS:
        if (number := plant(notebook, taken)) is not None:
            taken[number] = plant.__name__
    assert {"draw_another_diagram", "commit_in_silence"} <= set(taken.values())
    notebook.cells = notebook.cells[: max(taken) + 1]
    planted = tmp_path / path.name
    nbformat.write(notebook, planted)
    try:
        ran = nbval(planted, kernel_environment)
    finally:
        with psycopg.connect(tracker_url, autocommit=True) as connection:
            [stored] = connection.execute("SELECT to_regclass('planted') IS NOT NULL").fetchone()
            connection.execute("DROP TABLE IF EXISTS planted")
    assert stored, "the planted commit was not made"
    assert ran.returncode == 1
    failed = re.findall(r"^FAILED .*::Cell (\d+)", ran.stdout, re.MULTILINE)
    order = [n for n, cell in enumerate(notebook.cells) if cell.cell_type == "code"]
    reds = {order[int(number)] for number in failed}
    assert set(taken) <= reds, {taken[n] for n in set(taken) - reds}
    # What comes after a mistake may fail with it; what comes before it does not.
    assert min(reds) == min(taken)
