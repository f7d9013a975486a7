"""The learner's own server, as the commands of ``kit db`` reach it and take care of it."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

import click

from kit.cli import options
from kit.errors import Declined, WrongUsage

if TYPE_CHECKING:
    from pglab.servers import Server

server_option = options.database("The server")


def open_learners(database: str, say: Callable[[str], None] = lambda _line: None) -> Server:
    """The learner's own server, running; what ``auto`` chose is told where it is news."""
    from kit import home
    from pglab.servers import open_server

    return open_server(database, home=home.prepare(), disposable=False, say=say)


def agree_to_loss(server: Server, loss: str, *, yes: bool, yes_really: bool) -> None:
    """Go on only if the person wants to lose what a command destroys.

    Args:
        server: a server that is not the kit's own takes more than a yes.
        loss: what the command does, in words that go on from "This".
        yes: the person said so already.
        yes_really: and of a server that others may use.

    Raises:
        WrongUsage: nobody can be asked, or the server is not the kit's own.
        Declined: the person said no.
    """
    from pglab.urls import masked

    if server.kind == "url" and not yes_really:
        msg = (
            f"{masked(server.admin_url)} is not the kit's own server, and this {loss}, for "
            "everybody. If that is what you want, add --yes-really."
        )
        raise WrongUsage(msg)
    if yes or yes_really:
        return
    if not sys.stdin.isatty():
        msg = f"This {loss}, and nobody is there to be asked. Add --yes."
        raise WrongUsage(msg)
    if not click.confirm(f"This {loss}. Go on?", err=True):
        msg = "Nothing was changed."
        raise Declined(msg)


def loss_options(command: options.Command) -> options.Command:
    """``--yes`` and ``--yes-really``."""
    really = click.option(
        "--yes-really", is_flag=True, help="Do it on a server that is not the kit's own."
    )
    return click.option("--yes", is_flag=True, help="Do not ask.")(really(command))
