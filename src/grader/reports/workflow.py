"""Text that runners of workflows take for commands, made harmless or made on purpose.

GitHub's runner obeys ``::command::`` at the start of a line, white space aside, and
``##[command]`` anywhere in it; Azure's obeys ``##vso[…]``.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable

from grader.reports.text import legible, one_line

_AT_START = re.compile(r"^(\s*):(?=:)")
_ANYWHERE = re.compile(r"##(?=\w*\[)")
_COLON = "\ua789"
_SHARP = "\u266f"


def harmless(line: str) -> str:
    """One line with lookalikes of the same width where a runner would see a command."""
    return _ANYWHERE.sub(f"#{_SHARP}", _AT_START.sub(rf"\1{_COLON}", line))


def command(name: str, message: str, **properties: str | int) -> str:
    """A command for GitHub's runner, on one line.

    Args:
        name: ``error``, ``warning``, ``notice`` …
        message: what it says; may have several lines.
        properties: ``file``, ``line``, ``title`` …; those that are empty are left out.
    """
    given = ",".join(
        f"{key}={_property(str(value))}"
        for key, value in properties.items()
        if value not in ("", 0)
    )
    return f"::{name}{' ' if given else ''}{given}::{_escaped(legible(message))}"


def quoted(lines: Iterable[str]) -> list[str]:
    """Lines among which the runner obeys nothing: between two halves of ``::stop-commands::``.

    The word that ends it is a hash of the lines themselves, so that they cannot hold it.
    """
    calm = [harmless(line) for line in lines]
    token = hashlib.sha256("\n".join(calm).encode(errors="replace")).hexdigest()
    return [f"::stop-commands::{token}", *calm, f"::{token}::"]


def _escaped(text: str) -> str:
    text = "\n".join(harmless(line) for line in text.split("\n"))
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _escaped(one_line(text)).replace(":", "%3A").replace(",", "%2C")
