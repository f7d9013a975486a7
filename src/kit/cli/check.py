"""``kit check``: the learner's own work."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from kit.cli import options
from kit.cli.output import print_json, quiet_children, say

if TYPE_CHECKING:
    from grader.results import Grading


@click.command("check")
@click.argument("exercises", nargs=-1, type=options.Exercise(), metavar="[EXERCISE]...")
@click.option(
    "--all", "everything", is_flag=True, help="Show every failure in full, not only the first."
)
@options.database("Where the databases of the checks live")
@options.sandbox
@options.seed
@options.course
@options.as_json
@options.timings
def command(
    *,
    exercises: tuple[str, ...],
    everything: bool,
    database: str,
    sandbox: str,
    seed: int | None,
    course: Path | None,
    as_json: bool,
    timings: bool,
) -> int:
    """Check your own work in exercises/.

    EXERCISE is a number (04), a name (repository, 04_repository) or a path. Without one: the
    exercise in whose folder you are, or else all of them. Exit code 1 if something is still to do.

    \b
    Examples:
      kit check 04
      kit check repository --all
      kit check --timings
    """
    from kit.cli.progress_bar import progress
    from kit.cli.stopwatch import Stopwatch
    from kit.course import exercise_here, find_root, resolve
    from kit.journal import note_check

    watch = Stopwatch()
    root = find_root(named=course)
    chosen = resolve(root, exercises)
    if not exercises and (here := exercise_here(root)):
        chosen = [here]

    from kit.checking import check

    with quiet_children(), progress("checks") as told:
        checked = check(
            chosen,
            course_root=root,
            database=database,
            sandbox=sandbox,
            seed=seed,
            say=say,
            progress=told,
        )
    grading = checked.grading
    watch.lap("run the checks")
    watch.split("run the checks", checked.seconds)
    # First: whoever has seen the result may press Ctrl-C at once.
    note_check(grading, say, everything=everything)
    if as_json:
        from grader.results import to_json

        print_json(to_json(grading))
    else:
        _show(grading, root, everything=everything)
    if timings:
        watch.lap("show the result")
        watch.show()
    return exit_code(grading)


def _show(grading: Grading, root: Path, *, everything: bool) -> None:
    """Each exercise as a tutor would talk it through."""
    from grader.reports.marks import PASSED
    from grader.reports.terminal import check_report
    from kit.checking import praise
    from kit.cli.console import KitConsole

    console = KitConsole()
    results = [result for submission in grading.submissions for result in submission.exercises]
    for number, result in enumerate(results):
        if number:
            console.print()
        console.print(check_report(result, grading.misconceptions, all=everything))
        if said := praise(result, root):
            console.print(f"\n{said}", style=PASSED.color, markup=False, highlight=False)


def exit_code(grading: Grading) -> int:
    """0 where every check passed, 1 where one did not, 3 where the kit was at fault for one."""
    if any(submission.has_errors for submission in grading.submissions):
        return 3
    results = [result for submission in grading.submissions for result in submission.exercises]
    return 0 if all(result.earned == result.points for result in results) else 1
