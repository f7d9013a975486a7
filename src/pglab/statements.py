"""Statements as PostgreSQL's JSON log tells of them.

Source: PostgreSQL manual, "Using JSON-Format Log Output"; the messages are those of
``log_statement`` in ``src/backend/tcop/postgres.c``, the same from version 15 to 18.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace
from typing import Any

from pglab.commands import command_of, one_name
from pglab.errors import TooManyStatements

__all__ = ["Statement", "StatementReader", "parse_parameters"]

_LINE_LIMIT = 4 << 20
"""Bytes kept of one line of the log; a longer statement is shown cut."""
_TOTAL_LIMIT = 64 << 20
"""Bytes of one role's lines that are read into memory at once."""

_CLIENT = "client backend"
_EXECUTED = re.compile(r"execute (?P<fetch>fetch from )?.*?: (?P<text>.*)", re.DOTALL)
_FASTPATH = "fastpath function call: "
_PARAMETER = re.compile(r"\$\d+ = (?:(?P<null>NULL)|'(?P<value>(?:[^']|'')*+)')(?:, |\Z)")
_CONTROL = frozenset({"BEGIN", "COMMIT", "ROLLBACK", "SAVEPOINT", "RELEASE"})
_EXTENDED = ("PARSE", "BIND")
_BEFORE_EXECUTION = (*_EXTENDED, "idle")
"""What the process title says when an error comes before the statement itself is logged."""


@dataclass(frozen=True)
class Statement:
    """One statement that a client sent."""

    text: str
    """The SQL, verbatim; several statements sent as one string stay one."""
    kind: str
    """The command as PostgreSQL names it: SELECT, INSERT, BEGIN, SAVEPOINT …"""
    parameters: tuple[str | None, ...]
    """Values sent apart from the text, as PostgreSQL writes them; None is NULL. Each is cut at
    ``log_parameter_max_length`` (64 kB on the kit's servers), with three points at its end."""
    sqlstate: str | None
    """The code of the error that ended it, or None."""
    error: str | None
    """The message of that error."""
    session_id: str
    role: str
    database: str
    prepared: bool
    """Sent by the extended query protocol: the text and the parameters apart."""
    timestamp: str
    """When it began, as the log has it: ``2026-01-31 12:00:00.123 UTC``."""
    truncated: bool = False
    """It is longer than what is kept; ``text`` or ``parameters`` is only its beginning."""

    @property
    def is_transaction_control(self) -> bool:
        """It begins, ends or divides a transaction."""
        return self.kind in _CONTROL


class StatementReader:
    """Turns the bytes of a log into statements, piece by piece, in bounded memory.

    Args:
        role, database: keep only the statements of these.
    """

    def __init__(self, *, role: str | None = None, database: str | None = None) -> None:
        self._role = role
        self._database = database
        # Most lines belong to others: they are passed over without being parsed.
        self._needle = (
            f'"user":{json.dumps(role, ensure_ascii=False)}'.encode()
            if role and role.isascii()
            else b""
        )
        self._line = _Line()
        self._kept = 0
        self._found: list[Statement] = []
        self._last_of_session: dict[str, int] = {}

    def feed(self, chunk: bytes) -> None:
        """Read the next bytes of the log; they may end anywhere, also inside a character."""
        start = 0
        while (newline := chunk.find(b"\n", start)) >= 0:
            self._line.add(chunk[start:newline])
            self._read(self._line)
            self._line = _Line()
            start = newline + 1
        self._line.add(chunk[start:])

    def finish(self) -> list[Statement]:
        """The statements found; what is left of a line that is not whole yet is not one."""
        return self._found

    def _read(self, line: _Line) -> None:
        if self._needle not in line.kept:
            return
        entry = line.entry()
        if entry is None or not self._wanted(entry):
            return
        self._kept += len(line.kept)
        if self._kept > _TOTAL_LIMIT:
            raise TooManyStatements(
                f"More than {_TOTAL_LIMIT >> 20} MB of statements were sent; that is more than the "
                "kit reads at once."
            )
        severity = entry.get("error_severity")
        if severity == "LOG":
            self._logged(entry, line.long)
        elif severity in {"ERROR", "FATAL", "PANIC"}:
            self._failed(entry, line.long)

    def _wanted(self, entry: dict[str, Any]) -> bool:
        return (
            entry.get("backend_type") == _CLIENT
            and self._role in (None, entry.get("user"))
            and self._database in (None, entry.get("dbname"))
        )

    def _logged(self, entry: dict[str, Any], long: bool) -> None:
        message = entry.get("message")
        if not isinstance(message, str) or "statement" in entry or "context" in entry:
            return  # the RAISE LOG of a function, however it is worded
        if message.startswith("statement: "):
            self._append(_statement(entry, message.removeprefix("statement: "), False, long))
        elif message.startswith(_FASTPATH):
            self._append(replace(_statement(entry, message, False, long), kind="FASTPATH"))
        elif found := _EXECUTED.fullmatch(message):
            statement = _statement(entry, found["text"], True, long)
            # More rows of a statement that was seen before: a round trip, not another query.
            self._append(replace(statement, kind="FETCH") if found["fetch"] else statement)

    def _failed(self, entry: dict[str, Any], long: bool) -> None:
        """Attach an error to its statement, or take it as a statement that got no further.

        A statement that cannot be parsed or whose parameters are not accepted is never logged as a
        statement; its error tells of it. The process title says how far it came.
        """
        sqlstate, error = str(entry.get("state_code", "")), str(entry.get("message", ""))
        title, text = _title(entry), entry.get("statement")
        if not title.startswith(_BEFORE_EXECUTION):
            index = self._last_of_session.get(str(entry.get("session_id", "")))
            if index is not None and self._found[index].sqlstate is None:
                self._found[index] = replace(self._found[index], sqlstate=sqlstate, error=error)
        elif isinstance(text, str):
            statement = _statement(entry, text, title.startswith(_EXTENDED), long)
            self._append(replace(statement, sqlstate=sqlstate, error=error))

    def _append(self, statement: Statement) -> None:
        self._last_of_session[statement.session_id] = len(self._found)
        self._found.append(statement)


