"""One exercise as a tutor would talk it through, for a terminal.

Submissions speak here too: everything goes through `rich.text.Text`, never through markup.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from grader.reports.inert import Inert
from grader.reports.marks import ERROR, WHAT_HAPPENED, Mark, mark_of_check
from grader.reports.sent import SentGroup, grouped
from grader.reports.text import counted, first_sentence, legible, number, one_line
from grader.results import CheckResult, ExerciseResult, Failure, Misconception, Outcome, Reason

_NEXT = {
    Reason.CHECK: "Whoever wrote the exercise must mend that line, and needs this message.",
    Reason.KIT: "Run kit doctor, then check again.",
}
"""What to do where nothing could be judged."""
_STATEMENTS = 6
_LINES = 12
"""Of a traceback and of output."""


def check_report(
    exercise: ExerciseResult,
    misconceptions: Mapping[str, Misconception],
    all: bool = False,
) -> RenderableType:
    """One exercise for its learner: the first failure in full, the rest in a line each.

    Args:
        exercise: the results.
        misconceptions: what is known of each, by id (``Grading.misconceptions``).
        all: show every failure in full.
    """
    return Inert(Group(*_report(exercise, misconceptions, everything=all)))


def failure_report(
    check: CheckResult, misconceptions: Mapping[str, Misconception]
) -> RenderableType:
    """One failure in full, as `check_report` shows the first one."""
    return Inert(Group(*_failing(check, misconceptions)))


def praise(exercise: ExerciseResult, worth: float | None) -> str:
    """What is said to a learner who has passed every check there is here.

    Args:
        exercise: the results.
        worth: the exercise's points with the checks that only instructors hold; None if unknown.
    """
    one = len(exercise.checks) == 1
    said = (
        f"{'The check is' if one else f'All {len(exercise.checks)} checks are'} right. Well done!"
    )
    task = f"stands in exercises/{one_line(exercise.exercise)}/README.md: read it once more."
    if worth is None:
        return f"{said}\nThere may be checks that you cannot see. What they ask for {task}"
    if (hidden := worth - exercise.points) <= 0:
        return said
    return (
        f"{said}\n{'It brings' if one else 'They bring'} {number(exercise.points)} of "
        f"{_points(worth)}. The other {number(hidden)} {'is' if hidden == 1 else 'are'} for checks "
        f"that you cannot see. What they ask for {task}"
    )


def told_in_full(exercise: ExerciseResult, *, all: bool = False) -> list[CheckResult]:
    """The failures that `check_report` shows with all that is known of them."""
    groups = _by_failure(_by(exercise, Outcome.FAILED))
    return [check for check, *_ in (groups if all else groups[:1])]


def _report(
    exercise: ExerciseResult, misconceptions: Mapping[str, Misconception], *, everything: bool
) -> Iterator[RenderableType]:
    yield _heading(exercise)
    if not exercise.handed_in:
        yield Text("Nothing was handed in for this exercise yet.")
        return
    for check in _by(exercise, Outcome.ERROR):
        yield Text()
        yield from _error(check)
    groups = _by_failure(_by(exercise, Outcome.FAILED))
    shown = groups if everything else groups[:1]
    for check, *same in shown:
        yield Text()
        yield from _failing(check, misconceptions)
        if same:
            yield Text(f"\n{counted(len(same), 'more check')} for the same reason:")
            yield from (_line(other) for other in same)
    rest = [check for group in groups[len(shown) :] for check in group]
    if rest:
        yield Text()
        yield Text(f"{counted(len(rest), 'more check')} not right yet (--all shows them in full):")
        for check in rest:
            yield _line(check, first_sentence(check.failure.message) if check.failure else "")
    passing = _by(exercise, Outcome.PASSED)
    if passing:
        yield Text()
        for check in passing:
            yield _line(check)


def _heading(exercise: ExerciseResult) -> Text:
    text = Text(f"{one_line(exercise.exercise)}  ", style="bold")
    text.append(one_line(exercise.title))
    if exercise.handed_in:
        text.append(f"  {number(exercise.earned)} of {_points(exercise.points)}", style="bold")
        passed = len(_by(exercise, Outcome.PASSED))
        text.append(f", {passed} of {counted(len(exercise.checks), 'check')}", style="dim")
    return text


def _by(exercise: ExerciseResult, outcome: Outcome) -> list[CheckResult]:
    return [check for check in exercise.checks if check.outcome is outcome]


def _by_failure(checks: list[CheckResult]) -> list[list[CheckResult]]:
    """The checks that fail for the very same reason together, in the order of the first of each."""
    groups: dict[object, list[CheckResult]] = {}
    for check in checks:
        groups.setdefault(check.failure or check.name, []).append(check)
    return list(groups.values())


def _line(check: CheckResult, note: str = "") -> RenderableType:
    """One check in a line, or in a hanging paragraph where the terminal is narrow."""
    text = Text(one_line(check.title))
    if note:
        text.append(f": {note}", style="dim")
    return _hanging(mark_of_check(check), text)


def _hanging(mark: Mark, text: Text) -> Table:
    grid = Table.grid(padding=(0, 1, 0, 0))
    grid.add_column(width=1)
    grid.add_column()
    grid.add_row(Text(mark.symbol, style=mark.color), text)
    return grid


def _points(points: float) -> str:
    return f"{number(points)} {'point' if points == 1 else 'points'}"


def _error(check: CheckResult) -> Iterator[RenderableType]:
    title = Text(one_line(check.title), style="bold")
    title.append(f"  {_points(check.points)} still open", style=ERROR.color)
    yield _hanging(ERROR, title)
    reason = check.failure.reason if check.failure else Reason.KIT
    said = Text(f"{WHAT_HAPPENED[reason]}. ", style=ERROR.color)
    if check.failure:
        said.append(legible(check.failure.message), style="default")
    yield _indented(said)
    yield _indented(Text(_NEXT[reason]))


def _failing(
    check: CheckResult, misconceptions: Mapping[str, Misconception]
) -> Iterator[RenderableType]:
    title = Text(one_line(check.title), style="bold")
    title.append(f"  {number(check.earned)} of {_points(check.points)}", style="dim")
    yield _hanging(mark_of_check(check), title)
    if check.failure:
        for part in _failure(check.failure, misconceptions):
            yield _indented(part)
    if check.output:
        yield _indented(_labelled("Your code printed:", _first_lines(check.output)))


def _failure(
    failure: Failure, misconceptions: Mapping[str, Misconception]
) -> Iterator[RenderableType]:
    said = Text()
    if failure.reason is not Reason.ASSERTION:
        said.append(f"{WHAT_HAPPENED[failure.reason]}. ", style="bold")
    said.append(legible(failure.message))
    if failure.location:
        said.append(f" ({one_line(failure.location)})", style="dim")
    yield said
    if failure.traceback:
        yield _labelled("Where:", _last_lines(failure.traceback))
    if failure.expected or failure.actual:
        yield _pair(failure)
    if failure.statements:
        yield Group(*_statements(failure))
    if failure.question:
        yield Text(legible(failure.question), style="italic")
    if failure.misconception:
        yield _reading(failure.misconception, misconceptions.get(failure.misconception))


def _pair(failure: Failure) -> Table:
    grid = Table.grid(padding=(0, 2, 0, 0))
    grid.add_column(style="dim")
    grid.add_column()
    if failure.expected:
        grid.add_row("Expected", Text(legible(failure.expected)))
    if failure.actual:
        grid.add_row("Found", Text(legible(failure.actual)))
    return grid


def _statements(failure: Failure) -> Iterator[RenderableType]:
    total = max(failure.statements_total, len(failure.statements))
    groups = grouped(failure.statements)
    yield Text(f"SQL that PostgreSQL received ({counted(total, 'statement')}):", style="dim")
    for group in groups[:_STATEMENTS]:
        yield Padding(_statement(group), (0, 0, 0, 2))
    shown = sum(group.times for group in groups[:_STATEMENTS])
    if shown < total:
        yield Padding(Text(f"… {total - shown} more", style="dim"), (0, 0, 0, 2))


def _statement(group: SentGroup) -> Text:
    text = Text(legible(group.sql, 2000), style="cyan")
    if group.times > 1:
        text.append(f"  × {group.times}", style="bold")
    if group.sqlstate:
        text.append(f"  failed: {group.sqlstate}", style="red")
    if group.parameters:
        more = ", …" if len(set(group.parameters)) > 1 else ""
        text.append(f"\n    with {one_line(group.parameters[0])}{more}", style="dim")
    return text


def _reading(id_: str, known: Misconception | None) -> Text:
    text = Text("This often comes from a misconception: ")
    text.append(f"“{one_line(known.title)}”" if known else one_line(id_), style="bold")
    if known and known.notebook:
        text.append(f"\nRead on in the notebook {one_line(known.notebook)}.")
    return text


def _labelled(label: str, content: str) -> RenderableType:
    return Group(Text(label, style="dim"), Padding(Text(content), (0, 0, 0, 2)))


def _last_lines(text: str) -> str:
    lines = legible(text).splitlines()
    kept = lines[-_LINES:]
    return "\n".join(["…", *kept] if len(kept) < len(lines) else kept)


def _first_lines(text: str) -> str:
    lines = legible(text).splitlines()
    kept = lines[:_LINES]
    return "\n".join([*kept, "…"] if len(kept) < len(lines) else kept)


def _indented(content: RenderableType) -> Padding:
    return Padding(content, (0, 0, 0, 2))
