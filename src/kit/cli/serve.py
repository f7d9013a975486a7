"""``kit serve``: the tracker's HTTP API."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from kit.cli import options
from kit.cli.output import say

if TYPE_CHECKING:
    from tracker.stores import Store

ANY_HOST = ("*",)


@click.command("serve")
@click.option("--memory", is_flag=True, help="Keep data in memory. It is gone when this ends.")
@options.database("The server with the data")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=8000,
    show_default=True,
    help="Where to answer; 0 for any free port.",
)
@click.option(
    "--host",
    default="127.0.0.1",
    show_default=True,
    help="The address to answer at. The default is reached from this machine only.",
)
def command(memory: bool, database: str, port: int, host: str) -> None:
    """Serve the tracker's HTTP API on the course's database, or in memory.

    Its interactive description is at /docs, its OpenAPI document at /openapi.json. Ctrl-C ends it.

    \b
    Examples:
      kit serve
      kit serve --memory --port 8080
    """
    from kit.web.server import listen, run
    from tracker.api import create_app
    from tracker.api.application import LOCAL

    local = host in LOCAL
    with listen(host, port) as listening, store_for(database, memory=memory) as store:
        where = f"[{host}]" if ":" in host else host
        click.echo(f"http://{where}:{listening.getsockname()[1]}")
        if not local:
            say("The API has no sign-in: whoever reaches this address may read and change all.")
        say("Its description is at /docs. Ctrl-C ends it.")
        app = create_app(store, hosts=LOCAL if local else ANY_HOST)
        run(app, listening, log_requests=True)


@contextlib.contextmanager
def store_for(database: str, *, memory: bool) -> Iterator[Store]:
    """The store that the user means; what was started for it is ended afterwards."""
    from kit.database import ensure
    from kit.lab import server_for_lab
    from tracker.db import make_engine
    from tracker.stores import MemoryStore, PostgresStore

    if memory:
        yield MemoryStore()
        return
    with server_for_lab(database, say) as server:
        engine = make_engine(ensure(server, say=say))
        try:
            yield PostgresStore(engine)
        finally:
            engine.dispose()
