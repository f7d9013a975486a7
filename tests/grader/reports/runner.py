"""GitHub's runner, as far as its log goes: which lines it takes for commands.

After ``ActionCommand.TryParseV2``, ``ActionCommand.TryParse`` and ``ActionCommandManager`` of
github.com/actions/runner.
"""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import unquote

KNOWN = {
    "add-mask", "add-matcher", "add-path", "debug", "echo", "endgroup", "error", "group", "notice",
    "remove-matcher", "save-state", "set-env", "set-output", "stop-commands", "warning",
}  # fmt: skip


@dataclass(frozen=True)
class Obeyed:
    """A command that the runner carried out."""

    name: str
    properties: dict[str, str]
    data: str


def obeyed(log: str) -> list[Obeyed]:
    """The commands in a log, in order, except those between stop-commands and its end."""
    found: list[Obeyed] = []
    token = ""
    for line in log.split("\n"):
        command = _parsed(line, token)
        if command is None:
            continue
        if token:
            token = "" if command.name == token else token
        elif command.name == "stop-commands":
            token = command.data
        else:
            found.append(command)
    assert not token, "commands were stopped and never allowed again"
    return found


def _parsed(line: str, token: str) -> Obeyed | None:
    text = line.lstrip()
    if text.startswith("::") and (end := text.find("::", 2)) > 0:
        command = _command(text[2:end], text[end + 2 :], ",", token)
        if command:
            return command
    start = line.find("##[")
    end = line.find("]", start)
    if start >= 0 and end >= 0:
        return _command(line[start + 3 : end], line[end + 1 :], ";", token)
    return None


def _command(head: str, data: str, separator: str, token: str) -> Obeyed | None:
    name, _, rest = head.partition(" ")
    if name not in KNOWN and (not token or name != token):
        return None
    pairs = (pair.split("=", 1) for pair in rest.split(separator) if "=" in pair)
    return Obeyed(name, {key.strip(): unquote(value) for key, value in pairs}, unquote(data))
