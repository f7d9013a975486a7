"""What cells show, in a real browser with JupyterLab's styles: axe-core finds nothing serious."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import nbformat
import psycopg
import pytest
from axe_playwright_python.sync_playwright import Axe
from nbconvert import HTMLExporter
from playwright.sync_api import Browser, Page, sync_playwright

from kit import notebook as kit_notebook
from kit.notebook import (
    capability_table,
    claim,
    compare,
    diagram,
    erd,
    figure,
    health_badge,
    history,
    plan,
    predictions,
    schema_diff,
    scratch,
    show_sql,
    table,
    timeline,
    verdict,
)  # fmt: skip
from kit.notebook.changed_rows import changed_rows
from kit.notebook.exercises import exercise_of, visible_checks
from kit.notebook.locks import locks
from kit.notebook.results import task
from pglab.sessions import Interleaving

pytestmark = pytest.mark.browser

FLAGS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip
FOLDER = Path(__file__).resolve().parents[2] / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("[0-9][0-9]_*.ipynb"))
OUTPUTS = ".jp-OutputArea-output"
ALT = "Lazy loading sends a hundred statements, the others two."


@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Browser]:
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        yield launched
        launched.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    context.route("http*://**", lambda route: route.abort())
    yield context.new_page()
    context.close()


@pytest.fixture(scope="module")
def gallery(tracker_url: str) -> nbformat.NotebookNode:
    """A notebook with everything that the kit shows."""
    with scratch() as lab, Interleaving(lab.url) as stage:
        with psycopg.connect(lab.url, autocommit=True) as connection:
            connection.execute("CREATE TABLE t (n int PRIMARY KEY); INSERT INTO t VALUES (1)")
        changed_rows(on=lab)
        alice, bob = stage.enter("alice", "bob")
        alice.begin()
        alice.run("UPDATE t SET n = 2")
        bob.run("UPDATE t SET n = 3")
        shown = [
            locks(lab),
            changed_rows(inside=alice, called="alice"),
            *([alice.rollback(), timeline(stage)][1:]),
        ]
        shown += [erd(), history(), plan("SELECT * FROM t", on=lab), schema_diff(None, lab)]
    asked = "How many?\nA. one\nB. two\nanswer: {}\nsure: {}"
    shown += [
        predictions.predict("05-q", asked.format("?", "?")),
        predictions.predict("05-q", asked.format("B", "80")),
        compare("05-q", "B"),
        predictions.calibration(),
        health_badge(), capability_table(), table([("a", 1)], ("Name", "Value"), "Some"),
        claim("It holds", false_if="it does not."),
        verdict("It holds", holds=True, because="It did."),
        verdict("It holds", holds=False, because="It did not."),
        figure([("a", 1, 2)], ("x", "y", "z"), title="Bars", alt=ALT),
        figure([(1, 1, 2), (2, 3, 4)], ("x", "y", "z"), kind="lines", title="Lines", alt=ALT),
        diagram({"a": ["1 row"], "b": []}, [("a", "b", "CASCADE")], title="Tree", alt=ALT),
        show_sql("SELECT 'a', 1 -- why"),
        task(exercise_of("04"), visible_checks(exercise_of("04")), "repository.py"),
    ]  # fmt: skip
    cells = []
    for one in shown:
        data = one._repr_mimebundle_()
        output = nbformat.v4.new_output("display_data", data=data)
        cells.append(nbformat.v4.new_code_cell("show()", outputs=[output]))
    return nbformat.v4.new_notebook(cells=cells)


def opened(page: Page, notebook: nbformat.NotebookNode, theme: str, tmp_path: Path) -> Page:
    """The notebook as a page with JupyterLab's styles, every disclosure open."""
    html, _ = HTMLExporter(theme=theme).from_notebook_node(notebook)
    html = re.sub(r"<script\b.*?</script>", "", html, flags=re.DOTALL)
    file = tmp_path / f"{theme}.html"
    file.write_text(html, encoding="utf-8")
    page.goto(file.as_uri())
    page.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
    return page


def serious(page: Page) -> list[str]:
    """What axe-core calls serious or critical in what the kit shows.

    The colors of tracebacks and of other libraries are JupyterLab's own.
    """
    found = Axe().run(page, context={"include": [".kit"]}).response["violations"]
    return [
        f"{one['id']}: {node['html'][:300]} {node['failureSummary']}"
        for one in found
        if one["impact"] in ("serious", "critical")
        for node in one["nodes"]
    ]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_everything_that_the_kit_shows_can_be_read_by_all(page, gallery, theme, tmp_path):
    opened(page, gallery, theme, tmp_path)
    assert page.locator(f"{OUTPUTS} .kit").count() == len(gallery.cells)
    assert serious(page) == []


def test_axe_notices_what_is_wrong(page, gallery, tmp_path):
    opened(page, gallery, "light", tmp_path)
    page.evaluate("document.querySelectorAll('img').forEach(one => one.removeAttribute('alt'))")
    page.add_style_tag(content=".kit p { color: #ddd !important; background: white }")
    rules = {one.partition(":")[0] for one in serious(page)}
    assert {"image-alt", "color-contrast"} <= rules


def test_pictures_are_dark_in_the_dark(page, gallery, tmp_path):
    """A picture asks the page, not the machine, whether it is dark."""
    colors = []
    for theme in ("light", "dark"):
        opened(page, gallery, theme, tmp_path)
        image = page.locator(f"{OUTPUTS} img").first
        colors.append(image.evaluate("one => getComputedStyle(one).colorScheme"))
    assert colors == ["light", "dark"]


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_the_outputs_of_a_notebook_can_be_read_by_all(page, path, theme, tmp_path):
    opened(page, nbformat.read(path, as_version=4), theme, tmp_path)
    assert serious(page) == []


def test_the_gallery_has_every_function_that_shows_something(gallery):
    shows = {
        name for name in kit_notebook.__all__
        if getattr(getattr(kit_notebook, name), "__annotations__", {}).get("return")
        in ("Shown", "ShownPlan")
    }  # fmt: skip
    source = Path(__file__).read_text(encoding="utf-8")
    assert {name for name in shows if f"{name}(" not in source} == {"picture"}
