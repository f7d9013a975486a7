"""What ``%load_ext kit`` does, and ``%unload_ext kit`` undoes."""

from __future__ import annotations

import logging
from typing import Any

from kit.notebook import (
    changed_rows,
    console,
    places,
    predictions,
    schema_changes,
    tracebacks,
)
from kit.notebook.database_magics import DatabaseMagics
from kit.notebook.learning_magics import LearningMagics
from kit.notebook.magics import ReceiptMagics
from kit.notebook.showing import Shown
from kit.notebook.taps import CannotListen
from kit.notebook.workspace import Workspace, close_workspace, open_workspace
from tracker import migrations
from tracker.health import check_health

_CLASSES = (ReceiptMagics, DatabaseMagics, LearningMagics)
_UNASKED = logging.NullHandler()
"""Gets what psycopg has to tell where nobody has said what becomes of it: that it comes or does not
as the server is quick, and tells a learner nothing.
"""
_covered: dict[int, dict[str, Any]] = {}
"""The line magics that there were before ours, by shell."""
_loaded: dict[int, tuple[ReceiptMagics, DatabaseMagics]] = {}


def load(shell: Any) -> None:
    """Connect to the learner's database, make ``%%sql`` ask it, and begin with query receipts.

    Raises:
        NotConnected: the database cannot be reached; nothing was registered.
    """
    if id(shell) in _loaded:
        return
    workspace = open_workspace()
    check_health(workspace.engine)  # so that no cell pays for the first connection
    _covered[id(shell)] = dict(shell.magics_manager.magics["line"])
    console.install(shell, workspace.url)
    tracebacks.shorten(shell)
    magics = ReceiptMagics(shell)
    databases = DatabaseMagics(shell)
    shell.register_magics(magics, databases, LearningMagics)
    receipts = "Receipts are on: %receipts off."
    try:
        magics.listen()
    except CannotListen as error:
        receipts = str(error)
    logging.getLogger("psycopg").addHandler(_UNASKED)
    _loaded[id(shell)] = (magics, databases)
    _welcome(workspace, receipts).display()


def unload(shell: Any) -> None:
    """Take out what `load` put in, and close the connections. The server goes on."""
    if id(shell) not in _loaded:
        return
    receipts, databases = _loaded.pop(id(shell))
    receipts.unlisten()
    databases.unwatch()
    for kind, registered in shell.magics_manager.magics.items():
        for name in {"sql", *(name for c in _CLASSES for name in c.magics[kind])}:
            registered.pop(name, None)
    # IPython has a %history of its own.
    for name, magic in _covered.pop(id(shell), {}).items():
        shell.magics_manager.magics["line"].setdefault(name, magic)
    tracebacks.restore(shell)
    places.use(None)
    predictions.forget()
    changed_rows.forget()
    schema_changes.forget()
    console.disconnect()
    logging.getLogger("psycopg").removeHandler(_UNASKED)
    close_workspace()


def _welcome(workspace: Workspace, receipts: str) -> Shown:
    server = workspace.server
    lines = (
        f"Connected to database {workspace.engine.url.database}, "
        f"at migration {migrations.current(workspace.url)}, "
        f"on PostgreSQL {server.version} ({server.kind}).",
        f"%%sql asks it. {receipts}",
    )
    return Shown("\n".join(lines), "".join(f"<div>{line}</div>" for line in lines))
