"""The geometry of the histogram of points, in the units of its view box."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from grader.reports.text import counted

_STEP = 46
_GAP = 6
_TOP = 22
_TALL = 130
_BELOW = 44


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar of ten percent."""

    x: float
    middle: float
    y: float
    height: float
    count: int
    label: str
    range: str
    """The bar's range in words."""


@dataclass(frozen=True, slots=True)
class Histogram:
    """All that a template needs to draw it."""

    bars: tuple[Bar, ...]
    width: int
    height: int = _TOP + _TALL + _BELOW
    base: int = _TOP + _TALL
    bar_width: int = _STEP - _GAP

    @property
    def description(self) -> str:
        """What the bars show, in a sentence."""
        said = (f"{bar.range}: {counted(bar.count, 'student')}" for bar in self.bars if bar.count)
        return f"{', '.join(said)}."


def histogram(bins: Sequence[int]) -> Histogram:
    """Draw how many students are in each ten percent.

    Args:
        bins: counts from ``ClassSummary.distribution``.
    """
    tallest = max(*bins, 1)
    bars = tuple(_bar(i, count, tallest, last=i == len(bins) - 1) for i, count in enumerate(bins))
    return Histogram(bars, width=_STEP * len(bins))


def _bar(i: int, count: int, tallest: int, *, last: bool) -> Bar:
    height = round(_TALL * count / tallest, 1)
    end = 10 * i + 10
    return Bar(
        x=i * _STEP + _GAP / 2,
        middle=i * _STEP + _STEP / 2,
        y=round(_TOP + _TALL - height, 1),
        height=height,
        count=count,
        label=f"{10 * i}\u2013{end if last else end - 1}",
        range=f"{10 * i} to {end} %" if last else f"{10 * i} to under {end} %",
    )