def _title(entry: dict[str, Any]) -> str:
    title = entry.get("ps")
    return title if isinstance(title, str) else ""


def _statement(entry: dict[str, Any], text: str, prepared: bool, truncated: bool) -> Statement:
    # By the extended protocol the title has the command by now, which the text cannot belie.
    tag = _title(entry).split(" ", maxsplit=1)[0]
    known = prepared and tag.isupper() and tag not in _EXTENDED
    return Statement(
        text=text,
        kind=one_name(tag) if known else command_of(text),
        parameters=parse_parameters(str(entry.get("detail", ""))) if prepared else (),
        sqlstate=None,
        error=None,
        session_id=str(entry.get("session_id", "")),
        role=str(entry.get("user", "")),
        database=str(entry.get("dbname", "")),
        prepared=prepared,
        timestamp=str(entry.get("timestamp", "")),
        truncated=truncated,
    )


class _Line:
    """One line of the log, or the beginning of one that is too long to be kept."""

    def __init__(self) -> None:
        self.kept = bytearray()
        self.long = False
        self._rest = b""
        self._raised = False

    def add(self, piece: bytes) -> None:
        """The next bytes of the line."""
        room = _LINE_LIMIT - len(self.kept)
        self.kept += piece[:room]
        if len(piece) > room:
            self.long = True
            # Whether a function raised it stands at the end. Inside a string the quotes would be
            # escaped, so these bytes are a key wherever they are found.
            rest = self._rest + piece[room:]
            self._raised = self._raised or b',"context":' in rest or b',"statement":' in rest
            self._rest = rest[-16:]

    def entry(self) -> dict[str, Any] | None:
        """The line as a dictionary, or None where it is not one.

        Names in a request for a connection may be any bytes, so a line may not be UTF-8.
        """
        text = self.kept.decode("utf-8", "replace")
        if self.long:  # cut inside a string, since only strings are that long
            text = _without_cut_escape(text.rstrip("\ufffd")) + '"}'
        try:
            entry = json.loads(text)
        except (ValueError, RecursionError):
            return None
        if not isinstance(entry, dict):
            return None
        if self.long:
            entry.setdefault("backend_type", _CLIENT)
            if self._raised:
                entry.setdefault("context", "")
        return entry


def _without_cut_escape(text: str) -> str:
    """The beginning of a JSON text without the half of an escape that it may end in."""
    for length in range(5):
        stem, rest = text[: len(text) - length], text[len(text) - length :]
        if rest and not re.fullmatch(r"u[0-9a-fA-F]{0,3}", rest):
            continue
        backslashes = len(stem) - len(stem.rstrip("\\"))
        if backslashes % 2:
            return stem[:-1]
    return text


def parse_parameters(detail: str) -> tuple[str | None, ...]:
    """The values in a detail like ``Parameters: $1 = 'it''s', $2 = NULL``.

    PostgreSQL 15 begins it with a small letter.
    """
    head, colon, _ = detail.partition(": ")
    if head.lower() != "parameters":
        return ()
    values: list[str | None] = []
    position = len(head) + len(colon)
    while found := _PARAMETER.match(detail, position):
        values.append(None if found["null"] else found["value"].replace("''", "'"))
        position = found.end()
    return tuple(values)
