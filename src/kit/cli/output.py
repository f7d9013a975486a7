"""What commands write: results to standard output, everything else to standard error."""

from __future__ import annotations

import codecs
import contextlib
import io
import json
import os
import sys
import unicodedata
from collections.abc import Iterator
from typing import Any, TextIO

import click

PLAIN = {
    "…": "...", "–": "-", "—": "-", "·": "-", "•": "*", "→": "->", "←": "<-", "×": "x",
    "≥": ">=", "≤": "<=", "‘": "'", "’": "'", "“": '"', "”": '"', "✓": "+", "✔": "+", "✗": "x",
    "✘": "x", "█": "#", "░": ".", "▁": "_", "▂": ".", "▃": ":", "▄": "-", "▅": "=", "▆": "+",
    "▇": "*",
}  # fmt: skip
"""What stands for a character where the output's encoding does not have it."""

ERROR_HANDLER = "kit.plain"


def prepare_streams() -> None:
    """Let output in any encoding succeed: what an encoding lacks is shown in a plain form."""
    codecs.register_error(ERROR_HANDLER, _plainly)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors=ERROR_HANDLER)


def say(text: str) -> None:
    """Tell the user what is going on, beside the results."""
    # The stream is named: click would put UTF-8 into one that says ASCII.
    click.echo(text, file=sys.stderr)


def print_json(data: Any) -> None:
    """Print ``data`` as the one JSON document of this command's output."""
    encoding = (getattr(sys.stdout, "encoding", "") or "").lower().replace("-", "")
    click.echo(json.dumps(data, indent=2, ensure_ascii=encoding != "utf8"), file=sys.stdout)


@contextlib.contextmanager
def quiet_children() -> Iterator[None]:
    """While inside, processes that are started say nothing on standard error; this one does.

    A worker that Ctrl-C meets while it starts would tell of it in a stack trace. KIT_DEBUG=1 lets
    them speak.
    """
    if debugging() or not _is_standard_error(sys.stderr):
        yield
        return
    before = sys.stderr
    before.flush()
    kept = os.dup(2)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    sys.stderr = open(  # noqa: SIM115 - closed below
        kept, "w", buffering=1, encoding=before.encoding, errors=ERROR_HANDLER
    )
    try:
        yield
    finally:
        sys.stderr.flush()
        os.dup2(kept, 2)
        sys.stderr.close()
        sys.stderr = before
        os.close(nowhere)


def debugging() -> bool:
    """Whether the user asked for all there is to see, with ``KIT_DEBUG=1``."""
    return os.environ.get("KIT_DEBUG", "0") not in {"", "0"}


def _is_standard_error(stream: TextIO) -> bool:
    try:
        return stream.fileno() == 2
    except (OSError, ValueError):
        return False


def _plainly(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return "".join(map(_plain, error.object[error.start : error.end])), error.end


def _plain(char: str) -> str:
    """A form of ``char`` that is ASCII: its stand-in, its base letter, or a question mark."""
    for form in (PLAIN.get(char, ""), unicodedata.normalize("NFKD", char)[:1]):
        if form and form.isascii() and form.isprintable():
            return form
    return "?"
