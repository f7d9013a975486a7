"""What cells show: always as HTML and as plain text with the same content."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cache
from html import escape
from importlib.resources import files
from typing import Any


@dataclass(frozen=True)
class Shown:
    """Something to show: HTML for browsers, text for terminals, screen readers, diffs and tests."""

    text: str
    html: str
    body: str = field(default="", repr=False)
    """The HTML without its box and style, to be put into another box."""

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        return {"text/plain": self.text, "text/html": self.html}

    def __repr__(self) -> str:
        return self.text

    def display(self) -> None:
        """Show it now, below what the cell has shown so far."""
        from IPython.display import publish_display_data

        publish_display_data(self._repr_mimebundle_())  # type: ignore[no-untyped-call]


@cache
def _style() -> str:
    lines = files(__package__).joinpath("style.css").read_text(encoding="utf-8").splitlines()
    return "".join(line.strip() for line in lines if not line.startswith("/*"))


def framed(kind: str, body: str, *, look: str = "") -> str:
    """HTML in a box of the kit's own, with its style.

    The style goes with every output: a front end may drop the others, or show one alone.

    Args:
        kind: ``receipt``, ``badge``, ``table``, ``verdict``, ``figure`` …, which is also its class.
        body: HTML that is safe already.
        look: ``good``, ``bad`` or empty: the color of the border. Say it in words as well.
    """
    classes = f"kit kit-{kind}" + (f" kit-{look}" if look else "")
    return f'<div class="{classes}"><style>{_style()}</style>{body}</div>'


def table(rows: Iterable[Sequence[object]], columns: Sequence[str], caption: str = "") -> Shown:
    """A table whose first column names the row.

    Args:
        rows: values, shown with ``str``; None as a dash, booleans as yes and no.
        columns: the names of the columns, as many as a row has values.
        caption: one line above the table.

    Raises:
        ValueError: a row has more or fewer values than there are columns.
    """
    cells = [[_plain(value) for value in row] for row in rows]
    for row in cells:
        if len(row) != len(columns):
            msg = f"The row {row} has {len(row)} values, and there are {len(columns)} columns."
            raise ValueError(msg)
    head = "".join(f'<th scope="col">{escape(name)}</th>' for name in columns)
    body = "".join(
        f'<tr><th scope="row">{escape(first)}</th>'
        + "".join(f"<td>{escape(value)}</td>" for value in rest)
        + "</tr>"
        for first, *rest in cells
    )
    title = f"<caption>{escape(caption)}</caption>" if caption else ""
    html = f"<table>{title}<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
    return Shown(_text_table(cells, columns, caption), framed("table", html), html)


def claim(sentence: str, *, false_if: str) -> Shown:
    """The card that opens a claim on trial.

    Args:
        sentence: what is said.
        false_if: what would refute it, if the next cells saw it; its full stop may be left out.
    """
    refuted = f"It is false if {false_if.removesuffix('.')}."
    html = (
        f'<p>On trial: <span class="kit-claim">“{escape(sentence)}”</span></p>'
        f"<p>{escape(refuted)}</p>"
    )
    text = f"On trial: “{sentence}”\n{refuted}"
    return Shown(text, framed("verdict", html))


def verdict(claim: str, *, holds: bool, because: str) -> Shown:
    """The card that ends a claim on trial.

    Args:
        claim: the sentence that was on trial.
        holds: whether it survived; compute it from what the cells measured.
        because: one sentence of evidence.
    """
    mark, word = ("✓", "Held up") if holds else ("✗", "Disproved")
    html = (
        f'<p class="kit-claim">“{escape(claim)}”</p>'
        f"<p><strong>{mark} {word}.</strong> {escape(because)}</p>"
    )
    box = framed("verdict", html, look="good" if holds else "bad")
    return Shown(f"“{claim}”\n{mark} {word}. {because}", box)


def _plain(value: object) -> str:
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)


def _text_table(cells: list[list[str]], columns: Sequence[str], caption: str) -> str:
    lines = [list(columns), *cells]
    widths = [max(len(line[i]) for line in lines) for i in range(len(columns))]

    def aligned(line: Sequence[str]) -> str:
        pairs = zip(line, widths, strict=True)
        return "  ".join(value.ljust(width) for value, width in pairs).rstrip()

    rule = "  ".join("─" * width for width in widths)
    shown = [aligned(columns), rule, *(aligned(line) for line in cells)]
    return "\n".join([caption, *shown] if caption else shown)
