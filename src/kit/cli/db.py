"""``kit db``: the learner's own server and the course's database on it."""

from __future__ import annotations

import os
import subprocess
import sys

import click

from kit.cli import backups, migrations, options, studio, upkeep
from kit.cli.learners import agree_to_loss, loss_options, open_learners, server_option
from kit.cli.output import print_json, say
from kit.errors import WrongUsage


@click.group("db")
def command() -> None:
    """Your own PostgreSQL server and the course's database on it.

    The embedded server keeps its data between commands and runs until kit db down. The course's
    database on it is called tracker.

    \b
    Examples:
      kit db up
      kit db status --json
      psql "$(kit db url)"
    """


@command.command("up")
@server_option
@click.option("--no-seed", is_flag=True, help="Leave a new database without example data.")
def up(database: str, no_seed: bool) -> None:
    """Start the server and make the course's database if it is not there.

    \b
    Example:
      kit db up
    """
    from kit.database import ensure, state

    server = open_learners(database, say)
    ensure(server, seed=None if no_seed else 1, say=say)
    click.echo(f"PostgreSQL {server.version} ({server.kind}) is up, with the database tracker.")
    if not state(server).is_current:
        say("The database is not at the newest migration: kit db migrate brings it there.")


@command.command("down")
def down() -> None:
    """Stop the embedded server, whose data stays, and the checker that stays ready.

    \b
    Example:
      kit db down
    """
    from kit import home
    from kit.standby import client
    from pglab.servers import status
    from pglab.servers.durable import DurableServer

    folder = home.prepare()
    was_up = status(folder).running
    DurableServer(folder).stop()
    click.echo("The server is down. Its data is kept." if was_up else "The server was not up.")
    if client.end(folder):
        click.echo("The checker that stayed ready for your next kit check has ended too.")


@command.command("status")
@server_option
@options.as_json
def status(database: str, as_json: bool) -> None:
    """Show the server and the course's database, starting nothing.

    \b
    Examples:
      kit db status
      kit db status --json
    """
    from kit.server_status import look

    found = look(database)
    if as_json:
        print_json(found.to_json())
    else:
        click.echo(found.to_text())


@command.command("url")
@server_option
@click.option("--sqlalchemy", is_flag=True, help="With the driver named: postgresql+psycopg://…")
def url(database: str, sqlalchemy: bool) -> None:
    """Print the URL of the course's database, password included; start the server if need be.

    \b
    Examples:
      psql "$(kit db url)"
      export DATABASE_URL="$(kit db url)"
    """
    from kit.database import ensure
    from pglab.urls import sqlalchemy_url

    found = ensure(open_learners(database), say=say)
    click.echo(sqlalchemy_url(found) if sqlalchemy else found)


@command.command("psql", context_settings={"ignore_unknown_options": True})
@server_option
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED, metavar="[PSQL OPTION]...")
def psql(database: str, arguments: tuple[str, ...]) -> int:
    """Open psql on the course's database; start the server if need be.

    Options that kit does not know go to psql.

    \b
    Examples:
      kit db psql
      kit db psql -c "SELECT count(*) FROM users"
    """
    from kit.database import ensure
    from kit.psql import environment, find_psql

    server_url = ensure(open_learners(database), say=say)
    program = find_psql()
    surroundings = os.environ | environment(server_url)
    sys.stdout.flush()
    if os.name == "nt":  # exec would give the terminal back to the shell at once
        return subprocess.call([program, *arguments], env=surroundings)
    os.execve(program, [program, *arguments], surroundings)  # noqa: S606


@command.command("seed")
@server_option
@click.option(
    "--seed",
    "number",
    type=click.IntRange(min=0),
    default=1,
    show_default=True,
    help="Number that the data grows from. The same number gives the same data.",
)
@click.option(
    "--size",
    default="small",
    show_default=True,
    help="How much of it: small, class (300 learners) or large (50,000 users).",
)
@click.option(
    "--beside-others",
    is_flag=True,
    help="Load the size large also beside users who are not of the example data.",
)
@options.as_json
def seed(*, database: str, number: int, size: str, beside_others: bool, as_json: bool) -> None:
    """Insert the example data that is not there yet.

    The size large is loaded whole or not at all; meanwhile nobody else can use the tables.

    \b
    Examples:
      kit db seed
      kit db seed --seed 7
      kit db seed --size large
    """
    from kit.database import ensure, fill
    from tracker.seeding import SIZES

    if size not in SIZES:
        msg = f"There is no size “{size}”. There are: {', '.join(SIZES)}."
        raise WrongUsage(msg)
    inserted = fill(
        ensure(open_learners(database), seed=None, say=say),
        number=number,
        size=size,
        beside_others=beside_others,
    )
    if as_json:
        print_json({"seed": number, "size": size, "inserted": inserted})
    elif any(inserted.values()):
        click.echo("Inserted " + ", ".join(f"{n} {table}" for table, n in inserted.items()) + ".")
    else:
        click.echo("All of the example data is there already. Nothing was changed.")


@command.command("reset")
@server_option
@loss_options
@click.option(
    "--seed",
    "number",
    type=click.IntRange(min=0),
    default=1,
    show_default=True,
    help="Number that the new example data grows from.",
)
@click.option("--no-seed", is_flag=True, help="Leave the new database without example data.")
def reset(*, database: str, yes: bool, yes_really: bool, number: int, no_seed: bool) -> None:
    """Replace the course's database by a new one. What is in it is lost.

    Asks first. On a server given by URL it does nothing without --yes-really.

    \b
    Examples:
      kit db reset
      kit db reset --yes
    """
    from kit import database as databases

    server = open_learners(database)
    agree_to_loss(
        server, "deletes the database tracker and all that is in it", yes=yes, yes_really=yes_really
    )
    ended = databases.reset(server, seed=None if no_seed else number)
    click.echo("The database tracker is new.")
    if ended:
        say(f"{ended} sessions on the old one were ended. Reconnect in your notebooks.")


for each in (*migrations.COMMANDS, *backups.COMMANDS, *upkeep.COMMANDS, *studio.COMMANDS):
    command.add_command(each)
