"""Build the site of these pages.

    python docs/build.py [FOLDER]

Writes the site into FOLDER/site (FOLDER is build/docs, unless another is named). Its first page is
index.html, and a browser can open it where it is, without a server. What a site needs and a page
on its own does not is added on the way: titles for the search and for examples, the hints of a
misconception one by one behind a click, and the list of all misconceptions.

Exit code 0, or that of zensical, which names every link that leads nowhere.
"""

from __future__ import annotations

import html
import re
import shutil
import subprocess
import sys
import tomllib
from collections import defaultdict
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).resolve().parent.parent
MARKED = re.compile(r"^```(\w+) (answer|mistake)$", re.MULTILINE)
"""The beginning of an example that the tests run; the site knows no such marks."""
TITLES = {"answer": "An answer that passes", "mistake": "A mistake, which does not"}
CODE = re.compile(r"`([^`]+)`")
RUNGS = ("a question", "a pointer", "a worked step")


def main() -> int:
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else PROJECT / "build" / "docs").resolve()
    stage(folder / "pages")
    settings = shutil.copy(PROJECT / "docs" / "zensical.toml", folder)
    zensical = [sys.executable, "-m", "zensical", "build", "--clean", "--strict"]
    done = subprocess.run([*zensical, "--config-file", str(settings)], check=False)
    if done.returncode == 0:
        print(f"Site: {folder / 'site' / 'index.html'}")
    return done.returncode


def stage(pages: Path) -> None:
    """Copy the pages to where the site is built, as it wants them."""
    shutil.rmtree(pages, ignore_errors=True)
    shutil.copytree(
        PROJECT / "docs", pages, ignore=shutil.ignore_patterns("*.py", "*.toml", "__pycache__")
    )
    for page in pages.rglob("*.md"):
        text = page.read_text(encoding="utf-8")
        page.write_text(MARKED.sub(_titled, text), encoding="utf-8")
    by_notebook: dict[str, list[str]] = defaultdict(list)
    misconceptions = pages / "misconceptions"
    overview = misconceptions / "README.md"
    for page in sorted({*misconceptions.glob("*.md")} - {overview}):
        header, text = parted(page.read_text(encoding="utf-8"))
        page.write_text(as_page(header, text), encoding="utf-8")
        by_notebook[header["notebook"]].append(f"- [{header['title']}]({page.name})")
    lists = (f"\n## {name}\n\n" + "\n".join(by_notebook[name]) for name in sorted(by_notebook))
    with overview.open("a", encoding="utf-8") as file:
        file.write("\n" + "\n".join(lists) + "\n")


def _titled(mark: re.Match[str]) -> str:
    return f'```{mark[1]} title="{TITLES[mark[2]]}"'


def parted(page: str) -> tuple[dict[str, Any], str]:
    """What stands between the lines of ``+++`` of a page, and the text after it."""
    _, header, text = page.split("+++\n", 2)
    return tomllib.loads(header), text.lstrip()


def as_page(header: dict[str, Any], text: str) -> str:
    """A misconception with its hints to be opened one by one, below its title."""
    title, _, rest = text.partition("\n")
    hints = "\n".join(
        f"<details><summary>Hint {rung + 1}: {RUNGS[min(rung, len(RUNGS) - 1)]}</summary>"
        f"<p>{_with_code(hint)}</p></details>"
        for rung, hint in enumerate(header["hints"])
    )
    return f"{title}\n\nGoes with notebook {header['notebook']}.\n\n{hints}\n{rest}"


def _with_code(text: str) -> str:
    """A sentence as HTML; what stands between backticks is code."""
    return CODE.sub(r"<code>\1</code>", html.escape(text, quote=False))


if __name__ == "__main__":
    sys.exit(main())
