"""What the learner's server and the course's database are like, without starting anything."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kit import database, home
from kit.database import DatabaseState
from kit.standby import client
from pglab.servers import open_server, status
from pglab.urls import masked


@dataclass(frozen=True, slots=True)
class Look:
    """The server and the database on it, for showing; no password in it."""

    kind: str
    """``embedded`` or ``url``."""
    running: bool
    version: str | None = None
    url: str | None = None
    pid: int | None = None
    data_dir: Path | None = None
    size_bytes: int = 0
    database: DatabaseState | None = None
    checker: Mapping[str, Any] | None = None
    """What the checker that stays ready tells of itself (`kit.standby.client.status`)."""

    def to_json(self) -> dict[str, Any]:
        """All of it as plain data."""
        data = dataclasses.asdict(self)
        return data | {"data_dir": str(self.data_dir) if self.data_dir else None}

    def to_text(self) -> str:
        """A few lines for people."""
        lines = [f"Server     {self._server()}"]
        if self.data_dir and self.size_bytes:
            lines.append(f"Data       {self.data_dir}, {_megabytes(self.size_bytes)}")
        if self.database is not None:
            lines.append(f"Database   {_database(self.database)}")
        if self.checker is not None:
            lines.append(f"Checker    {checker_told(self.checker)}")
        if self.url:
            lines.append(f"URL        {self.url}   (with its password: kit db url)")
        return "\n".join(lines)

    def _server(self) -> str:
        what = f"{self.kind} PostgreSQL {self.version}" if self.version else self.kind
        if self.running:
            return f"{what}, up{f', process {self.pid}' if self.pid else ''}"
        if self.version:
            return f"{what}, down. kit db up starts it."
        return "there is none yet. kit db up makes one."


def look(choice: str = "auto") -> Look:
    """The server that ``choice`` means and what is on it.

    Args:
        choice: ``embedded``, a URL, or ``auto``: DATABASE_URL where it is set, else embedded.

    Raises:
        PglabError: a server given by URL does not answer.
    """
    if choice == "auto":
        choice = os.environ.get("DATABASE_URL") or "embedded"
    if choice != "embedded":
        with open_server(choice, home=home.location(), disposable=False) as server:
            url = masked(server.url(database.NAME))
            return Look("url", True, server.version, url, database=database.state(server))
    folder = home.location()
    if not folder.is_dir():
        return Look("embedded", False)
    found = status(folder)
    seen = Look(
        "embedded",
        found.running,
        found.version,
        data_dir=found.data_dir,
        size_bytes=found.size_bytes,
        checker=client.status(folder),
    )
    if not found.running:
        return seen
    with open_server("embedded", home=folder, disposable=False) as server:
        return dataclasses.replace(
            seen,
            url=masked(server.url(database.NAME)),
            pid=found.pid,
            database=database.state(server),
        )


def checker_told(checker: Mapping[str, Any]) -> str:
    """The checker that stays ready, in words."""
    now = "is at work" if checker["busy"] else f"ends in {checker['minutes']:g} minutes"
    return f"ready for your next kit check, process {checker['pid']}; {now}. kit db down ends it."


def _database(state: DatabaseState) -> str:
    if not state.exists:
        return f"{database.NAME} is not there. kit db up makes it."
    size = f"{database.NAME}, {_megabytes(state.size_bytes)}"
    if state.is_current:
        return f"{size}, at the newest migration ({state.revision})"
    at = f"at migration {state.revision or 'none'} of {state.head}"
    return f"{size}, {at}. kit db migrate updates it."


def _megabytes(size: int) -> str:
    return f"{size / 1_000_000:.0f} MB"
