"""`figure`: one call gives a plot, its data and its alternative text."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal

from kit.notebook.errors import NotebookError
from kit.notebook.pictures import picture, require_words
from kit.notebook.scales import Scale, number, scale
from kit.notebook.showing import Shown
from kit.notebook.svg import DASHES, SERIES, Drawing, shortened, width_of

Kind = Literal["bars", "lines", "points"]
Log = bool | Literal["x", "y", "xy"]

_WIDTH, _HEIGHT = 680, 320
_BAR, _GAP, _EDGE = 18, 10, 16
_MOST_BARS = 60


def figure(
    rows: Iterable[Sequence[object]],
    columns: Sequence[str],
    *,
    kind: Kind = "bars",
    title: str,
    alt: str = "",
    unit: str = "",
    log: Log = False,
) -> Shown:
    """A plot, with its data behind a disclosure.

    Args:
        rows: each ``(x, value, …)``, one value for each series; None where there is none.
        columns: the name of x, and of each series.
        kind: ``bars`` for things that have names; ``lines`` and ``points`` where x is a number.
        title: stands above it.
        alt: what is to be seen, in a sentence, for who does not see it.
        unit: of the values, such as ``ms``.
        log: each step of an axis is ten times the one before; True for the axis of the values,
            or which axes: ``x``, ``y``, ``xy``.

    Raises:
        NoAlternativeText: ``alt`` is missing or says next to nothing.
        NotebookError: the data cannot be drawn; the message says why.
    """
    data = [list(row) for row in rows]
    alt = require_words(alt)
    _check(data, columns, kind)
    axes = {"x": log in ("x", "xy"), "y": log is True or log in ("y", "xy")}
    if kind == "bars":
        drawing = _bars(data, columns, unit, log=axes["y"])
    else:
        drawing = _plot(data, columns, unit, axes, joined=kind == "lines")
    told = [[_told(value) for value in row] for row in data]
    names = [columns[0], *(f"{name} ({unit})" if unit else name for name in columns[1:])]
    return picture(drawing, title=title, alt=alt, rows=told, columns=names)


def _check(data: list[list[object]], columns: Sequence[str], kind: str) -> None:
    if kind not in ("bars", "lines", "points"):
        raise NotebookError(f"kind={kind!r}: choose 'bars', 'lines' or 'points'.")
    if not data:
        raise NotebookError("There is nothing to draw: rows is empty.")
    if not 2 <= len(columns) <= SERIES + 1:
        raise NotebookError(
            f"A figure has x and 1 to {SERIES} series; columns names {len(columns)} things. "
            "More could not be told apart: draw a second figure."
        )
    if kind == "bars" and len(data) * (len(columns) - 1) > _MOST_BARS:
        raise NotebookError(f"More than {_MOST_BARS} bars cannot be read. Draw fewer rows.")
    for row in data:
        if len(row) != len(columns):
            raise NotebookError(
                f"The row {row} has {len(row)} values, and columns names {len(columns)}."
            )
        for value in row[kind == "bars" :]:
            if value is not None and _numeric(value) is None:
                raise NotebookError(f"{value!r} in the row {row} is no number.")


def _numeric(value: object) -> float | None:
    if value is None or isinstance(value, str | bool):
        return None
    try:
        return float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return None


def _told(value: object) -> object:
    numeric = _numeric(value)
    return value if numeric is None else number(numeric)


def _bars(data: list[list[object]], columns: Sequence[str], unit: str, *, log: bool) -> Drawing:
    """Bars that lie, so that their names have room."""
    several = len(columns) > 2
    labels = [shortened(str(row[0]), 240) for row in data]
    left = _EDGE + max(width_of(label) for label in labels) + 10
    top = 40.0 if several else 14.0
    group = (len(columns) - 1) * _BAR + _GAP
    bottom = top + group * len(data)
    values = [found for row in data for v in row[1:] if (found := _numeric(v)) is not None]
    room = max((width_of(_with_unit(v, unit)) for v in values), default=0) + 12
    across = scale(values or [0.0], left, _WIDTH - room - 4, log=log, zero=True)
    drawing = Drawing(_WIDTH, bottom + 34)
    if several:
        _legend(drawing, columns[1:], "bars")
    for tick in across.ticks:
        drawing.line(across(tick), top, across(tick), bottom, stroke="soft")
        drawing.text(
            across(tick), bottom + 18, number(tick), fill="quiet", anchor="middle", size=11
        )
    begin = across(across.low if log else 0)
    for index, (label, row) in enumerate(zip(labels, data, strict=True)):
        y = top + index * group + _GAP / 2
        drawing.text(left - 8, y + (group - _GAP) / 2 + 4.5, label, anchor="end")
        for series, value in enumerate(row[1:]):
            found = _numeric(value)
            if found is None:
                drawing.text(begin + 6, y + series * _BAR + 13, "–", fill="quiet")
                continue
            box = (min(begin, across(found)), y + series * _BAR + 1)
            size = (max(abs(across(found) - begin), 1), _BAR - 2)
            drawing.rect(*box, *size, fill=f"s{series}")
            drawing.hatch(*box, *size, series)
            end = max(begin, across(found)) + 6
            drawing.text(end, y + series * _BAR + 13, _with_unit(found, unit), size=12)
    drawing.line(begin, top, begin, bottom)
    return drawing


def _plot(
    data: list[list[object]],
    columns: Sequence[str],
    unit: str,
    axes: dict[str, bool],
    *,
    joined: bool,
) -> Drawing:
    """Lines with markers, or markers alone, each series with its name at its end."""
    several = len(columns) > 2
    points = [
        [
            (x, y)
            for row in data
            if (x := _numeric(row[0])) is not None and (y := _numeric(row[series])) is not None
        ]
        for series in range(1, len(columns))
    ]
    everything = [point for those in points for point in those]
    if not everything:
        raise NotebookError("There is nothing to draw: every value is None.")
    top, bottom = (58.0 if several else 34.0), _HEIGHT - 46.0
    down = scale((y for _, y in everything), bottom, top, log=axes["y"], zero=True)
    left = _EDGE + 8 + max(width_of(number(tick), size=11) for tick in down.ticks)
    across = scale((x for x, _ in everything), left, _WIDTH - 24, log=axes["x"], zero=False)
    drawing = Drawing(_WIDTH, _HEIGHT)
    if several:
        _legend(drawing, columns[1:], "lines" if joined else "points")
    name = f"{columns[1]} ({unit})" if unit else columns[1]
    _axes(drawing, across, down, (columns[0], unit if several else name))
    for series, those in enumerate(points):
        drawn = [(across(x), down(y)) for x, y in sorted(those)]
        if joined and drawn:
            drawing.path(drawn, stroke=f"s{series}", width=2, dash=DASHES[series])
        for x, y in drawn:
            drawing.mark(x, y, series)
    return drawing


def _axes(drawing: Drawing, across: Scale, down: Scale, names: tuple[str, str]) -> None:
    for tick in down.ticks:
        drawing.line(across.start, down(tick), across.end, down(tick), stroke="soft")
        drawing.text(
            across.start - 8, down(tick) + 4, number(tick), fill="quiet", anchor="end", size=11
        )
    for tick in across.ticks:
        drawing.line(across(tick), down.start, across(tick), down.start + 5)
        drawing.text(
            across(tick), down.start + 19, number(tick), fill="quiet", anchor="middle", size=11
        )
    base = down.start if down.log else down(0)
    drawing.line(across.start, base, across.end, base)
    drawing.text((across.start + across.end) / 2, down.start + 38, names[0], anchor="middle")
    drawing.text(_EDGE, down.end - 14, names[1])


def _legend(drawing: Drawing, names: Sequence[str], kind: str) -> None:
    x = float(_EDGE)
    for series, name in enumerate(names):
        if kind == "bars":
            drawing.rect(x, 12, 14, 14, fill=f"s{series}")
            drawing.hatch(x, 12, 14, 14, series)
        else:
            if kind == "lines":
                drawing.line(
                    x - 4, 19, x + 18, 19, stroke=f"s{series}", width=2, dash=DASHES[series]
                )
            drawing.mark(x + 7, 19, series)
        drawing.text(x + 24, 24, name)
        x += 24 + width_of(name) + 26


def _with_unit(value: float, unit: str) -> str:
    return f"{number(value)} {unit}" if unit else number(value)
