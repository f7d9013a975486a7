"""The process that runs student code: one per check, forked clean, ended afterwards.

It reads requests from the judge, one at a time, and answers each with a value or with the exception
that the student's code raised. From the moment that student code has been imported nothing in this
process can be trusted, and the judge trusts nothing of it.
"""

from __future__ import annotations

import contextlib
import importlib
import os
import sys
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from grader import wire
from grader.worker.durations import lasted
from grader.worker.engines import engine_for
from grader.worker.limits import Limits, broken_limit
from grader.worker.plain import to_plain

_CHUNK = 65_536
_MAX_FRAMES = 6
_MAX_BASES = 12


class Channel:
    """A two-way stream of frames over one or two file descriptors."""

    def __init__(self, read: int, write: int) -> None:
        self._read = read
        self._write = write
        self._buffer = wire.FrameBuffer()

    def receive(self) -> dict[str, Any] | None:
        """The next request; None where the judge has hung up."""
        while (message := self._buffer.next()) is None:
            chunk = os.read(self._read, _CHUNK)
            if not chunk:
                return None
            self._buffer.feed(chunk)
        return message

    def send(self, message: dict[str, Any]) -> None:
        view = memoryview(wire.frame(message))
        while view:
            view = view[os.write(self._write, view) :]


def serve(descriptor: int, home: Path, limits: Limits) -> None:
    """Answer requests until the judge hangs up.

    Args:
        descriptor: the socket to the judge.
        home: the directory for the submission's files; empty, and this process's own.
        limits: that hold for this process, to be named where student code runs into one.
    """
    channel = Channel(descriptor, descriptor)
    student = _Student(home)
    while (request := channel.receive()) is not None:
        answer: dict[str, Any] = {"id": request["id"]}
        try:
            answer["value"] = student.answer(request)
        except wire.WireError as error:
            answer["unsendable"] = str(error)
        except BaseException as error:  # SystemExit and KeyboardInterrupt are answers too
            answer.pop("value", None)
            answer["raised"] = _describe(error, home, limits)
        with contextlib.suppress(Exception):
            sys.stdout.flush()
            sys.stderr.flush()
        _send(channel, answer)


def _send(channel: Channel, answer: dict[str, Any]) -> None:
    try:
        channel.send(answer)
    except wire.WireError as error:
        channel.send({"id": answer["id"], "unsendable": str(error)})


class _Student:
    """The submission's module, and a session for each call on this check's database."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._engine: Engine
        self._module = ModuleType("submission")

    def answer(self, request: dict[str, Any]) -> Any:
        if request["op"] in ("connect", "open"):
            self._engine = engine_for(request["url"])
            # For a submission that makes connections of its own.
            os.environ["DATABASE_URL"] = request["url"]
        if request["op"] in ("import", "open"):
            self._import(request)
        if request["op"] in ("connect", "import", "open"):
            return None
        return self._run(request)

    def _import(self, request: dict[str, Any]) -> None:
        for name, text in request["files"].items():
            (self._home / name).write_bytes(wire.decode(text))
        # Last on the path: a file called json.py is the student's own, and the standard library
        # stays what it is.
        sys.path.append(str(self._home))
        sys.dont_write_bytecode = True
        if request["module"]:  # some submissions are SQL alone
            self._module = importlib.import_module(request["module"])

    def _run(self, request: dict[str, Any]) -> Any:
        """What the call returns, made plain while its session is open."""
        arguments = wire.decode(request["args"])
        keywords = wire.decode(request["kwargs"])
        with _session(self._engine, commit=request["commit"]) as session:
            if request["op"] == "call":
                function = getattr(self._module, request["function"], None)
                if not callable(function):
                    raise MissingFunction(request["function"])
                value = function(session, *arguments, **keywords)
            else:
                driver = _driver(request["source"], request["function"])
                try:
                    value = driver(session, self._module, *arguments, **keywords)
                except AttributeError as error:
                    if error.obj is self._module and error.name:
                        raise MissingFunction(error.name) from None
                    raise
            return to_plain(value)


class MissingFunction(Exception):
    """The module has no such function. The judge knows this class by name."""


def _driver(source: str, name: str) -> Callable[..., Any]:
    namespace: dict[str, Any] = {"__name__": "driver"}
    exec(compile(source, "<driver>", "exec"), namespace)  # noqa: S102 - the check author's own code
    function: Callable[..., Any] = namespace[name]
    return function


@contextlib.contextmanager
def _session(engine: Engine, *, commit: bool) -> Iterator[Session]:
    """The caller's unit of work. Objects keep their values after a commit, so that reading them
    sends nothing.
    """
    with Session(engine, expire_on_commit=False) as session:
        try:
            yield session
        except BaseException:
            session.rollback()
            raise
        if commit:
            session.commit()
        else:
            session.rollback()


def _describe(error: BaseException, home: Path, limits: Limits) -> dict[str, Any]:
    """What the judge is told about an exception: names, message, SQLSTATE, the student's own
    frames.
    """
    original = getattr(error, "orig", None)
    frames = [
        {
            "file": str(Path(f.filename).relative_to(home)),
            "line": f.lineno,
            "name": f.name,
            "code": f.line,
        }
        for f in traceback.extract_tb(error.__traceback__)
        if f.filename.startswith(str(home) + os.sep)
    ]
    message = _message(error)
    described: dict[str, Any] = {
        "type": type(error).__name__,
        "bases": [base.__name__ for base in type(error).__mro__[:_MAX_BASES]],
        "message": message + broken_limit(error, message, limits, lasted(error)),
        "sqlstate": getattr(original or error, "sqlstate", None),
        "frames": frames[-_MAX_FRAMES:],
    }
    if isinstance(error, SyntaxError):
        described["syntax"] = {
            "file": Path(error.filename or "").name,
            "line": error.lineno,
            "code": (error.text or "").rstrip(),
        }
    return described


def _message(error: BaseException) -> str:
    original = getattr(error, "orig", None)
    try:
        return str(original if original is not None else error)[:2000]
    except Exception:
        return "(its message could not be read)"
