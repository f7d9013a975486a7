"""From numbers to pixels: scales of an axis, and the round numbers that are written on it."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from kit.notebook.errors import NotebookError


@dataclass(frozen=True)
class Scale:
    """An axis from ``low`` to ``high`` on pixels from ``start`` to ``end``."""

    low: float
    high: float
    start: float
    end: float
    log: bool
    ticks: tuple[float, ...]

    def __call__(self, value: float) -> float:
        """The pixel of a value."""
        low, high = self.low, self.high
        if self.log:
            low, high, value = math.log10(low), math.log10(high), math.log10(value)
        return self.start + (value - low) / (high - low) * (self.end - self.start)


def scale(values: Iterable[float], start: float, end: float, *, log: bool, zero: bool) -> Scale:
    """A scale on which all these values have a place.

    Args:
        values: at least one.
        start: pixel of the lowest.
        end: pixel of the highest.
        log: each step is ten times the one before.
        zero: begin at 0, as lengths must; a logarithmic scale cannot.

    Raises:
        NotebookError: a logarithmic scale was asked for values that are not above 0.
    """
    found = list(values)
    low, high = min(found), max(found)
    if log:
        if low <= 0:
            msg = "A logarithmic scale has no place for 0 or less. Leave log= out."
            raise NotebookError(msg)
        first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
        last = max(last, first + 1)
        ticks = tuple(10.0**power for power in range(first, last + 1))
        return Scale(ticks[0], ticks[-1], start, end, True, ticks)
    if zero:
        low, high = min(low, 0.0), max(high, 0.0)
    if low == high:
        low, high = (low - 1, high + 1) if low else (0.0, 1.0)
    step = _step((high - low) / 5)
    first, last = math.floor(low / step), math.ceil(high / step)
    ticks = tuple(round(number * step, 10) for number in range(first, last + 1))
    return Scale(ticks[0], ticks[-1], start, end, False, ticks)


def _step(about: float) -> float:
    """The next 1, 2 or 5 with zeros."""
    power = 10.0 ** math.floor(math.log10(about))
    return next(step * power for step in (1, 2, 5, 10) if step * power >= about * 0.999)


def number(value: float | int | None) -> str:
    """A number as people write it: ``12,500``, ``0.25``, ``3.142``."""
    if value is None:
        return "–"
    if float(value).is_integer() and abs(value) < 1e15:
        return f"{int(value):,}"
    digits = max(0, 3 - math.floor(math.log10(abs(value))))
    text = f"{value:,.{min(digits, 6)}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
