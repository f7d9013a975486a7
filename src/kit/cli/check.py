"""``kit check``: the learner's own work."""

from __future__ import annotations

from pathlib import Path

import click

from kit.cli import options


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
    raise NotImplementedError
