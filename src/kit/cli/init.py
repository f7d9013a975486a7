"""``kit init``: a course folder of one's own, where the kit was installed without a checkout."""

from __future__ import annotations

from pathlib import Path

import click

from kit.cli.output import say


@click.command("init")
@click.argument("target", metavar="DIR", type=click.Path(path_type=Path))
def command(*, target: Path) -> int:
    """Make the course's folder: exercises, notebooks, and the pages on misconceptions.

    DIR is a folder that is not there yet. What it gets is what the installed kit brought along, so
    both are of one version. In a clone of the course there is nothing to make: work in it.

    \b
    Examples:
      kit init persistence
    """
    from grader import release
    from grader.catalog import load_course
    from kit.bundle import refuse_taken, write
    from kit.course import of_this_installation

    refuse_taken(target)
    course = load_course(of_this_installation())
    files = release.bundle(course, course.select(()))
    write(files, target)
    click.echo(f"Your course: {target}")
    say(f"Next: cd {target}, then kit lab, or kit check 01.")
    return 0
