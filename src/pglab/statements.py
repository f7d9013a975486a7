"""Statements as PostgreSQL's JSON log tells of them.

Source: PostgreSQL manual, "Using JSON-Format Log Output"; the messages are those of
``log_statement`` in ``src/backend/tcop/postgres.c``, the same from version 15 to 18.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace
from typing import Any

from pglab.commands import command_of

__all__ = ["Statement", "StatementReader", "parse_parameters"]

_EXECUTED = re.compile(r"execute (?:fetch from )?(?P<name>.*?): (?P<text>.*)", re.DOTALL)
_PARAMETER = re.compile(r"\$(?P<number>\d+) = (?:(?P<null>NULL)|'(?P<value>(?:[^']|'')*)')(?:, |$)")
_CONTROL = frozenset({"BEGIN", "COMMIT", "ROLLBACK", "SAVEPOINT", "RELEASE", "PREPARE TRANSACTION"})


@dataclass(frozen=True)
class Statement:
    """One statement that a client sent."""

    text: str
    """The SQL, verbatim; several statements sent as one string stay one."""
    kind: str
    """The command, as PostgreSQL names it, like SELECT, INSERT, BEGIN or SAVEPOINT."""
    parameters: tuple[str | None, ...]
    """Values sent apart from the text, as PostgreSQL writes them; None is NULL."""
    sqlstate: str | None
    """The code of the error that ended it, or None."""
    error: str | None
    """The message of that error."""
    session_id: str
    role: str
    database: str
    prepared: bool
    """Sent by the extended query protocol: text and parameters apart."""
    timestamp: str

    @property
    def is_transaction_control(self) -> bool:
        """It begins, ends or divides a transaction."""
        return self.kind in _CONTROL


class StatementReader:
    """Turns the bytes of a log into statements, piece by piece."""

    def __init__(self, *, role: str | None = None, database: str | None = None) -> None:
        self._role = role
        self._database = database
        self._rest = b""
        self._found: list[Statement] = []

    def feed(self, chunk: bytes) -> None:
        """Read the next bytes of the log; they may end in the middle of a line."""
        lines = (self._rest + chunk).split(b"\n")
        self._rest = lines.pop()
        for line in lines:
            self._read_line(line)

    def finish(self) -> list[Statement]:
        """The statements found."""
        return self._found

    def _read_line(self, line: bytes) -> None:
        try:
            entry = json.loads(line.decode("utf-8", "replace"))
        except ValueError:
            return
        if not isinstance(entry, dict) or entry.get("backend_type") != "client backend":
            return
        if self._role is not None and entry.get("user") != self._role:
            return
        if self._database is not None and entry.get("dbname") != self._database:
            return
        if entry.get("error_severity") == "LOG":
            self._logged(entry)
        elif entry.get("error_severity") in {"ERROR", "FATAL", "PANIC"}:
            self._failed(entry)

    def _logged(self, entry: dict[str, Any]) -> None:
        message = str(entry.get("message", ""))
        if "statement" in entry or "context" in entry:
            return  # RAISE LOG of a function, however it is worded
        if message.startswith("statement: "):
            self._found.append(_statement(entry, message.removeprefix("statement: "), False))
        elif found := _EXECUTED.fullmatch(message):
            self._found.append(_statement(entry, found["text"], True))

    def _failed(self, entry: dict[str, Any]) -> None:
        text = entry.get("statement")
        if text is None:
            return
        session = entry.get("session_id")
        for index in range(len(self._found) - 1, -1, -1):
            found = self._found[index]
            if found.session_id == session:
                if found.text == text and found.sqlstate is None:
                    self._found[index] = replace(
                        found, sqlstate=entry.get("state_code"), error=entry.get("message")
                    )
                    return
                break
        self._found.append(
            replace(
                _statement(entry, text, False),
                sqlstate=entry.get("state_code"),
                error=entry.get("message"),
            )
        )


def _statement(entry: dict[str, Any], text: str, prepared: bool) -> Statement:
    return Statement(
        text=text,
        kind=command_of(text),
        parameters=parse_parameters(str(entry.get("detail", ""))) if prepared else (),
        sqlstate=None,
        error=None,
        session_id=str(entry.get("session_id", "")),
        role=str(entry.get("user", "")),
        database=str(entry.get("dbname", "")),
        prepared=prepared,
        timestamp=str(entry.get("timestamp", "")),
    )


def parse_parameters(detail: str) -> tuple[str | None, ...]:
    """The values in a detail like ``Parameters: $1 = 'it''s', $2 = NULL``.

    PostgreSQL 15 writes ``parameters:``, later versions ``Parameters:``.
    """
    head, _, rest = detail.partition(": ")
    if head.lower() != "parameters":
        return ()
    return tuple(
        None if found["null"] else found["value"].replace("''", "'")
        for found in _PARAMETER.finditer(rest)
    )
