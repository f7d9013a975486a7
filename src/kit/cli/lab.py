"""``kit lab``: JupyterLab on the course, with the database up."""

from __future__ import annotations

from pathlib import Path

import click

from kit.cli import options
from kit.cli.output import say


@click.command(
    "lab", context_settings={"ignore_unknown_options": True, "allow_interspersed_args": True}
)
@click.argument(
    "arguments", nargs=-1, type=click.UNPROCESSED, metavar="[NOTEBOOK] [JUPYTER OPTION]..."
)
@options.database("The learner's server")
@options.course
def command(arguments: tuple[str, ...], database: str, course: Path | None) -> None:
    """Open JupyterLab on the course, with the database up.

    NOTEBOOK is a number (00), a name (start) or a path; without one it is the first. Options that
    kit does not know go to JupyterLab, such as --no-browser or --port=8899. Ctrl-C ends JupyterLab,
    and the database server too if this command started it.

    \b
    Examples:
      kit lab
      kit lab 05 --no-browser
    """
    from kit.lab import run_lab

    notebook = arguments[0] if arguments and not arguments[0].startswith("-") else None
    extra = arguments[1:] if notebook else arguments
    run_lab(notebook, extra, course=course, choice=database, say=say)
