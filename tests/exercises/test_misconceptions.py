"""The pages on misconceptions: their form, and that each experiment gives what it says."""

import doctest
import re
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql

from pglab.servers import Server
from pglab.urls import sqlalchemy_url

FOLDER = Path(__file__).parents[2] / "docs" / "misconceptions"
PAGES = sorted(p for p in FOLDER.glob("*.md") if p.name != "README.md")
# For each notebook its first exercise: on the tables of that one the experiments are run.
# One exercise belongs to two notebooks: then the second one has it in a cell.
EXERCISE_OF = {
    path.stem: found[1]
    for path in sorted(FOLDER.parents[1].glob("notebooks/*.ipynb"))
    if (found := re.search(r'"%%exercise (\w+)', path.read_text(encoding="utf-8")))
} | {
    tomllib.loads(path.read_text(encoding="utf-8"))["notebook"]: path.parent.name
    for path in sorted(FOLDER.parents[1].glob("exercises/*/exercise.toml"), reverse=True)
}
PARTS = (
    "**What you see.**",
    "**Why one believes it.**",
    "**Five lines that refute it.**",
    "**The cure.**",
)


def front_matter(page: Path) -> dict[str, Any]:
    return tomllib.loads(page.read_text(encoding="utf-8").split("+++\n")[1])


def code_block(page: Path) -> str:
    [code] = re.findall(r"```python\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)
    return str(code)


@pytest.fixture
def set_up(
    course_root: Path, server: Server, request: pytest.FixtureRequest
) -> Iterator[dict[str, Any]]:
    """What the README of the pages tells to type first, typed on a new database."""
    name = f"experiment_{abs(hash(request.node.nodeid))}"
    with psycopg.connect(server.admin_url, autocommit=True) as admin:
        admin.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    code = code_block(FOLDER / "README.md")
    code = code.replace("postgresql://…", sqlalchemy_url(server.url(name)))
    code = code.replace("exercises/04_repository", str(course_root / "exercises" / request.param))
    before = list(sys.path)
    globs: dict[str, Any] = {}
    try:
        exec(compile(code, "README.md", "exec"), globs)
        yield globs
        globs["session"].close()
        with psycopg.connect(server.url(name)) as connection:
            assert connection.execute("SELECT to_regnamespace('lab')").fetchone() == (None,)
    finally:
        if "session" in globs:
            globs["session"].close()
            globs["session"].get_bind().dispose()
        sys.path[:] = before
        sys.modules.pop("models", None)
    with psycopg.connect(server.admin_url, autocommit=True) as admin:
        admin.execute(sql.SQL("DROP DATABASE {}").format(sql.Identifier(name)))


@pytest.mark.parametrize(
    ("page", "set_up"),
    [
        pytest.param(page, EXERCISE_OF[front_matter(page)["notebook"]], id=page.stem)
        for page in PAGES
    ],
    indirect=["set_up"],
)
def test_the_experiment_gives_what_the_page_says(page: Path, set_up: dict[str, Any]) -> None:
    test = doctest.DocTestParser().get_doctest(code_block(page), set_up, page.stem, str(page), 0)
    assert len(test.examples) <= 8, "an experiment that does not fit into one look is no experiment"
    told: list[str] = []
    outcome = doctest.DocTestRunner().run(test, out=told.append, clear_globs=False)
    assert outcome.attempted >= 2
    assert outcome.failed == 0, "".join(told)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_page_has_its_parts_and_a_ladder_of_three_hints(page: Path) -> None:
    text, front = page.read_text(encoding="utf-8"), front_matter(page)
    assert f"\n# {front['title']}\n" in text
    positions = [text.find(part) for part in PARTS]
    assert -1 not in positions
    assert positions == sorted(positions)
    question, pointer, step = front["hints"]
    assert question.rstrip().endswith("?")
    assert len(pointer.split()) >= 10
    assert len(step.split()) >= 20
    assert front["notebook"] in EXERCISE_OF


def test_every_page_is_pointed_to_by_a_mistake(course_root: Path) -> None:
    texts = (
        path.read_text(encoding="utf-8")
        for path in course_root.glob("solutions/*/mistakes/**/*.*")
        if path.suffix in (".py", ".sql")
    )
    headers = (re.match(r"(?:#|--) misconception: (.+)", text) for text in texts)
    assert {header[1] for header in headers if header} == {p.stem for p in PAGES}
