"""``kit db``: backups of the course's database."""

from __future__ import annotations

from pathlib import Path

import click

from kit.cli import options
from kit.cli.learners import agree_to_loss, loss_options, open_learners, server_option
from kit.cli.output import print_json, say
from kit.errors import WrongUsage

folder_argument = click.argument(
    "folder", type=click.Path(path_type=Path, exists=True, file_okay=False), metavar="BACKUP"
)


def default_folder() -> Path:
    """Where backups are kept, unless somebody says otherwise."""
    from kit import home

    return home.location() / "backups"


@click.command("backup")
@server_option
@click.option("--to", type=click.Path(path_type=Path), help="Folder for backups, not the kit's.")
@click.option(
    "--keep",
    nargs=3,
    type=click.IntRange(min=0),
    metavar="D W M",
    help="Afterwards keep only the last of D days, W weeks and M months, and delete the others.",
)
@click.option(
    "--upload",
    metavar="COMMAND",
    help="Then run this for the backup. {folder} and {name} are filled in; no shell runs.",
)
@options.as_json
def backup(
    *,
    database: str,
    to: Path | None,
    keep: tuple[int, int, int] | None,
    upload: str | None,
    as_json: bool,
) -> None:
    """Back the course's database up, while others go on working with it.

    \b
    Examples:
      kit db backup
      kit db backup --to /mnt/backups --keep 7 4 12
      kit db backup --upload "rclone copy {folder} far:tracker/{name}"
    """
    from kit.database import back_up
    from tracker.backup import Keep, prune, uploader

    uploads = None if upload is None else uploader(upload)
    folder = to or default_folder()
    made = back_up(open_learners(database), folder, uploads)
    deleted = prune(folder, Keep(*keep)) if keep else []
    manifest = made.manifest
    if as_json:
        names = [old.folder.name for old in deleted]
        shown = {"folder": str(made.folder), "deleted": names}
        print_json(shown | manifest.model_dump(mode="json"))
        return
    click.echo(str(made.folder))
    say(f"{sum(manifest.rows.values()):,} rows, {manifest.size_bytes / 1e6:.1f} MB.")
    if deleted:
        say(f"{len(deleted)} older backups were deleted.")


@click.command("restore")
@server_option
@folder_argument
@click.option("--into", metavar="NAME", help="Another database; it is made if it is not there.")
@click.option("--replace", is_flag=True, help="In the place of what the course's database holds.")
@loss_options
def restore(
    *, database: str, folder: Path, into: str | None, replace: bool, yes: bool, yes_really: bool
) -> None:
    """Put a backup back: all of it, or nothing.

    Restores into an empty database, or one that is not there yet. With --replace the course's
    database is replaced once the restored one is whole. Asks first.

    \b
    Examples:
      kit db restore backups/20260131T030000.000000Z --into tracker_in_january
      kit db restore backups/20260131T030000.000000Z --replace
    """
    from kit import database as databases
    from tracker.backup import open_backup
    from tracker.errors import TargetNotEmpty

    if into and replace:
        msg = "--replace is for the course's database. Leave out --into, or give it a new name."
        raise WrongUsage(msg)
    found = open_backup(folder)
    server = open_learners(database)
    if replace:
        loss = "puts the backup in the place of the database tracker and all that is in it"
        agree_to_loss(server, loss, yes=yes, yes_really=yes_really)
    name = into or databases.NAME
    try:
        ended = databases.restore(server, found, into=name, replace=replace)
    except TargetNotEmpty as error:
        msg = f"{error} --into NAME makes one; --replace is for the course's own."
        raise WrongUsage(msg) from error
    click.echo(f"The database {name} holds the backup of {found.manifest.created_at:%Y-%m-%d}.")
    if ended:
        say(f"{ended} sessions on the old one were ended. Reconnect in your notebooks.")


@click.command("verify")
@server_option
@folder_argument
@click.option("--restore", "restores", is_flag=True, help="Restore it, count its rows, drop it.")
@options.as_json
def verify(*, database: str, folder: Path, restores: bool, as_json: bool) -> None:
    """Make sure that a backup is what it was when it was made.

    Compares size and checksum, and has pg_restore read its table of contents. Only --restore proves
    that it can be put back: it does that, in a database of its own that is dropped afterwards.

    \b
    Examples:
      kit db verify backups/20260131T030000.000000Z
      kit db verify backups/20260131T030000.000000Z --restore
    """
    from kit import database as databases
    from tracker.backup import open_backup

    found = open_backup(folder)
    databases.verify(open_learners(database) if restores else None, found)
    if as_json:
        print_json({"restored": restores} | found.manifest.model_dump(mode="json"))
        return
    how = "It was restored and counted" if restores else "Size and checksum are right"
    click.echo(f"The backup is good. {how}: {sum(found.manifest.rows.values()):,} rows.")


COMMANDS = (backup, restore, verify)
