"""``kit serve``: the tracker's HTTP API."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from kit.cli import options
from kit.cli.output import say
from kit.errors import WrongUsage

if TYPE_CHECKING:
    from uuid import UUID

    from sqlalchemy import Engine

    from tracker.stores import Store

ANY_HOST = ("*",)


@click.command("serve")
@click.option("--memory", is_flag=True, help="Keep data in memory. It is gone when this ends.")
@options.database("The server with the data")
@click.option(
    "--organization",
    metavar="SLUG",
    help="Serve what belongs to this organization, as if there were no other.",
)
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
def command(*, memory: bool, database: str, organization: str | None, port: int, host: str) -> None:
    """Serve the tracker's HTTP API on the course's database, or in memory.

    Its interactive description is at /docs, its OpenAPI document at /openapi.json. Ctrl-C ends it.

    \b
    Examples:
      kit serve
      kit serve --memory --port 8080
      kit serve --organization riverside-college
    """
    from kit.web.server import listen, run
    from tracker.api import create_app
    from tracker.api.application import LOCAL

    if memory and organization:
        msg = "In memory there are no organizations: leave out --memory or --organization."
        raise WrongUsage(msg)
    local = host in LOCAL
    opening = store_for(database, memory=memory, organization=organization)
    with listen(host, port) as listening, opening as store:
        where = f"[{host}]" if ":" in host else host
        click.echo(f"http://{where}:{listening.getsockname()[1]}")
        if not local:
            say("The API has no sign-in: whoever reaches this address may read and change all.")
        say("Its description is at /docs. Ctrl-C ends it.")
        app = create_app(store, hosts=LOCAL if local else ANY_HOST)
        run(app, listening, log_requests=True)


@contextlib.contextmanager
def store_for(database: str, *, memory: bool, organization: str | None = None) -> Iterator[Store]:
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
            yield PostgresStore(engine, _named(engine, organization))
        finally:
            engine.dispose()


def _named(engine: Engine, organization: str | None) -> UUID | None:
    """The organization with this slug."""
    from tracker.db import make_sessions
    from tracker.errors import NotFound
    from tracker.repositories import organizations

    if organization is None:
        return None
    with make_sessions(engine)() as session:
        try:
            return organizations.get_by_slug(session, organization).id
        except NotFound:
            known = [one.slug for one in organizations.find(session).items]
            there = ", ".join(known) if known else "none yet"
            msg = f"There is no organization “{organization}”. There are: {there}."
            raise WrongUsage(msg) from None
