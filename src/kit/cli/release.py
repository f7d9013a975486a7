"""``kit release``: what students get."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from kit.cli import options
from kit.cli.output import quiet_children, say
from kit.errors import WrongUsage

if TYPE_CHECKING:
    from grader.catalog import Course


@click.command("release")
@click.argument("target", metavar="TARGET", type=click.Path(path_type=Path))
@click.option(
    "--exercise",
    "exercises",
    multiple=True,
    type=options.Exercise(),
    metavar="NAME",
    help="Only this exercise. May be given several times.",
)
@click.option(
    "--gradescope",
    is_flag=True,
    help="Make the autograder for Gradescope, hidden checks included: not for students.",
)
@options.course
def command(
    *, target: Path, exercises: tuple[str, ...], gradescope: bool, course: Path | None
) -> int:
    """Make the bundle for students: exercises, notebooks, pages. No solution, no hidden check.

    TARGET is a folder that is not there yet, or a file that ends in .zip. Before anything is
    written the bundle is searched for what only instructors hold, and every starter is graded: one
    that earns points is somebody's answer. Exit code 1 if something is found; then nothing is
    written.

    With --gradescope the archive is for Gradescope, to be uploaded as an assignment's autograder.

    \b
    Examples:
      kit release students/
      kit release week3.zip --exercise 04 --exercise 08
      kit release autograder.zip --gradescope --exercise 04
    """
    from grader import release
    from grader.catalog import load_course
    from kit.bundle import refuse_taken, write
    from kit.cli.endings import plain
    from kit.course import find_root, resolve

    refuse_taken(target)
    root = find_root(named=course)
    chosen = resolve(root, exercises)
    whole = load_course(root)
    if gradescope:
        return _autograder(whole, chosen, target)
    files = release.bundle(whole, whole.select(chosen))
    found = [
        f"{leak.file} holds lines of {leak.source}: {leak.line}"
        for leak in release.leaks(whole, files)
    ]
    found += _answered(whole, files, chosen)
    if found:
        for finding in found:
            click.echo(plain(finding))
        say("Error: nothing was written. Take these out of what students get, then release again.")
        return 1
    write(files, target)
    click.echo(f"{len(files)} files for students: {target}")
    return 0


def _autograder(course: Course, chosen: list[str], target: Path) -> int:
    from kit import gradescope
    from kit.bundle import write

    if target.suffix != ".zip":
        msg = f"Gradescope takes a zip archive, and {target} is not called like one: name a .zip."
        raise WrongUsage(msg)
    exercises = course.select(chosen)
    source = Path(gradescope.__file__).resolve().parents[2]
    write(gradescope.autograder(course, exercises, source), target, top="")
    points = sum(exercise.points for exercise in exercises)
    click.echo(f"Autograder for Gradescope, {points:g} points: {target}")
    say("It holds the hidden checks. It is for Gradescope, not for students.")
    return 0


def _answered(course: Course, files: dict[str, bytes], chosen: list[str]) -> list[str]:
    """Starters that earn points, found by grading the bundle as if somebody had handed it in."""
    import tempfile

    from grader import batch, release
    from kit import home
    from kit.bundle import write
    from kit.cli.progress_bar import progress

    with tempfile.TemporaryDirectory(prefix="kit-release-") as folder, quiet_children():
        write(files, Path(folder) / "bundle")
        with progress("checks") as told:
            grading = batch.grade(
                [Path(folder) / "bundle" / "exercises"],
                course_root=course.root,
                home=home.prepare(),
                database="embedded",
                exercises=chosen,
                own_work=True,
                progress=told,
            )
    return release.answered(grading)
