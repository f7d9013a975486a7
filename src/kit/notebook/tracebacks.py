"""Short tracebacks for errors of the database: the lines of the cell, not those of the libraries.

An error of the server passes through twenty functions of SQLAlchemy and psycopg on its way to the
cell, and is then shown twice. A learner needs the line of their own and the message. ``%tb`` still
shows everything.
"""

from __future__ import annotations

import sys
import sysconfig
from pathlib import Path
from types import TracebackType
from typing import Any

import psycopg
from sqlalchemy.exc import SQLAlchemyError

from kit.errors import KitError
from kit.notebook.errors import NotebookError
from pglab.errors import PglabError
from tracker.errors import TrackerError

SHORTENED = (SQLAlchemyError, psycopg.Error, KitError, PglabError, TrackerError)
"""Errors whose message says what happened, so that the way they took does not matter."""

_LIBRARIES = tuple(
    str(Path(sysconfig.get_path(name)).resolve()) for name in ("stdlib", "purelib", "platlib")
)


def shorten(shell: Any) -> None:
    """Show short tracebacks in this shell from now on."""
    shell.set_custom_exc(SHORTENED, _shown)


def restore(shell: Any) -> None:
    """Undo `shorten`."""
    shell.set_custom_exc((), None)


def _shown(
    shell: Any,
    kind: type[BaseException],
    error: BaseException,
    trace: TracebackType | None,
    tb_offset: int | None = None,
) -> list[str]:
    """What IPython calls to show the error; it returns the lines, and shows them."""
    sys.last_type, sys.last_value, sys.last_traceback = kind, error, trace  # for %tb and %debug
    sys.last_exc = error  # type: ignore[attr-defined]  # read from Python 3.12 on
    if isinstance(error, NotebookError):
        lines = error._render_traceback_()
    else:
        cause, context = error.__cause__, error.__suppress_context__
        error.__cause__ = None  # SQLAlchemy's error repeats the words of psycopg's
        try:
            lines = shell.InteractiveTB.structured_traceback(
                kind, error, without_libraries(trace), tb_offset
            )
        finally:
            error.__cause__, error.__suppress_context__ = cause, context
        lines = [*lines, "(%tb shows the lines of the libraries as well.)"]
    shell._showtraceback(kind, error, lines)
    return list(lines)


def without_libraries(trace: TracebackType | None) -> TracebackType | None:
    """The traceback up to the last line that is not in a library."""
    steps = []
    while trace is not None:
        steps.append(trace)
        trace = trace.tb_next
    while len(steps) > 1 and _in_library(steps[-1]):
        steps.pop()
    shorter = None
    for step in reversed(steps):
        shorter = TracebackType(shorter, step.tb_frame, step.tb_lasti, step.tb_lineno)
    return shorter


def _in_library(step: TracebackType) -> bool:
    name = step.tb_frame.f_code.co_filename
    return name.startswith((*_LIBRARIES, "<frozen", sys.prefix)) or "site-packages" in name
