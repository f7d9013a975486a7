"""How far long work is: a bar on a terminal, a few plain lines elsewhere."""

from __future__ import annotations

import contextlib
import os
import sys
import time
from collections.abc import Callable, Iterator

from kit.cli.output import say

PARTS = 4
"""How many lines are written where there is no terminal."""


@contextlib.contextmanager
def progress(what: str) -> Iterator[Callable[[int, int], None]]:
    """Give a function that is told how many are done, of how many; shows it on standard error.

    Args:
        what: what is counted, in the plural (``checks``).
    """
    with contextlib.ExitStack() as stack:
        show: Callable[[int, int], None] | None = None

        def tell(done: int, total: int) -> None:
            nonlocal show
            if show is None:  # only now: nothing else is written from here on
                show = stack.enter_context(_bar(what)) if on_terminal() else _lines(what)
            show(done, total)

        yield tell


def on_terminal() -> bool:
    """Whether standard error is a terminal that can redraw a line."""
    return sys.stderr.isatty() and not os.environ.get("CI") and os.environ.get("TERM") != "dumb"


@contextlib.contextmanager
def _bar(what: str) -> Iterator[Callable[[int, int], None]]:
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        ProgressColumn,
        Task,
        TextColumn,
        TimeRemainingColumn,
    )
    from rich.text import Text

    class Rate(ProgressColumn):
        """How many a second, of late."""

        def render(self, task: Task) -> Text:
            return Text(f"{_rate(task.speed)} a second" if task.speed else "")

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        Rate(),
        TimeRemainingColumn(compact=True),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(what, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def _lines(what: str, clock: Callable[[], float] = time.monotonic) -> Callable[[int, int], None]:
    """A line for each quarter.

    Args:
        what: what is counted.
        clock: seconds since any moment.
    """
    told = 0
    began: tuple[float, int] | None = None

    def show(done: int, total: int) -> None:
        nonlocal told, began
        now = clock()
        if began is None:  # what is done by now may have been taken over from earlier work
            began = now, done
        part = done * PARTS // total if total else PARTS
        if part > told and total >= 5 * PARTS:
            told = part
            seconds, new = now - began[0], done - began[1]
            pace = _pace(new / seconds, total - done) if seconds > 0 and new else ""
            say(f"{done} of {total} {what} done{pace}.")

    return show


def _pace(rate: float, left: int) -> str:
    """The rate, and the time that what is left takes at it.

    Args:
        rate: how many are done each second.
        left: how many are to be done.
    """
    told = f", {_rate(rate)} a second"
    if not left:
        return told
    seconds = left / rate
    if seconds < 90:
        return f"{told}, about {max(round(seconds), 1)} s left"
    return f"{told}, about {round(seconds / 60)} min left"


def _rate(rate: float) -> str:
    return f"{rate:.0f}" if rate >= 10 else f"{rate:.1f}"
