"""An exercise and its results, as a cell shows them: the first failure open, the rest folded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from io import StringIO
from pathlib import Path

from rich.console import Console

from grader.catalog import CheckSpec, Exercise
from grader.reports.marks import WHAT_HAPPENED, mark_of_check
from grader.reports.terminal import check_report
from grader.reports.text import counted, legible, number, one_line
from grader.results import (
    CheckResult,
    ExerciseResult,
    Failure,
    Grading,
    Misconception,
    Outcome,
    Reason,
)
from kit.checking import praise
from kit.notebook.showing import Shown, framed
from kit.notebook.sql_text import formatted, highlighted

_WIDTH = 92
_MOST_STATEMENTS = 6


def task(exercise: Exercise, checks: Sequence[CheckSpec], file: str) -> Shown:
    """What an exercise asks for, before anything is written.

    Args:
        file: the one of its answer files that the cell is for.
    """
    folder = f"exercises/{exercise.name}"
    head = f"{exercise.name}: {exercise.title}"
    points = number(sum(one.points for one in checks))
    about = (
        f"About {exercise.minutes} minutes, {points} points. What to do stands in "
        f"{folder}/README.md. Write {file} in this cell, or edit the file in {folder}."
    )
    items = "".join(f"<li>{escape(one.title)}</li>" for one in checks)
    html = (
        f"<p><strong>{escape(head)}</strong></p><p>{escape(about)}</p>"
        f"<details><summary>What is checked</summary><ul>{items}</ul></details>"
    )
    text = "\n".join([head, about, "What is checked", *(f"- {one.title}" for one in checks)])
    return Shown(text, framed("exercise", html))


def results(grading: Grading, note: str = "", *, course_root: Path) -> Shown:
    """The results of a check of one exercise.

    Args:
        grading: what ``kit check`` found.
        note: a line that stands above them.
        course_root: the folder of the course.
    """
    [result] = [one for submission in grading.submissions for one in submission.exercises]
    done = result.earned == result.points
    said = praise(result, course_root)
    blocks = [f"<p>{escape(note)}</p>" if note else "", _heading(result)]
    failed = [check for check in result.checks if check.outcome is not Outcome.PASSED]
    passed = [check for check in result.checks if check.outcome is Outcome.PASSED]
    for index, check in enumerate(failed):
        blocks.append(_failed(check, grading.misconceptions, unfolded=index == 0))
    blocks += [f"<p>{_title(check)}</p>" for check in passed]
    blocks += [f"<p>{escape(line)}</p>" for line in said.splitlines()]
    html = "".join(blocks)
    look = "good" if done else "bad"
    text = "\n".join(filter(None, [note, _text(result, grading), said]))
    return Shown(text, framed("exercise", html, look=look))


def _text(result: ExerciseResult, grading: Grading) -> str:
    """The same as a terminal shows it."""
    out = StringIO()
    # Not in Jupyter: there Rich would show the text itself, in colors of its own.
    console = Console(
        file=out, width=_WIDTH, color_system=None, legacy_windows=False, force_jupyter=False
    )
    console.print(check_report(result, grading.misconceptions, all=True))
    return "\n".join(line.rstrip() for line in out.getvalue().splitlines())


def _heading(result: ExerciseResult) -> str:
    passed = sum(check.outcome is Outcome.PASSED for check in result.checks)
    told = (
        f"{number(result.earned)} of {number(result.points)} points, "
        f"{passed} of {counted(len(result.checks), 'check')}"
    )
    name = f"{one_line(result.exercise)}: {one_line(result.title)}"
    return f"<p><strong>{escape(name)}</strong> · {escape(told)}</p>"


def _title(check: CheckResult) -> str:
    mark = mark_of_check(check)
    return f"{mark.symbol} {escape(one_line(check.title))}"


def _failed(
    check: CheckResult, misconceptions: Mapping[str, Misconception], *, unfolded: bool
) -> str:
    points = f"{number(check.earned)} of {number(check.points)} points"
    parts = _failure(check.failure, misconceptions) if check.failure else []
    if check.output:
        parts.append(f"<p>Your code printed:</p><pre>{escape(legible(check.output, 2000))}</pre>")
    opened = " open" if unfolded else ""
    return (
        f'<details{opened}><summary>{_title(check)} <span class="kit-note">{points}</span>'
        f'</summary><div class="kit-inner">{"".join(parts)}</div></details>'
    )


def _failure(failure: Failure, misconceptions: Mapping[str, Misconception]) -> list[str]:
    said = legible(failure.message)
    if failure.reason is not Reason.ASSERTION:
        said = f"{WHAT_HAPPENED[failure.reason]}. {said}"
    where = f" ({one_line(failure.location)})" if failure.location else ""
    parts = [f"<p>{escape(said + where)}</p>"]
    if failure.traceback:
        parts.append(f"<pre>{escape(legible(failure.traceback, 2000))}</pre>")
    pairs = [("Expected", failure.expected), ("Found", failure.actual)]
    rows = "".join(
        f'<tr><th scope="row">{name}</th><td>{escape(legible(value, 2000))}</td></tr>'
        for name, value in pairs
        if value
    )
    if rows:
        parts.append(f"<table><tbody>{rows}</tbody></table>")
    parts += _statements(failure)
    if failure.question:
        parts.append(f'<p class="kit-claim">{escape(legible(failure.question))}</p>')
    if known := misconceptions.get(failure.misconception or ""):
        parts.append(
            f"<p>Read on: {escape(one_line(known.title))} "
            f"(docs/misconceptions/{escape(known.id)}.md)</p>"
        )
    return parts


def _statements(failure: Failure) -> list[str]:
    if not failure.statements:
        return []
    shown = failure.statements[:_MOST_STATEMENTS]
    total = max(failure.statements_total, len(failure.statements))
    items = "".join(
        f'<li><pre class="kit-sql">{highlighted(formatted(legible(one.sql, 2000)))}</pre>'
        + (f"✗ failed with SQLSTATE {escape(one.sqlstate)}" if one.sqlstate else "")
        + "</li>"
        for one in shown
    )
    head = f"What PostgreSQL received ({len(shown)} of {counted(total, 'statement')})"
    return [f"<details><summary>{escape(head)}</summary><ol>{items}</ol></details>"]
