"""``kit db studio``: the learner's data in a browser."""

from __future__ import annotations

import click

from kit.cli import options
from kit.cli.output import say

ADDRESS = "127.0.0.1"


@click.command("studio")
@options.database("The server")
@click.option("--write", is_flag=True, help="Let rows be added, changed and deleted.")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=0,
    metavar="PORT",
    help="Where to answer.  [default: any free port]",
)
@click.option("--no-browser", is_flag=True, help="Only print the address.")
def studio(database: str, *, write: bool, port: int, no_browser: bool) -> None:
    """Show the course's database in a browser: tables, relations, search.

    Only your own browser gets in: the address holds a token, and works on this machine only. Ctrl-C
    ends it.

    \b
    Examples:
      kit db studio
      kit db studio --write
    """
    from kit.database import ensure
    from kit.lab import server_for_lab
    from kit.web.server import listen, run
    from kit.web.studio import create_studio, new_token
    from tracker.db import make_engine

    with listen(ADDRESS, port) as listening, server_for_lab(database, say) as server:
        engine = make_engine(ensure(server, say=say))
        try:
            token, port = new_token(), listening.getsockname()[1]
            address = f"http://{ADDRESS}:{port}/?token={token}"
            click.echo(address)
            may = "may be changed" if write else "can be read only; --write lets you change them"
            say(f"Rows {may}. Ctrl-C ends it.")
            if not no_browser:
                click.launch(address)
            # No line for each request: one of them would hold the token.
            app = create_studio(engine, port, token, write=write)
            run(app, listening, log_requests=False)
        finally:
            engine.dispose()


COMMANDS = (studio,)
