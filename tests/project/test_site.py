"""The site of the pages: it is built, every link in it leads somewhere, and it loads nothing."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

pytestmark = pytest.mark.slow


class Page(HTMLParser):
    """The places that a page links to and loads, and those that it can be entered at."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.links: list[str] = []
        self.loads: list[str] = []
        self.anchors: set[str] = set()
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self.anchors |= {value for name in ("id", "name") if (value := found.get(name))}
        if tag == "a" and (target := found.get("href")):
            self.links.append(target)
        if tag in {"img", "script", "iframe"} and (source := found.get("src")):
            self.loads.append(source)
        if tag == "link" and found.get("rel") in {"stylesheet", "preload", "icon"}:
            self.loads.append(found.get("href") or "")


@pytest.fixture(scope="module")
def site(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("docs")
    done = subprocess.run(
        [sys.executable, str(root / "docs" / "build.py"), str(folder)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return folder / "site"


@pytest.fixture(scope="module")
def pages(site: Path) -> dict[Path, Page]:
    # The page for what is not found is shown at any address, so its links start at the root.
    return {path: Page(path) for path in site.rglob("*.html") if path.name != "404.html"}


def lost(pages: dict[Path, Page]) -> Iterator[str]:
    for path, page in pages.items():
        for link in [*page.links, *page.loads]:
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            if target.is_dir():
                target /= "index.html"
            if not target.is_file():
                yield f"{path.name}: {link}"
            elif parts.fragment and target.suffix == ".html":
                there = pages[target].anchors
                if unquote(parts.fragment) not in there | {"__skip"}:
                    yield f"{path.name}: {link} (no such place on the page)"


def test_every_page_is_in_it(root: Path, pages: dict[Path, Page]) -> None:
    names = {path.stem for path in pages}
    for page in (root / "docs").rglob("*.md"):
        assert page.stem in names or page.stem == "README", page
    assert len(pages) > 100


def test_no_mark_of_markdown_is_shown_as_text(pages: dict[Path, Page]) -> None:
    shown = {path.name: path.read_text(encoding="utf-8") for path in pages}
    assert [name for name, text in shown.items() if "```" in text] == []
    assert shown["instruments.html"].count("An answer that passes") >= 10
    hints = [text for text in shown.values() if "<summary>Hint 1" in text]
    assert hints
    assert [
        text for text in hints if "`" in text.partition("<details>")[2].split("</details>")[0]
    ] == []


def test_every_link_leads_somewhere(pages: dict[Path, Page]) -> None:
    assert sum(len(page.links) for page in pages.values()) > 1000
    assert list(lost(pages)) == []


def test_a_link_that_leads_nowhere_would_be_found(tmp_path: Path) -> None:
    page, other = tmp_path / "page.html", tmp_path / "other.html"
    page.write_text(
        '<a href="gone.html">1</a><a href="other.html#gone">2</a><a href="other.html#here">3</a>'
        '<img src="gone.png">'
    )
    other.write_text('<p id="here">')
    pages = {path: Page(path) for path in (page, other)}
    assert [link.split()[1] for link in lost(pages)] == ["gone.html", "other.html#gone", "gone.png"]


def test_nothing_is_loaded_from_elsewhere(pages: dict[Path, Page]) -> None:
    for path, page in pages.items():
        assert not [one for one in page.loads if urlsplit(one).netloc], path


def test_the_menu_names_every_page_of_its_own(root: Path) -> None:
    menu = tomllib.loads((root / "docs" / "zensical.toml").read_text())["project"]["nav"]

    def named(entries: list[object]) -> Iterator[str]:
        for entry in entries:
            for value in entry.values() if isinstance(entry, dict) else [entry]:
                yield from named(value) if isinstance(value, list) else [str(value)]

    pages = {path.relative_to(root / "docs").as_posix() for path in (root / "docs").rglob("*.md")}
    own = {page for page in pages if not page.startswith("misconceptions/")}
    assert own | {"misconceptions/README.md"} == set(named(menu))
