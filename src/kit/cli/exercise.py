"""``kit exercise``: for those who write exercises."""

from __future__ import annotations

from pathlib import Path

import click

from kit.cli import options


@click.group("exercise")
def command() -> None:
    """For authors: prove that exercises work.

    \b
    Examples:
      kit exercise verify
      kit exercise verify 04 --json
    """


@command.command("verify")
@click.argument("exercises", nargs=-1, type=options.Exercise(), metavar="[EXERCISE]...")
@options.database("Where the databases of the checks live")
@options.sandbox
@options.seed
@options.course
@options.as_json
def verify(
    *,
    exercises: tuple[str, ...],
    database: str,
    sandbox: str,
    seed: int | None,
    course: Path | None,
    as_json: bool,
) -> int:
    """Prove that exercises judge rightly.

    The solution and every alternative must get full marks, the starter none that it did not earn,
    and every mistake must fail exactly the checks that its header names and show its own
    misconception. Without EXERCISE: all of them. Needs the folder solutions/. Exit code 1 if one
    does not hold.

    \b
    Examples:
      kit exercise verify
      kit exercise verify 04 08
    """
    raise NotImplementedError
