"""The commands of ``kit``, each loaded when it is asked for."""

from __future__ import annotations

import importlib

import click

PROGRAM = "kit"

COMMANDS = (
    "check",
    "db",
    "doctor",
    "exercise",
    "grade",
    "hint",
    "init",
    "lab",
    "progress",
    "release",
    "report",
    "reset",
    "results",
    "serve",
    "watch",
)
"""Every command; ``kit.cli.NAME`` holds it under the name ``command``."""


class LazyGroup(click.Group):
    """A group whose commands live in modules that are imported when a command is named.

    ``kit --help`` imports all of them: at the top they import click and nothing heavier.
    """

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = importlib.import_module(f"kit.cli.{cmd_name}").command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        try:
            return super().resolve_command(ctx, args)
        except click.exceptions.NoSuchCommand as error:
            raise click.exceptions.NoSuchCommand(
                args[0], possibilities=COMMANDS, ctx=ctx
            ) from error


def _version(context: click.Context, _parameter: click.Parameter, wanted: bool) -> None:
    if wanted and not context.resilient_parsing:
        from importlib import metadata  # slow to import, and no other command needs it

        click.echo(f"kit {metadata.version('kit')}")
        context.exit()


@click.group(
    PROGRAM,
    cls=LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Exit codes: 0 all right, 1 something is wrong with the work, 2 wrong usage, "
    "3 the kit or the machine is at fault.",
)
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_version,
    help="Show the version and exit.",
)
def kit() -> None:
    """Learn, teach and grade data persistence on real PostgreSQL.

    \b
    A learner's day:     kit lab
                         kit check 04 (or, at each save: kit watch 04)
    A teacher's day:     kit grade submissions/ --out out/
    Something is wrong:  kit doctor
    """
