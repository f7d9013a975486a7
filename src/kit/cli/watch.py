"""``kit watch``: the learner's own work, checked whenever it is saved."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from kit.cli import options
from kit.cli.output import quiet_children, say

if TYPE_CHECKING:
    from rich.text import Text

    from grader.gathered import Found
    from grader.reports.marks import Mark
    from grader.results import CheckResult, ExerciseResult, Grading
    from kit.watching import Difference, Watched

_NAMED = 3
"""How many checks that have become right, or wrong, are named above a report."""


@click.command("watch")
@click.argument("exercise", required=False, type=options.Exercise(), metavar="[EXERCISE]")
@click.option(
    "--all", "everything", is_flag=True, help="Show every failure in full, not only the first."
)
@options.database("Where the databases of the checks live")
@options.sandbox
@options.seed
@options.course
def command(
    *,
    exercise: str | None,
    everything: bool,
    database: str,
    sandbox: str,
    seed: int | None,
    course: Path | None,
) -> None:
    """Check your work each time you save it.

    Shows what kit check shows, and before that what has become right or wrong since the last time.
    The checks that were wrong then are run first, and you see at once what has become of them.
    EXERCISE is a number (04), a name (repository, 04_repository) or a path. Without one: the
    exercise in whose folder you are, or else each one that you save a file of. Ctrl-C ends it.

    \b
    Examples:
      kit watch 04
      kit watch
    """
    from kit.course import exercise_here, exercise_names, find_root, resolve
    from kit.watching import Watched

    root = find_root(named=course)
    asked = [exercise] if exercise else [here] if (here := exercise_here(root)) else []
    chosen = resolve(root, asked)
    watched = Watched(root, chosen or exercise_names(root))
    session = _Session(
        root, watched, everything=everything, database=database, sandbox=sandbox, seed=seed
    )
    if chosen:
        session.check(chosen)
    else:
        say("Save a file in one of your exercises, and it is checked. Ctrl-C ends this.")
    while True:
        session.check(session.wait())


class _Session:
    """What stays the same while somebody watches, and what was found last."""

    def __init__(
        self,
        root: Path,
        watched: Watched,
        *,
        everything: bool,
        database: str,
        sandbox: str,
        seed: int | None,
    ) -> None:
        from kit.cli.console import KitConsole
        from kit.watching import Verdicts

        self._root = root
        self._watched = watched
        self._everything = everything
        self._database, self._sandbox, self._seed = database, sandbox, seed
        self._verdicts = Verdicts()
        self._shown: Grading | None = None
        self._console = KitConsole()
        self._on_terminal = sys.stdout.isatty()

    def wait(self) -> list[str]:
        """Wait until something was saved; the exercises that it belongs to."""
        from kit import home
        from kit.standby import client

        with client.stay(home.location()):
            return self._watched.wait()

    def check(self, exercises: list[str]) -> None:
        """Check exercises and show what was found. What is wrong with the course or the machine is
        told, and may be better the next time; what is saved meanwhile is checked instead.
        """
        from kit.cli.endings import ending_of
        from kit.journal import note_check
        from kit.standby.client import Outdated

        while True:
            try:
                grading = self._checked(exercises)
                break
            except Outdated:
                exercises = [*dict.fromkeys([*exercises, *self._watched.note()])]
            except Exception as error:
                self._begin(exercises)
                say(ending_of(error).message)
                return
        self._begin(exercises)
        # First: whoever has seen the result may press Ctrl-C at once.
        note_check(grading, say, everything=self._everything)
        self._show(grading)

    def _checked(self, exercises: list[str]) -> Grading:
        from kit.checking import check

        with quiet_children():
            return check(
                exercises,
                course_root=self._root,
                database=self._database,
                sandbox=self._sandbox,
                seed=self._seed,
                say=say,
                first=self._verdicts.failing(),
                found=self._glimpse(exercises),
                outdated=self._watched.changed,
            ).grading

    def _glimpse(self, exercises: list[str]) -> Found:
        """Shows the first thing found that is wrong or newly right, until everything is known."""
        from grader.reports.marks import PASSED
        from grader.reports.tutor import failure_report
        from grader.results import Outcome

        before = self._shown if self._on_terminal else None

        def found(exercise: str, check: CheckResult) -> None:
            nonlocal before
            right = self._verdicts.is_newly_right(exercise, check)
            if before is None or not (right or check.outcome is Outcome.FAILED):
                return
            misconceptions, before = before.misconceptions, None
            self._begin(exercises)
            self._console.print()
            if right:
                self._console.print(*_named(PASSED, "Now right", [check.title]))
            else:
                self._console.print(failure_report(check, misconceptions))
            self._console.print("\nThe other checks are still running …", style="dim")

        return found

    def _begin(self, exercises: list[str]) -> None:
        """A line above each report; on a terminal the report has the screen for itself."""
        if self._on_terminal:
            click.clear()
        click.echo(f"{time.strftime('%H:%M:%S')}  {', '.join(exercises)}")

    def _show(self, grading: Grading) -> None:
        from grader.reports.tutor import check_report

        self._shown = grading
        differences = self._verdicts.compare(grading)
        for submission in grading.submissions:
            for result in submission.exercises:
                self._console.print()
                if self._show_difference(result, differences):
                    self._console.print()
                report = check_report(result, grading.misconceptions, all=self._everything)
                self._console.print(report)
        sys.stdout.flush()

    def _show_difference(
        self, result: ExerciseResult, differences: Mapping[str, Difference]
    ) -> bool:
        """What is newly right and newly wrong; whether there was something to show."""
        from rich.text import Text

        from grader.reports.marks import FAILED, PASSED
        from kit.checking import praise

        difference = differences.get(result.exercise)
        lines: list[Text] = []
        if difference:
            lines += _named(PASSED, "Now right", difference.newly_right)
            lines += _named(FAILED, "No longer right", difference.newly_wrong)
        news = difference is None or bool(difference.newly_right)
        if news and (said := praise(result, self._root)):
            lines.append(Text(said, PASSED.color))
        for line in lines:
            self._console.print(line)
        return bool(lines)


def _named(mark: Mark, what: str, titles: Sequence[str]) -> Iterator[Text]:
    """A line for each of the first few; the report below tells of all of them."""
    from rich.text import Text

    from grader.reports.text import counted, one_line

    for title in titles[:_NAMED]:
        yield Text(f"{mark.symbol} {what}: {one_line(title)}", mark.color)
    if (more := len(titles) - _NAMED) > 0:
        yield Text(f"{mark.symbol} {what}: {counted(more, 'more check')}", mark.color)
