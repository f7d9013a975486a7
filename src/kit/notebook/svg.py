"""Drawings as SVG: the same bytes on every machine, readable in light and dark.

A drawing carries its colors with it. A page may show it as an image, and then nothing of the page's
own style reaches it but whether the page is light or dark. Its colors are told apart by who sees no
red or green as well (after Okabe and Ito, "Color Universal Design", darkened or lightened until
each has a contrast of 3:1 with the paper; text has 4.5:1), and nothing is told by color alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

FONT_PX = 13
SERIES = 5
"""Colors, dashes, markers and hatchings that are told apart."""

_LIGHT = {
    "paper": "#ffffff", "ink": "#1f2328", "quiet": "#57606a", "line": "#8c959f", "soft": "#f0f3f6",
    "good": "#1a7f37", "bad": "#b32020", "wait": "#8a5a00",
    "s0": "#0072b2", "s1": "#c2500a", "s2": "#00805c", "s3": "#a34c84", "s4": "#57606a",
}  # fmt: skip
_DARK = {
    "paper": "#16191d", "ink": "#e6edf3", "quiet": "#a3adb8", "line": "#6e7781", "soft": "#262c33",
    "good": "#56d364", "bad": "#ff8a80", "wait": "#e3b341",
    "s0": "#56b4e9", "s1": "#f0a04b", "s2": "#2bc497", "s3": "#e08dbd", "s4": "#a3adb8",
}  # fmt: skip
DASHES = ("none", "7 4", "2 3", "9 3 2 3", "1 5")

_FONTS = {
    "sans": "system-ui,-apple-system,'Segoe UI','DejaVu Sans',sans-serif",
    "mono": "ui-monospace,'SF Mono','DejaVu Sans Mono',Menlo,Consolas,monospace",
}
_NARROW, _WIDE = frozenset("fijlrt.,:;|!'()[] I"), frozenset("mwMWQ@%—")


def width_of(text: str, *, mono: bool = False, size: float = FONT_PX) -> float:
    """About how wide a text is, in pixels, in whatever font there is; rather more than less."""
    if mono:
        return len(text) * size * 0.61
    widths = (0.36 if c in _NARROW else 0.95 if c in _WIDE else 0.61 for c in text)
    return sum(widths) * size


def shortened(text: str, most: float, *, mono: bool = False) -> str:
    """The text, cut with an ellipsis where it is wider than so many pixels."""
    if width_of(text, mono=mono) <= most:
        return text
    while text and width_of(text + "…", mono=mono) > most:
        text = text[:-1]
    return text.rstrip() + "…"


class Drawing:
    """Shapes on a sheet of paper.

    Classes of shapes are names of the colors above: ``ink``, ``quiet``, ``s0`` …; a text is in ink
    if it has none.
    """

    def __init__(self, width: float, height: float) -> None:
        """Begin a sheet of so many pixels."""
        self.width, self.height = round(width), round(height)
        self.title = ""
        """What is drawn, in a few words."""
        self.description = ""
        """What is to be seen, for who does not see it."""
        self._shapes: list[str] = []

    def rect(
        self, x: float, y: float, width: float, height: float, *, fill: str = "none",
        stroke: str = "none", round_px: float = 0, dash: str = "none",
    ) -> None:  # fmt: skip
        """A rectangle; ``fill`` and ``stroke`` are names of colors."""
        self._shapes.append(
            f'<rect x="{_n(x)}" y="{_n(y)}" width="{_n(width)}" height="{_n(height)}"'
            f"{_if('rx', _n(round_px), round_px)} {_paint(fill, stroke)}{_dashed(dash)}/>"
        )

    def line(
        self, x1: float, y1: float, x2: float, y2: float, *, stroke: str = "line",
        width: float = 1, dash: str = "none", arrow: bool = False,
    ) -> None:  # fmt: skip
        """A line, with an arrow at its end if wanted."""
        self.path([(x1, y1), (x2, y2)], stroke=stroke, width=width, dash=dash, arrow=arrow)

    def path(
        self, points: Sequence[tuple[float, float]], *, stroke: str = "line", width: float = 1.5,
        dash: str = "none", arrow: bool = False,
    ) -> None:  # fmt: skip
        """A line through points."""
        drawn = "M" + "L".join(f"{_n(x)} {_n(y)}" for x, y in points)
        self.curve(drawn, stroke=stroke, width=width, dash=dash, arrow=arrow)

    def curve(
        self, drawn: str, *, stroke: str = "line", width: float = 1.5, dash: str = "none",
        arrow: bool = False,
    ) -> None:  # fmt: skip
        """A path in SVG's own language."""
        end = ' marker-end="url(#arrow)"' if arrow else ""
        self._shapes.append(
            f'<path d="{drawn}" {_paint("none", stroke)}'
            f"{_if('stroke-width', _n(width), width != 1)}{_dashed(dash)}{end}/>"
        )

    def mark(self, x: float, y: float, series: int) -> None:
        """The marker of a series: circle, square, triangle, diamond, cross."""
        shapes = (
            "M-4 0a4 4 0 1 0 8 0a4 4 0 1 0 -8 0", "M-4 -4h8v8h-8z", "M0 -5L5 4H-5z",
            "M0 -5L5 0L0 5L-5 0z", "M-4 -4L4 4M-4 4L4 -4",
        )  # fmt: skip
        self._shapes.append(
            f'<path d="{shapes[series]}" transform="translate({_n(x)} {_n(y)})" '
            f'{_paint(f"s{series}", f"s{series}")} stroke-width="1.5"/>'
        )

    def hatch(self, x: float, y: float, width: float, height: float, series: int) -> None:
        """Lay the hatching of a series over a rectangle; the first one has none."""
        if series:
            self._shapes.append(
                f'<rect x="{_n(x)}" y="{_n(y)}" width="{_n(width)}" height="{_n(height)}" '
                f'fill="url(#h{series})"/>'
            )

    def text(
        self, x: float, y: float, words: str, *, fill: str = "ink", anchor: str = "start",
        mono: bool = False, strong: bool = False, size: float = FONT_PX, over: bool = False,
    ) -> None:  # fmt: skip
        """A line of text; ``y`` is its base line, ``anchor`` ``start``, ``middle`` or ``end``.

        With ``over`` it stands out from lines that it lies on.
        """
        classes = " ".join(["mono"] * mono + ["strong"] * strong + ["over"] * over)
        self._shapes.append(
            f'<text x="{_n(x)}" y="{_n(y)}"{_if("class", classes, classes)}'
            f"{_if('fill', f'var(--{fill})', fill != 'ink')}"
            f"{_if('text-anchor', anchor, anchor != 'start')}"
            f"{_if('font-size', _n(size), size != FONT_PX)}>{escape(words)}</text>"
        )

    def __str__(self) -> str:
        head = (
            f'<svg xmlns="http://www.w3.org/2000/svg" role="img" width="{self.width}" '
            f'height="{self.height}" viewBox="0 0 {self.width} {self.height}">'
            f"<title>{escape(self.title)}</title><desc>{escape(self.description)}</desc>"
            f"<style>{_STYLE}</style><defs>{_DEFS}</defs>"
        )
        paper = f'<rect width="{self.width}" height="{self.height}" rx="6" fill="var(--paper)"/>'
        return head + paper + "".join(self._shapes) + "</svg>"


