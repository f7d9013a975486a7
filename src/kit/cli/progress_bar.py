"""How far long work is: a bar on a terminal, a few plain lines elsewhere."""

from __future__ import annotations

import contextlib
import os
import sys
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
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(what, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def _lines(what: str) -> Callable[[int, int], None]:
    told = 0

    def show(done: int, total: int) -> None:
        nonlocal told
        part = done * PARTS // total if total else PARTS
        if part > told and total >= 5 * PARTS:
            told = part
            say(f"{done} of {total} {what} done.")

    return show
