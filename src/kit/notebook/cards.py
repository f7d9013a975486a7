"""What a server and the connection to it are like: health badge and table of capabilities."""

from __future__ import annotations

from html import escape

from sqlalchemy import Engine

from kit.notebook.showing import Shown, framed, table
from kit.notebook.workspace import engine, server
from pglab.servers import Capabilities, Server
from tracker.health import Health, Status, check_health

_MARKS = {
    Status.CONNECTED: ("✓", "good"),
    Status.DISABLED: ("○", ""),
    Status.ERROR: ("✗", "bad"),
}

EXTENSIONS = {
    "pg_trgm": "search that forgives typing errors",
    "vector": "search by meaning",
    "pg_stat_statements": "totals for each statement",
    "citext": "text that ignores upper and lower case",
}
"""Extensions that a lesson uses where the server brings them, and for what."""


def health_badge(of: Engine | Health | str | None = "mine") -> Shown:
    """The health of a database connection: connected, disabled or error, and what that means.

    Args:
        of: an engine; a `Health` that was measured already; None for an application without a
            database; left out, your own engine.
    """
    if isinstance(of, str):
        of = engine()
    health = of if isinstance(of, Health) else check_health(of)
    mark, look = _MARKS[health.status]
    took = f" ({health.milliseconds:.1f} ms)" if health.milliseconds is not None else ""
    html = (
        f"<p><strong>{mark} {escape(health.status)}</strong></p>"
        f"<p>{escape(health.message)}{took}</p>"
    )
    return Shown(
        f"{mark} {health.status}: {health.message}{took}", framed("badge", html, look=look)
    )


def capability_table(of: Server | None = None) -> Shown:
    """What a server, and the role that you use on it, can do, and what each thing is good for.

    Args:
        of: a server; left out, your own.
    """
    of = of or server()
    can = of.capabilities()
    return table(_rows(of, can), ("What", "Here", "What it is good for"), "What this server can do")


def _rows(of: Server, can: Capabilities) -> list[tuple[str, object, str]]:
    kept = "your data is still here tomorrow" if of.durable else "nothing is kept when it stops"
    major = can.version_num // 10_000
    return [
        ("Kind", of.kind, "where it runs: embedded, in a container, or given by a URL"),
        ("Version", f"PostgreSQL {of.version}", f"the manual is postgresql.org/docs/{major}"),
        ("Durable", of.durable, kept),
        ("Superuser", can.superuser, "may do everything: good for learning, bad for applications"),
        ("Makes databases", can.create_database, "scratch databases for tests"),
        ("Readable log", can.log_access, "every statement, as the server saw it"),
        *(
            (f"Extension {name}", name in can.extensions, purpose)
            for name, purpose in EXTENSIONS.items()
        ),
    ]