def _n(number: float) -> str:
    """A number with one decimal place at most, the same on every machine."""
    return f"{round(number + 0.0, 1):g}"


def _if(name: str, value: str, wanted: object) -> str:
    return f' {name}="{value}"' if wanted else ""


def _paint(fill: str, stroke: str) -> str:
    def color(name: str) -> str:
        return name if name == "none" else f"var(--{name})"

    return f'fill="{color(fill)}" stroke="{color(stroke)}"'


def _dashed(dash: str) -> str:
    return _if("stroke-dasharray", dash, dash != "none")


def _variables(colors: dict[str, str]) -> str:
    return "svg{" + "".join(f"--{name}:{color};" for name, color in colors.items()) + "}"


_STYLE = (
    _variables(_LIGHT)
    + "@media (prefers-color-scheme:dark){"
    + _variables(_DARK)
    + "}"
    + f"svg{{font-family:{_FONTS['sans']};font-size:{FONT_PX}px;fill:var(--ink)}}"
    + f".mono{{font-family:{_FONTS['mono']}}}.strong{{font-weight:600}}"
    + ".over{paint-order:stroke;stroke:var(--paper);stroke-width:4px;stroke-linejoin:round}"
)


def _hatching(series: int, drawn: str) -> str:
    return (
        f'<pattern id="h{series}" width="6" height="6" patternUnits="userSpaceOnUse">'
        f'<path d="{drawn}" stroke="var(--paper)" stroke-width="1.2" fill="none"/></pattern>'
    )


_DEFS = (
    '<marker id="arrow" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" '
    'orient="auto-start-reverse"><path d="M0 0L8 4L0 8z" fill="var(--line)"/></marker>'
    + _hatching(1, "M0 6L6 0")
    + _hatching(2, "M0 3H6")
    + _hatching(3, "M0 0L6 6M0 6L6 0")
    + _hatching(4, "M3 0V6")
)
