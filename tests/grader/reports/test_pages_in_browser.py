"""The pages in a real browser: quiet, contained, readable, usable by keyboard and on paper."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from grader.reports import write_reports

from .demo import demo_class

pytestmark = pytest.mark.browser

FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
HOSTILE = '"><img src=http://127.0.0.1:9/x onerror=alert(1)><script>alert(1)</script>' + "x" * 400
PAGES = ("report.html", "students/barbara_liskov.html", "students/quentin.html")


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("out")
    write_reports(demo_class(named=HOSTILE), folder, ["html"])
    return folder


@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Browser]:
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        yield launched
        launched.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    yield context.new_page()
    context.close()


def pages_of(out: Path) -> list[Path]:
    hostile = [p for p in (out / "students").iterdir() if "onerror" in p.name]
    assert len(hostile) == 1
    return [*(out / name for name in PAGES), *hostile]


def wait_until(page: Page, condition: str) -> None:
    """Look once a frame; the page's own policy forbids Playwright's way of waiting."""
    page.evaluate(
        f"new Promise(r => {{ const look = () => ({condition}) ? r() : requestAnimationFrame(look);"
        " look(); })"
    )


def test_a_page_loads_nothing_and_complains_of_nothing(page: Page, out: Path) -> None:
    said: list[str] = []
    asked: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("dialog", lambda dialog: said.append(dialog.message))
    page.on("request", lambda request: asked.append(request.url))
    for path in pages_of(out):
        page.goto(path.as_uri(), wait_until="load")
    assert said == []
    assert [url for url in asked if not url.startswith("data:")] == [
        path.as_uri() for path in pages_of(out)
    ]


@pytest.mark.parametrize("width", [320, 768, 1280, 1920])
def test_no_page_is_wider_than_the_window(page: Page, out: Path, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    for path in pages_of(out):
        page.goto(path.as_uri())
        page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
        assert page.evaluate("document.documentElement.scrollWidth") <= width


LUMINANCE = """
() => {
  const channel = c => (c /= 255) <= .04045 ? c / 12.92 : ((c + .055) / 1.055) ** 2.4;
  const parse = color => color.match(/[\\d.]+/g).map(Number);
  const luminance = ([r, g, b]) => .2126 * channel(r) + .7152 * channel(g) + .0722 * channel(b);
  const behind = element => {
    for (let e = element; e; e = e.parentElement) {
      const color = parse(getComputedStyle(e).backgroundColor);
      if (color.length === 3 || color[3] > 0) return color;
    }
    return [255, 255, 255];
  };
  document.querySelectorAll('details').forEach(d => d.open = true);
  const found = new Map();
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    if (!walker.currentNode.data.trim() || element.closest('svg, .vh, .skip')) continue;
    const [a, b] = [parse(getComputedStyle(element).color), behind(element)].map(luminance);
    const contrast = (Math.max(a, b) + .05) / (Math.min(a, b) + .05);
    if (contrast < 4.5) found.set(element.outerHTML.slice(0, 90), contrast);
  }
  return [...found];
}
"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_all_text_stands_out_from_what_is_behind_it(page: Page, out: Path, scheme: str) -> None:
    page.emulate_media(color_scheme=scheme)
    seen = []
    for path in pages_of(out):
        page.goto(path.as_uri())
        seen.append(page.evaluate("getComputedStyle(document.body).backgroundColor"))
        assert page.evaluate(LUMINANCE) == []
    assert set(seen) == {"rgb(250, 249, 246)" if scheme == "light" else "rgb(20, 23, 27)"}


def test_the_keyboard_reaches_results_folds_and_tables(page: Page, out: Path) -> None:
    page.goto((out / "report.html").as_uri())
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    assert page.locator(".skip").bounding_box()["x"] >= 0
    page.keyboard.press("Enter")
    assert page.url.endswith("#main")
    summary = page.locator("summary").first
    summary.focus()
    page.keyboard.press("Enter")
    assert page.locator("details").first.get_attribute("open") is not None
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") != "none"
    table = page.locator(".scroll").first
    table.focus()
    page.keyboard.press("End")
    wait_until(page, "document.querySelector('.scroll').scrollTop > 0")


def test_names_and_headings_stay_in_sight_while_a_table_scrolls(page: Page, out: Path) -> None:
    page.set_viewport_size({"width": 500, "height": 500})
    page.goto((out / "report.html").as_uri())
    for table in ("#students ~ .scroll", "#checks ~ .scroll"):
        scroll = page.locator(table)
        scroll.scroll_into_view_if_needed()
        scroll.evaluate("e => e.scrollTo(150, 150)")
        box = scroll.bounding_box()
        name = scroll.locator("tbody th").nth(12).bounding_box()
        head = scroll.locator("thead th").first.bounding_box()
        assert box
        assert name
        assert head
        assert name["x"] == pytest.approx(box["x"], abs=2)
        assert (head["x"], head["y"]) == pytest.approx((box["x"], box["y"]), abs=2)


def test_every_check_of_the_map_stands_below_its_number(page: Page, out: Path) -> None:
    page.goto((out / "report.html").as_uri())
    page.locator("#checks").scroll_into_view_if_needed()
    numbers = page.locator(".map thead tr:nth-child(2) th")
    cells = page.locator(".map tbody tr").first.locator("td")
    assert numbers.count() == cells.count() == 36
    for i in (0, 11, 12, 35):
        number, cell = numbers.nth(i).bounding_box(), cells.nth(i).bounding_box()
        assert number
        assert cell
        assert number["x"] == pytest.approx(cell["x"], abs=1)


def test_a_link_to_a_student_leads_to_their_page(page: Page, out: Path) -> None:
    page.goto((out / "report.html").as_uri())
    for link in ("barbara_liskov", "Ольга Ладыженская", HOSTILE[:30]):
        page.goto((out / "report.html").as_uri())
        page.locator("#students ~ .scroll a", has_text=link).first.click()
        assert link in page.locator("h1").inner_text()


def test_paper_shows_what_the_screen_folds(page: Page, out: Path) -> None:
    page.goto((out / "students" / "barbara_liskov.html").as_uri())
    folded = page.locator("details pre").first
    assert not folded.is_visible()
    page.emulate_media(media="print")
    assert folded.is_visible()


@pytest.mark.slow
def test_a_class_of_500_is_laid_out_only_where_it_is_seen(page: Page, tmp_path: Path) -> None:
    write_reports(demo_class(500, 17), tmp_path, ["html"])
    page.goto((tmp_path / "report.html").as_uri())
    skipped = page.evaluate(
        """() => [...document.querySelectorAll('.chunk')].filter(
            c => !c.querySelector('td').checkVisibility({contentVisibilityAuto: true})).length"""
    )
    assert skipped == 10
    assert page.evaluate("document.querySelectorAll('.map td').length") == 500 * 204
    tall = page.evaluate("[...document.querySelectorAll('.chunk')].map(c => c.offsetHeight)")
    page.locator(".chunk").first.scroll_into_view_if_needed()
    wait_until(
        page, "document.querySelector('.chunk td').checkVisibility({contentVisibilityAuto: true})"
    )
    # The room that was kept for it is the room that it takes: nothing jumps while one scrolls.
    first = page.evaluate("document.querySelector('.chunk').offsetHeight")
    assert first == pytest.approx(tall[0], rel=0.05)
