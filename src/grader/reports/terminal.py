"""What a terminal shows of a class: a table; of an exercise: see `grader.reports.tutor`.

Everything goes through `rich.text.Text`, never through markup, so that brackets in a submission
stay brackets; symbols and words carry the meaning, so that nothing is lost without color.
"""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import Console, Group
from rich.table import Table
from rich.text import Text

from grader.reports.inert import Inert
from grader.reports.marks import ERROR, FAILED, mark_of_exercise
from grader.reports.score_words import score_lines
from grader.reports.summary import ClassSummary, ExerciseSummary, Standing
from grader.reports.text import counted, number, one_line
from grader.reports.tutor import check_report
from grader.results import Grading

__all__ = ["check_report", "class_table", "print_class_table"]

_NAMED = 3
"""Up to this many exercises fit into 80 columns with their names over their points."""
_COUNTED = 8
"""Up to this many fit with their points; of more, only the symbols do."""
_PARTLY = "~"
_FREQUENT = 5


def class_table(grading: Grading) -> Table:
    """Students by exercises: points, total, and the misconceptions found.

    Args:
        grading: the class.
    """
    summary = ClassSummary(grading)
    few = len(summary.exercises) <= _NAMED
    table = Table(box=None, pad_edge=False, padding=(0, 2 if few else 1, 0, 0))
    table.add_column("Student", overflow="ellipsis", no_wrap=True, min_width=12, max_width=24)
    for exercise in summary.exercises:
        table.add_column(_head(exercise, named=few), justify="right", no_wrap=True, min_width=2)
    total = Text(f"Total\n/{number(summary.points)}" if few else "Total")
    table.add_column(total, justify="right", no_wrap=True, min_width=5)
    # It may be wrapped as far as rich knows: so it is the one that gives way, and no other is lost.
    table.add_column("Misconceptions", overflow="ellipsis", ratio=1, min_width=8)
    for standing in summary.standings:
        table.add_row(*_cells(standing, summary))
    return table


def print_class_table(grading: Grading, console: Console | None = None) -> None:
    """Print `class_table`, what its symbols mean, and which misconceptions are most frequent.

    Args:
        grading: the class.
        console: where to; standard output if not given.
    """
    console = console or Console()
    summary = ClassSummary(grading)
    console.print(Inert(Group(class_table(grading), Text(), *_below(summary))))


def _below(summary: ClassSummary) -> Iterator[Text]:
    yield _legend(summary)
    if summary.median is not None:
        students = counted(len(summary.standings), "student")
        yield Text(f"{students}, median {number(summary.median)} % of the points")
    if summary.grading.scores:
        yield from (Text(line) for line in score_lines(summary.grading.scores))
    frequent = [f"{m.misconception.id} ({len(m.students)})" for m in summary.misconceptions()]
    if frequent:
        more = ["…"] if len(frequent) > _FREQUENT else []
        yield Text(one_line(f"Most frequent: {', '.join(frequent[:_FREQUENT] + more)}"))


def _head(exercise: ExerciseSummary, *, named: bool) -> Text:
    order, _, name = one_line(exercise.name).partition("_")
    if not named:
        return Text(order)
    return Text("\n".join([order, name, f"/{number(exercise.points)}"]))


def _legend(summary: ClassSummary) -> Text:
    legend = Text("✓ all points   ✗ no points   – not handed in")
    if len(summary.exercises) > _COUNTED:
        legend.append(f"   {_PARTLY} some points")
    if len(summary.final) < len(summary.standings):
        legend.append("   ! not judged: not final", style=ERROR.color)
    return legend


def _cells(standing: Standing, summary: ClassSummary) -> Iterator[Text]:
    with_points = len(summary.exercises) <= _COUNTED
    yield Text(one_line(standing.submission.student))
    for exercise in summary.exercises:
        result = standing.results.get(exercise.name)
        mark = mark_of_exercise(result, exercise.points)
        points = number(result.earned) if result and result.handed_in else ""
        shown = f"{mark.symbol} {points}".strip() if with_points else mark.symbol or _PARTLY
        yield Text(shown, style=mark.color)
    yield Text(f"{'' if standing.final else '! '}{number(standing.submission.earned)}", "bold")
    found = _found(standing)
    if len(summary.exercises) > _NAMED:
        found.no_wrap, found.overflow = True, "ellipsis"
    yield found


def _found(standing: Standing) -> Text:
    """Why a submission has nothing, and what its author seems to believe."""
    if standing.submission.problem:
        return Text(f"could not be read: {one_line(standing.submission.problem)}")
    found = Text(one_line(standing.nothing), style=FAILED.color)
    if standing.nothing and standing.misconceptions:
        found.append(", ")
    return found.append(one_line(", ".join(standing.misconceptions)), "default")
