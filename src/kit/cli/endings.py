"""How a run of ``kit`` ends when it does not end well: one clear message, the right exit code."""

from __future__ import annotations

import contextlib
import errno
import os
import re
import signal
import sys
import traceback
from dataclasses import dataclass

import click

from kit.cli.output import debugging, say

EXPECTED = {
    "kit.errors.KitError": 3,
    "grader.errors.SubmissionError": 2,
    "grader.errors.UnknownName": 2,
    "grader.errors.ReportInputError": 2,
    "grader.errors.ResumeError": 2,
    "grader.errors.SigningError": 2,
    "grader.errors.GraderError": 3,
    "pglab.errors.PglabError": 3,
    "tracker.errors.BackupBroken": 1,
    "tracker.errors.MigrationError": 2,
    "tracker.errors.SeedingError": 2,
    "tracker.errors.TargetNotEmpty": 2,
    "tracker.errors.TrackerError": 3,
}
"""Errors that the packages foresee and the exit code of each, unless the error has one itself.

By name, so that a command that never touched a package need not import it in order to fail."""

EXTRAS = {
    "grade": {"pytest", "xdist", "testcontainers", "jinja2", "sqlparse"},
    "lab": {"jupyterlab", "sql", "prettytable", "nbval", "IPython", "ipykernel"}
    | {"fastapi", "sqladmin", "starlette", "uvicorn", "wtforms"},
    "sign": {"cryptography"},
    "dask": {"dask", "distributed"},
}
"""What an optional part of the kit brings along, by the names that are imported."""

MADE = {"grade", "lab"}
"""Those that a target of the Makefile sets up."""

MACHINE = {
    errno.ENOSPC,
    errno.EDQUOT,
    errno.EROFS,
    errno.EACCES,
    errno.EPERM,
    errno.EMFILE,
    errno.ENFILE,
    errno.ENOMEM,
}
"""System errors that say all there is to say: the disk is full, a folder is closed."""


class Stopped(KeyboardInterrupt):
    """The user or the system asked this process to end."""

    def __init__(self, number: int = signal.SIGINT) -> None:
        super().__init__()
        self.number = number


@dataclass(frozen=True, slots=True)
class Ending:
    """What is said at the end, and the exit code."""

    code: int
    message: str = ""


def tell(error: BaseException) -> int:
    """Say what happened on standard error and return the exit code of this run.

    Args:
        error: whatever came out of the command.
    """
    if isinstance(error, click.exceptions.Exit):
        return error.exit_code
    if isinstance(error, BrokenPipeError):
        return _reader_left()
    if debugging():
        say("".join(traceback.format_exception(error)))
    with contextlib.suppress(BrokenPipeError):
        if isinstance(error, click.UsageError):
            error.show(sys.stderr)
            return error.exit_code
        ending = ending_of(error)
        if ending.message:
            say(plain(ending.message))
        return ending.code
    return _reader_left()


def ending_of(error: BaseException) -> Ending:
    """The ending that ``error`` means; an unexpected one is written to a file first."""
    return _wanted(error) or _foreseen(error) or Ending(3, _unexpected(error))


def _wanted(error: BaseException) -> Ending | None:
    """Somebody, or something, asked for the end."""
    if isinstance(error, KeyboardInterrupt):
        return Ending(128 + getattr(error, "number", signal.SIGINT), "Stopped.")
    if isinstance(error, click.Abort | EOFError):
        # click's prompts turn both Ctrl-C and the end of the input into Abort.
        if isinstance(error.__context__, KeyboardInterrupt):
            return Ending(130, "\nStopped.")
        return Ending(2, "\nError: A question was asked and nobody is there to answer. See --help.")
    if isinstance(error, SystemExit):
        return Ending(error.code if isinstance(error.code, int) else 3 if error.code else 0)
    return None


def _foreseen(error: BaseException) -> Ending | None:
    names = [f"{base.__module__}.{base.__qualname__}" for base in type(error).__mro__]
    for name in names:
        if name in EXPECTED:
            return Ending(getattr(error, "exit_code", EXPECTED[name]), f"Error: {error}")
    if isinstance(error, click.ClickException):
        return Ending(3, f"Error: {error.format_message()}")
    for explain in (_postgres_said, _machine_said, _part_missing):
        if message := explain(error, names):
            return Ending(3, f"Error: {message}")
    return None


def plain(message: str) -> str:
    """``message`` without passwords of URLs and without control characters."""
    message = re.sub(r"(://[^/?#\s]*?:)[^/?#\s]*(?=@)", r"\1***", message)
    return "".join(c if c in "\n\t" or c.isprintable() else "�" for c in message)


def _postgres_said(error: BaseException, names: list[str]) -> str:
    if "sqlalchemy.exc.DBAPIError" in names:
        error = getattr(error, "orig", None) or error
    elif "psycopg.Error" not in names:
        return ""
    said = str(error).strip()
    return f"PostgreSQL, or the way to it, failed: {said}\nkit doctor looks for the cause."


def _machine_said(error: BaseException, _names: list[str]) -> str:
    if isinstance(error, MemoryError):
        return "This machine has no memory left for the kit. End other programs and try again."
    if isinstance(error, OSError) and error.errno in MACHINE:
        where = f" ({error.filename})" if error.filename else ""
        return f"The system refused: {error.strerror}{where}. kit doctor looks for the cause."
    return ""


def _part_missing(error: BaseException, _names: list[str]) -> str:
    if not isinstance(error, ModuleNotFoundError) or not error.name:
        return ""
    for extra, modules in EXTRAS.items():
        if error.name.partition(".")[0] in modules:
            here = f"make {extra}" if extra in MADE else f".venv/bin/pip install -e '.[{extra}]'"
            return (
                f"This needs {error.name}, which is not installed. In the project's folder: "
                f"{here}. Elsewhere: pip install 'kit[{extra}]'."
            )
    return ""


def _unexpected(error: BaseException) -> str:
    from kit.cli import crash

    what = traceback.format_exception_only(error)[-1].strip()
    return (
        f"Error: The kit failed in a way that nobody foresaw: {what}\n"
        f"The details are in {crash.write(error)}. kit doctor looks for causes on this machine."
    )


def _reader_left() -> int:
    """The reader of a pipe left: Python must not try to say the rest at its own end."""
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 128 + 13
