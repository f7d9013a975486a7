"""``kit progress``: how far the learner is, from the tracker."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from kit.cli import options
from kit.cli.output import print_json, say

if TYPE_CHECKING:
    from decimal import Decimal

    from rich.console import RenderableType
    from rich.text import Text

    from kit.practice import Progress
    from tracker.analytics.practice import LessonPractice

BAR = 10
"""Characters of a bar of 100 %."""
STEPS = "▁▂▃▄▅▆▇█"
LATEST = 8
"""So many attempts are drawn."""


@click.command("progress")
@click.option(
    "--export",
    "exported",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Write all that you did to a file: .csv has a line for each event, .json every check too.",
)
@options.database("Your server")
@options.course
@options.as_json
def command(*, exported: Path | None, database: str, course: Path | None, as_json: bool) -> int:
    """Show how far you are: exercises, attempts, hints, and how well you predict.

    What you did is noted on this machine and kept in the database “practice” on your own server,
    which is started if need be. Nothing leaves the machine.

    \b
    Examples:
      kit progress
      kit progress --export progress.csv
      kit progress --json
    """
    from kit import home
    from kit.cli.learners import open_learners
    from kit.course import exercise_names, find_root, title_of
    from kit.practice import export, progress_of, refuse_unwritable
    from kit.records import open_records

    root = find_root(named=course)
    if exported is not None:
        refuse_unwritable(exported)
    server = open_learners(database)
    try:
        with open_records(server, home=home.prepare(), root=root, say=say) as records:
            if records.refused:
                say(f"{records.refused} events of the journal are damaged and were left out.")
            progress = progress_of(records, title_of(root), exercise_names(root))
            written = export(records, exported) if exported else 0
    finally:
        server.close()
    if as_json:
        print_json(progress.to_json())
    elif exported:
        click.echo(f"{exported}: {written} {'event' if written == 1 else 'events'}.")
    else:
        _show(progress)
    return 0


def _show(progress: Progress) -> None:
    from rich.console import Group

    from kit.cli.console import KitConsole

    KitConsole().print(Group(*_lines(progress)))


def _lines(progress: Progress) -> Iterator[RenderableType]:
    from rich.text import Text

    of = len(progress.exercises)
    head = Text(progress.course, style="bold")
    head.append(f"   {progress.done} of {of} exercises done", style="not bold")
    yield head
    yield Text()
    yield _table(progress.exercises)
    if not any(one.attempts for one in progress.exercises):
        yield Text("\nYou have checked nothing yet. Begin with kit lab, then: kit check 01.")
    if progress.open:
        yield Text()
    for one in progress.open:
        number = one.slug.removeprefix("exercise-")[:2]
        times = f", in {one.attempts} attempts so far" if one.attempts > 1 else ""
        yield Text(f"Still open: {one.misconception}{times}. A hint: kit hint {number}")
    yield from _predictions(progress)


def _table(exercises: Sequence[LessonPractice]) -> RenderableType:
    from rich.table import Table
    from rich.text import Text

    from grader.reports.text import number

    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), expand=True)
    table.add_column("Exercise", ratio=1, no_wrap=True, overflow="ellipsis")
    table.add_column("Best", no_wrap=True, width=BAR + 6)
    table.add_column("Last", justify="right", no_wrap=True, min_width=5)
    table.add_column("Attempts", no_wrap=True, width=4 + LATEST)
    table.add_column("Hints", justify="right", no_wrap=True, width=5)
    for one in exercises:
        order = one.slug.removeprefix("exercise-")[:2]
        style = "green" if one.completed else "" if one.attempts else "dim"
        last = (
            ""
            if not one.attempts
            else f"{number(float(one.earned or 0))}/{number(float(one.points or 0))}"
        )
        attempts = Text(f"{one.attempts:>3} " if one.attempts else "")
        attempts.append(_steps(one.scores), style="cyan")
        table.add_row(
            Text(f"{order} {one.title}", style=style),
            _bar(one.best_score) if one.attempts else Text(),
            Text(last),
            attempts,
            Text(str(one.hints or "")),
        )
    return table


def _bar(percent: Decimal | None) -> Text:
    from rich.text import Text

    share = float(percent or 0)
    full = int(share * BAR / 100)
    text = Text("█" * full, style="green" if share == 100 else "yellow")
    text.append("░" * (BAR - full), style="dim")
    return text.append(f" {int(share):>3} %", style="default")


def _steps(percents: Sequence[Decimal]) -> str:
    """The latest attempts, the height of each by its percentage."""
    top = len(STEPS) - 1
    return "".join(STEPS[int(float(percent) * top / 100)] for percent in percents[-LATEST:])


def _predictions(progress: Progress) -> Iterator[RenderableType]:
    from rich.table import Table
    from rich.text import Text

    if not progress.predictions:
        return
    known = progress.calibration
    yield Text()
    if not known.bins:
        yield Text(f"Predictions: {progress.predictions}, none of them compared yet.")
        return
    yield Text(f"Predictions: {known.predictions} compared. {_in_a_sentence(progress)}")
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 2))
    table.add_column("How sure you were", no_wrap=True)
    table.add_column("How often you were right", no_wrap=True)
    for one in known.bins:
        right = round(one.predictions * one.percent_right / 100)
        bar = _bar(one.percent_right)
        bar.append(f"  {right} of {one.predictions}", style="dim")
        table.add_row(Text(f"{one.lowest} to {one.highest} %"), bar)
    yield table


def _in_a_sentence(progress: Progress) -> str:
    known = progress.calibration
    sure = float(sum(b.mean_confidence * b.predictions for b in known.bins)) / known.predictions
    right = float(sum(b.percent_right * b.predictions for b in known.bins)) / known.predictions
    told = f"You were {sure:.0f} % sure on average, and right in {right:.0f} %"
    if abs(sure - right) <= 10:
        return f"{told}: you know well how much you know."
    than = "surer than you were right" if sure > right else "right more often than you thought"
    return f"{told}: {than}."
