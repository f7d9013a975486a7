"""``kit db``: the migrations of the course's database."""

from __future__ import annotations

import dataclasses

import click

from kit.cli import options
from kit.cli.learners import agree_to_loss, loss_options, open_learners, server_option
from kit.cli.output import print_json, say


@click.command("migrate")
@server_option
def migrate(database: str) -> None:
    """Bring the course's database to the newest migration.

    Several at once wait for each other; all but the first find nothing left to do.

    \b
    Example:
      kit db migrate
    """
    from kit import database as databases

    before, after = databases.migrate(databases.ensure(open_learners(database), say=say))
    if before == after:
        click.echo(f"The database is at the newest migration already: {after}.")
    else:
        click.echo(f"Migrated from {before or 'nothing'} to {after}.")


@click.command("history")
@server_option
@options.as_json
def history(database: str, as_json: bool) -> None:
    """Show every migration, and which of them the course's database has had.

    \b
    Examples:
      kit db history
      kit db history --json
    """
    from kit.database import existing
    from tracker import migrations

    revisions = migrations.history()
    current = migrations.current(existing(open_learners(database)))
    names = [revision.id for revision in revisions]
    done = names.index(current) + 1 if current in names else 0
    if as_json:
        shown = [dataclasses.asdict(revision) for revision in revisions]
        print_json({"current": current, "revisions": shown})
        return
    for number, revision in enumerate(revisions):
        click.echo(f"{'✓' if number < done else ' '} {revision.id}  {revision.message}")
    if current is not None and current not in names:
        say(f"The database is at {current}, which is none of these: a newer kit made it.")
    elif done < len(names):
        say(f"The database is at {current or 'nothing'}. kit db migrate brings it to the newest.")


@click.command("revision")
@server_option
@click.argument("message")
@click.option("--empty", is_flag=True, help="Compare nothing: you fill the script in yourself.")
def revision(database: str, message: str, empty: bool) -> None:
    """Write a new migration: what the models have and the database has not.

    The script is a draft. Read every line of it before you run kit db migrate: a column that was
    renamed looks like one that was dropped and another that was added.

    \b
    Examples:
      kit db revision "Give tracks a subtitle"
      kit db revision "Fill the subtitles in" --empty
    """
    from kit.database import existing
    from tracker import migrations

    if not any(character.isalnum() for character in message):
        raise click.BadParameter("Say in a few words what it is for.", param_hint="MESSAGE")
    path = migrations.new(existing(open_learners(database)), message, autogenerate=not empty)
    if path is None:
        click.echo("The models and the database agree: there is nothing to migrate.")
        say("For a script that you fill in yourself, add --empty.")
    else:
        click.echo(str(path))


@click.command("downgrade", context_settings={"ignore_unknown_options": True})
@server_option
@click.argument("target", metavar="REVISION")
@loss_options
def downgrade(*, database: str, target: str, yes: bool, yes_really: bool) -> None:
    """Take the course's database back to an earlier migration.

    REVISION is one that kit db history shows, -1 for the one before, or base for none. Tables and
    columns that came later are dropped, with what is in them. Asks first.

    \b
    Examples:
      kit db downgrade -1
      kit db downgrade 0012 --yes
    """
    from kit.database import existing
    from tracker import migrations

    server = open_learners(database)
    url = existing(server)
    loss = f"takes the database back to {target} and drops what later migrations brought"
    agree_to_loss(server, loss, yes=yes, yes_really=yes_really)
    before = migrations.current(url)
    migrations.downgrade(url, target)
    after = migrations.current(url)
    click.echo(f"Taken back from {before or 'nothing'} to {after or 'nothing'}.")


@click.command("stamp")
@server_option
@click.argument("target", metavar="REVISION")
def stamp(database: str, target: str) -> None:
    """Note that the course's database is at a migration, and run nothing.

    For a database that was brought there by other means. kit db check then tells whether that is
    true.

    \b
    Examples:
      kit db stamp head
      kit db stamp 0012
    """
    from kit.database import existing
    from tracker import migrations

    url = existing(open_learners(database))
    migrations.stamp(url, target)
    click.echo(f"Noted: the database is at {migrations.current(url) or 'nothing'}.")


@click.command("check")
@server_option
@options.as_json
def check(database: str, as_json: bool) -> int:
    """Tell how the course's database differs from the models.

    \b
    Examples:
      kit db check
      kit db check --json
    """
    from kit.database import existing
    from tracker import migrations

    url = existing(open_learners(database))
    current, head = migrations.current(url), migrations.head()
    if current != head:
        differences = [
            f"The database is at {current or 'nothing'} and not at {head}. "
            "kit db migrate brings it there."
        ]
    else:
        differences = migrations.drift(url)
    if as_json:
        print_json({"agree": not differences, "differences": differences})
    else:
        for line in differences or ["The models and the database agree."]:
            click.echo(line)
    return 1 if differences else 0


@click.command("lock")
@server_option
@options.as_json
def lock(database: str, as_json: bool) -> None:
    """Show who migrates the course's database at this moment, and who waits for that.

    Whoever migrates holds a lock that ends with the transaction. Nobody has to remove it, not even
    after a crash: it goes when the session that holds it goes.

    \b
    Examples:
      kit db lock
      kit db lock --json
    """
    from kit.database import existing
    from tracker import migrations

    sessions = migrations.lock_sessions(existing(open_learners(database)))
    if as_json:
        print_json([dataclasses.asdict(session) for session in sessions])
        return
    for session in sessions:
        click.echo(
            f"{'holds' if session.holds else 'waits'}  process {session.pid}, {session.role}, "
            f"{session.application or 'unnamed'}, for {session.seconds:.0f} s"
        )
    if any(session.holds for session in sessions):
        say("SELECT pg_terminate_backend(PROCESS) ends a session that hangs; its work is undone.")
    else:
        click.echo("Nobody migrates this database.")


COMMANDS = (migrate, history, revision, downgrade, stamp, check, lock)
