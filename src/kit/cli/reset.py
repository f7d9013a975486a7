"""``kit reset``: an exercise's starter, put back."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from kit.cli import options
from kit.cli.output import print_json
from kit.errors import Declined, WrongUsage

if TYPE_CHECKING:
    from kit.starters import Changes


@click.command("reset")
@click.argument("exercise", type=options.Exercise())
@click.option("--yes", is_flag=True, help="Do not ask.")
@options.course
@options.as_json
def command(*, exercise: str, yes: bool, course: Path | None, as_json: bool) -> int:
    """Put the starter of EXERCISE back, to begin again.

    Your own files are copied first; the last line says where they are. What was noted of your
    checks and hints stays.

    \b
    Examples:
      kit reset 04
      kit reset 04 --yes
    """
    from datetime import UTC, datetime

    from kit import home
    from kit.course import find_root, resolve
    from kit.starters import changes, put_back, starter_of

    root = find_root(named=course)
    (name,) = resolve(root, [exercise])
    starter = starter_of(root, name)
    found = changes(root, name, starter)
    kept: Path | None = None
    if found:
        _agree(found, name, yes=yes)
        kept = put_back(starter, found, home.prepare() / "kept", datetime.now(UTC))
    written = [*found.replaced, *found.missing]
    if as_json:
        folder = str(kept) if kept else None
        print_json({"exercise": name, "from": starter.source, "files": written, "kept": folder})
    elif not found:
        click.echo(f"{name} is as it was in the beginning: there is nothing to put back.")
    else:
        click.echo(f"Put back from {starter.source}: {_listed(written)}.")
        if kept:
            click.echo(f"Your own work is in {kept}")
    return 0


def _agree(found: Changes, name: str, *, yes: bool) -> None:
    """Go on only if the person wants to."""
    if yes or not found.replaced:
        return
    what = f"replaces your {_listed(found.replaced)} in exercises/{name} by the starter"
    if not sys.stdin.isatty():
        msg = f"This {what}, and nobody is there to be asked. Add --yes."
        raise WrongUsage(msg)
    if not click.confirm(f"This {what}. A copy of yours is kept. Go on?", err=True):
        msg = "Nothing was changed."
        raise Declined(msg)


def _listed(names: list[str] | tuple[str, ...]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
