"""``kit db``: looking after the course's database."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from kit.cli import options
from kit.cli.backups import default_folder
from kit.cli.learners import open_learners, server_option
from kit.cli.output import print_json

if TYPE_CHECKING:
    from tracker.maintenance import Item


@click.command("daily")
@server_option
@click.option("--backups", type=click.Path(path_type=Path), help="Folder of the backups.")
@options.as_json
def daily(database: str, backups: Path | None, as_json: bool) -> int:
    """Look at what can go wrong within a day: server, connections, backup.

    \b
    Examples:
      kit db daily
      kit db daily --json
    """
    from kit.database import existing
    from tracker import maintenance
    from tracker.backup import find
    from tracker.db import connected

    newest = next(iter(find(backups or default_folder())), None)
    last_backup = newest.manifest.created_at if newest else None
    with connected(existing(open_learners(database))) as sessions:
        return show(maintenance.daily(sessions, last_backup=last_backup), as_json)


@click.command("weekly")
@server_option
@options.as_json
def weekly(database: str, as_json: bool) -> int:
    """Look at what goes wrong slowly: indexes, views, orphans, bloat, growth.

    \b
    Examples:
      kit db weekly
      kit db weekly --json
    """
    from kit.database import existing
    from tracker import maintenance
    from tracker.db import connected

    with connected(existing(open_learners(database))) as sessions:
        return show(maintenance.weekly(sessions), as_json)


@click.command("refresh")
@server_option
def refresh(database: str) -> None:
    """Compute the materialized views anew. Others can read them meanwhile.

    \b
    Example:
      kit db refresh
    """
    from kit.database import existing
    from tracker.analytics import views
    from tracker.db import connected

    with connected(existing(open_learners(database))) as sessions, sessions() as session:
        views.refresh(session)
    click.echo(f"Refreshed: {', '.join(views.VIEWS)}.")


def show(items: Iterable[Item], as_json: bool) -> int:
    """Print a checklist, and return 1 where something needs attention."""
    from tracker.maintenance import State

    found = list(items)
    if as_json:
        print_json([dataclasses.asdict(item) for item in found])
    else:
        for item in found:
            first, *others = item.found.splitlines()
            click.echo(f"{item.state:<10} {item.name:<22} {first}")
            for line in others:
                click.echo(" " * 34 + line)
    return 1 if any(item.state is State.ATTENTION for item in found) else 0


COMMANDS = (daily, weekly, refresh)
