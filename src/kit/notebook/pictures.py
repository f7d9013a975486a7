"""A drawing as cells show it: an image with its alternative text, and its data behind a disclosure.

It is an image inside of HTML, not SVG inside of HTML, because GitHub, and JupyterLab before a
notebook is trusted, take SVG out of HTML, and leave images in. Where even an image is taken out,
its alternative text and its data are still there.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable, Sequence
from html import escape

from kit.notebook.errors import NotebookError
from kit.notebook.showing import Shown, framed, table
from kit.notebook.svg import Drawing

FEWEST_WORDS = 5
"""Of an alternative text; fewer say only what kind of picture it is."""


class NoAlternativeText(NotebookError):
    """A picture was asked for without words for those who do not see it."""


def require_words(alt: str) -> str:
    """The alternative text, tidied.

    Raises:
        NoAlternativeText: it is missing, or too short to say what is to be seen.
    """
    words = " ".join(alt.split())
    if len(words.split()) < FEWEST_WORDS:
        msg = (
            "A picture needs an alternative text: alt='…', a sentence that says what is to be seen,"
            f" in {FEWEST_WORDS} words or more. It is read to those who do not see the picture."
        )
        raise NoAlternativeText(msg)
    return words


def picture(
    drawing: Drawing | str,
    *,
    title: str,
    alt: str,
    rows: Iterable[Sequence[object]] = (),
    columns: Sequence[str] = (),
    summary: str = "The data as a table",
    text: str | None = None,
) -> Shown:
    """Show a drawing with its alternative text and its data.

    Args:
        drawing: of `kit.notebook.svg`, or the text of an SVG of your own.
        title: stands above it.
        alt: what is to be seen.
        rows: the data; without any there is no disclosure.
        columns: names of its columns.
        summary: the words of the disclosure.
        text: what is shown where no picture can be; else `alt`.

    Raises:
        NoAlternativeText: ``alt`` is missing or says next to nothing.
    """
    alt = require_words(alt)
    if isinstance(drawing, Drawing):
        drawing.title, drawing.description = title, alt
    encoded = b64encode(str(drawing).encode()).decode()
    width = f' width="{drawing.width}"' if isinstance(drawing, Drawing) else ""
    image = f'<img alt="{escape(alt)}"{width} src="data:image/svg+xml;base64,{encoded}">'
    data = [list(row) for row in rows]
    below, told = "", [title, text or alt]
    if data:
        shown = table(data, columns)
        below = f"<details><summary>{escape(summary)}</summary>{shown.body}</details>"
        told.append(shown.text)
    html = f"<figure><figcaption>{escape(title)}</figcaption>{image}</figure>{below}"
    return Shown("\n".join(told), framed("figure", html))
