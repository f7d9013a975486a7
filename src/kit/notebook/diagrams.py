"""`diagram`: boxes with lines of text, and arrows between them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise

from kit.notebook.errors import NotebookError
from kit.notebook.layout import Places, Point, place
from kit.notebook.pictures import picture, require_words
from kit.notebook.showing import Shown
from kit.notebook.svg import Drawing, shortened, width_of

Edge = tuple[str, str] | tuple[str, str, str]

MARGIN = 14
LINE = 18
_WIDEST = 260


def diagram(
    nodes: Mapping[str, Sequence[str]],
    edges: Sequence[Edge],
    *,
    title: str,
    alt: str = "",
    down: bool = False,
) -> Shown:
    """Boxes and arrows; each box comes after those that point to it.

    Args:
        nodes: the lines of text in each box, below its name.
        edges: source, target, and what is written on the arrow.
        title: stands above it.
        alt: what is to be seen, in a sentence, for who does not see it.
        down: arrows lead down, not to the right.

    Raises:
        NoAlternativeText: ``alt`` is missing or says next to nothing.
        NotebookError: an edge names a box that is not there, or there are no boxes.
    """
    alt = require_words(alt)
    if not nodes:
        raise NotebookError("There is nothing to draw: nodes is empty.")
    full = [(*edge, "")[:3] if len(edge) == 2 else edge for edge in edges]
    for source, target, _ in full:
        for name in (source, target):
            if name not in nodes:
                raise NotebookError(f"The edge {source} → {target}: there is no box {name}.")
    drawing = _drawn(nodes, full, down=down)
    rows: list[Sequence[object]] = [
        (name, "; ".join(lines), _leads_to(name, full)) for name, lines in nodes.items()
    ]
    return picture(
        drawing, title=title, alt=alt, rows=rows, columns=("box", "what it says", "leads to"),
        summary="The diagram as a table",
    )  # fmt: skip


def route(source: Point, target: Point, through: Sequence[Point], *, down: bool = False) -> str:
    """A smooth line in SVG's language, from one point through others to another.

    Args:
        source: where it begins.
        target: where it ends.
        through: the points between.
        down: whether it leaves and arrives vertically, not horizontally.
    """
    points = [source, *through, target]
    drawn = f"M{source[0]:.1f} {source[1]:.1f}"
    for (x1, y1), (x2, y2) in pairwise(points):
        if down:
            half = (y2 - y1) / 2
            handles = (x1, y1 + half, x2, y2 - half)
        else:
            half = (x2 - x1) / 2
            handles = (x1 + half, y1, x2 - half, y2)
        drawn += "C" + " ".join(f"{n:.1f}" for n in (*handles, x2, y2))
    return drawn


def loop(corner: Point, to: float = 14) -> str:
    """A way from a point on the right side of a box back to that side, so far below."""
    x, y = corner
    return f"M{x:.1f} {y:.1f}c22 -8 22 {to + 8:.1f} 0 {to:.1f}"


def _drawn(
    nodes: Mapping[str, Sequence[str]], edges: Sequence[tuple[str, str, str]], *, down: bool
) -> Drawing:
    sizes = {name: _size(name, lines) for name, lines in nodes.items()}
    labels = max((width_of(label, size=11) for *_, label in edges), default=0)
    places = place(
        sizes, [(s, t) for s, t, _ in edges], down=down, between=50 if down else 40 + labels
    )
    drawing = Drawing(places.width + 2 * MARGIN, places.height + 2 * MARGIN)
    for (source, target, label), through in zip(edges, places.routes, strict=True):
        if source == target:
            x, y = places.boxes[source]
            drawing.curve(loop((x + MARGIN + sizes[source][0], y + MARGIN + 8)), arrow=True)
        else:
            _arrow(drawing, places, sizes, (source, target, label), through, down=down)
    for name, lines in nodes.items():
        x, y = places.boxes[name]
        _box(drawing, (x + MARGIN, y + MARGIN), sizes[name], name, lines)
    return drawing


def _size(name: str, lines: Sequence[str]) -> tuple[float, float]:
    width = max([width_of(name) * 1.08, *(width_of(line) for line in lines)])
    return min(width, _WIDEST) + 20, LINE * (1 + len(lines)) + 12


def _box(
    drawing: Drawing, corner: Point, size: tuple[float, float], name: str, lines: Sequence[str]
) -> None:
    (x, y), (width, height) = corner, size
    drawing.rect(x, y, width, height, fill="soft", stroke="line", round_px=4)
    drawing.text(x + 10, y + 19, shortened(name, _WIDEST), strong=True)
    for number, line in enumerate(lines, 1):
        drawing.text(x + 10, y + 19 + LINE * number, shortened(line, _WIDEST))


def _arrow(
    drawing: Drawing,
    places: Places,
    sizes: Mapping[str, tuple[float, float]],
    edge: tuple[str, str, str],
    through: Sequence[Point],
    *,
    down: bool,
) -> None:
    source, target, label = edge
    (sx, sy), (sw, sh) = places.boxes[source], sizes[source]
    (tx, ty), (tw, th) = places.boxes[target], sizes[target]
    if down:
        back = ty < sy
        start = (sx + sw / 2, sy if back else sy + sh)
        end = (tx + tw / 2, ty + th if back else ty)
    else:
        back = tx < sx
        start = (sx if back else sx + sw, sy + sh / 2)
        end = (tx + tw if back else tx, ty + th / 2)
    moved = [(x + MARGIN, y + MARGIN) for x, y in (start, *through, end)]
    drawing.curve(route(moved[0], moved[-1], moved[1:-1], down=down), arrow=True)
    if label:
        (x1, y1), (x2, y2) = moved[-2:]
        drawing.text(
            (x1 + x2) / 2, (y1 + y2) / 2 - 4, label, fill="quiet", anchor="middle", size=11,
            over=True,
        )  # fmt: skip


def _leads_to(name: str, edges: Sequence[tuple[str, str, str]]) -> str:
    told = [f"{target} ({label})" if label else target for s, target, label in edges if s == name]
    return ", ".join(told) or "–"
