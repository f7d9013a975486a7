"""Text in GitHub Flavored Markdown: it stays text, whatever a submission said."""

from __future__ import annotations

import re

from grader.reports.text import legible, one_line
from grader.reports.workflow import harmless

# Character references never stand for structure (CommonMark 0.31, section 2.5), so punctuation that
# is written as one starts no markup, no HTML, no link and no mention. The rest cannot start any: a
# full stop makes a link only of what begins with "www".
_MARKUP = re.compile(r"[^\w\s,'?.\-\u0080-\U0010ffff]|_|(?i:(?<=www))\.|(?<![^\s])[-.]")


def text(value: str, limit: int = 300) -> str:
    """One line for a paragraph, a list or a cell of a table."""
    return _MARKUP.sub(lambda found: f"&#{ord(found[0])};", one_line(value, limit))


def block(value: str, limit: int = 4000) -> str:
    """A fenced block, whose fence is longer than any run of backticks in it."""
    lines = "\n".join(harmless(line) for line in legible(value, limit).split("\n"))
    longest = max((len(run) for run in re.findall("`+", lines)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}text\n{lines}\n{fence}"


def row(*cells: str) -> str:
    """A row of a table; the cells are Markdown already."""
    return f"| {' | '.join(cells)} |"
