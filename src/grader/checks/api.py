"""The instrument ``api``: an ASGI application of the submission, served in the sandbox and asked by
real HTTP requests over a Unix socket.

Example::

    @check("What was stored is there after a restart", points=3)
    def test_restart(db, api):
        api.start()
        made = api.post("/tracks", json={"title": "Joins"})
        assert made.status == 201, hint("A track could not be stored.", actual=made.text)
        api.restart()
        assert api.get("/tracks").json() == [{"id": made.json()["id"], "title": "Joins"}]

The application runs in a process of its own, beside `student`. It is told of its database by the
environment variable ``DATABASE_URL``, or by the argument of a factory. It needs uvicorn, which
comes with the kit's extra ``api``. Answers are the submission's word; what is stored is read by
``db``.
"""

from __future__ import annotations

import contextlib
import http.client
import importlib.util
import json as jsons
import shutil
import socket
import tempfile
import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from grader.checks.gathering import gather
from grader.checks.inside import serve_app
from grader.checks.rivals import Rivals
from grader.checks.student import Student
from grader.checks.verdict import NotPassed
from grader.errors import CheckError, JudgeError, SandboxError
from grader.findings import misshapen
from grader.results import Failure, Reason
from grader.text import clean
from grader.worker.limits import Limits

if TYPE_CHECKING:
    from grader.examination import Examination

_MOST_BYTES = 8 * 1024 * 1024
_MOST_CLIENTS = 8
_HELD_S = 0.8 * Limits().statement_seconds
"""How long a statement may wait at a gate. The server soon ends one that waits longer."""


@dataclass(frozen=True, slots=True)
class Response:
    """What the application answered."""

    request: str
    """The request in words: ``GET /tracks``."""
    status: int
    headers: Mapping[str, str]
    """By lower-case name; of several with one name, the last."""
    body: bytes

    @property
    def text(self) -> str:
        """The body as text without control characters, cut after some thousand characters."""
        return clean(self.body)

    def json(self) -> Any:
        """The body, read as JSON.

        Raises:
            NotPassed: it is none.
        """
        try:
            return jsons.loads(self.body)
        except (ValueError, RecursionError) as error:
            raise NotPassed(_no_json(self)) from error


class Api:
    """The application of one check's submission."""

    def __init__(self, examination: Examination) -> None:
        self._examination = examination
        self._rivals = Rivals(examination)
        self._folder: Path | None = None
        self._student: Student | None = None
        self._how: tuple[str, bool] = ("app", False)

    def start(self, app: str = "app", *, factory: bool = False) -> None:
        """Serve the application, and wait until it has started.

        Args:
            app: its name in the submission's module; ``web:app`` is that of another file's.
            factory: whether it is a function that makes the application, from the database's URL.

        Raises:
            NotPassed: it does not start.
        """
        if self._student is not None:
            raise CheckError("The application runs already; restart() begins anew.")
        if importlib.util.find_spec("uvicorn") is None:
            raise JudgeError('Applications are served by uvicorn: pip install "kit[api]".')
        self._how = (app, factory)
        if self._folder is None:
            self._folder = Path(tempfile.mkdtemp(prefix="kit-api-"))
            self._examination.at_end(self._remove)
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
            self._path.unlink(missing_ok=True)
            listener.bind(str(self._path))
            listener.listen(128)
            student = self._examination.another_student(listener.fileno(), counted=False)
        (descriptor,) = student.runner.descriptors
        student.begin_drive(serve_app, app, factory, descriptor, commit=False)
        student.judged(student.outcome(), name=f"Starting {app}")
        self._student = student

    def stop(self) -> None:
        """Kill the application's process, as a machine that fails does."""
        if self._student is not None:
            self._examination.sitting.seat.end(self._student.runner)
            self._student = None

    def restart(self) -> None:
        """Kill the application's process and start it anew, on the same database."""
        self.stop()
        self.start(self._how[0], factory=self._how[1])

    def get(self, path: str, *, headers: Mapping[str, str] | None = None) -> Response:
        return self.request("GET", path, headers=headers)

    def post(
        self, path: str, *, json: Any = None, headers: Mapping[str, str] | None = None
    ) -> Response:
        return self.request("POST", path, json=json, headers=headers)

    def put(
        self, path: str, *, json: Any = None, headers: Mapping[str, str] | None = None
    ) -> Response:
        return self.request("PUT", path, json=json, headers=headers)

    def patch(
        self, path: str, *, json: Any = None, headers: Mapping[str, str] | None = None
    ) -> Response:
        return self.request("PATCH", path, json=json, headers=headers)

    def delete(self, path: str, *, headers: Mapping[str, str] | None = None) -> Response:
        return self.request("DELETE", path, headers=headers)

    def request(
        self,
        method: str,
        path: str,
        *,
        json: Any = None,
        headers: Mapping[str, str] | None = None,
    ) -> Response:
        """Send one request over a connection of its own.

        Args:
            path: with its query, as it is sent.
            json: the body; None for no body.

        Raises:
            NotPassed: no answer came in the time that a call may take, or none that is HTTP.
        """
        try:
            response = self._ask(method, path, json, headers)
        finally:
            self._examination.called()
        self._examination.answered(partial(_misshapen, response))
        return response

    def together(
        self, *requests: tuple[str, str, Any] | tuple[str, str], gate: str | None = None
    ) -> list[Response]:
        """Send requests at the same time, each over a connection of its own.

        Args:
            requests: method, path and, where there is one, the JSON body.
            gate: a table: requests that write to it wait there until all have come as far as they
                can, and then go on together (see `grader.checks.rivals.Rivals.gate`). Those that
                are still working are waited for, as long as one can wait there.
        """
        if not 1 <= len(requests) <= _MOST_CLIENTS:
            raise CheckError(f"From 1 to {_MOST_CLIENTS} requests can be sent together.")
        self._running()
        seconds = self._examination.exercise.seconds
        whole = [(r[0], r[1], r[2] if len(r) == 3 else None) for r in requests]
        with ThreadPoolExecutor(len(whole)) as clients:
            with self._rivals.gate(gate) if gate else contextlib.nullcontext():
                patience = seconds * 2 if gate else seconds
                asked = [clients.submit(self._ask, *one, None, patience) for one in whole]
                if gate:
                    self._gather(asked)
            try:
                responses = [one.result() for one in asked]
            finally:
                self._examination.called()
        self._examination.answered(partial(_misshapen, responses[-1]))
        return responses

    @property
    def output(self) -> str:
        """What the application printed while it started."""
        return self._student.printed if self._student else ""

    @property
    def _path(self) -> Path:
        assert self._folder is not None
        return self._folder / "socket"

    def _running(self) -> Student:
        """The application's process.

        Raises:
            CheckError: it was not started.
        """
        if self._student is None:
            raise CheckError("The application does not run; start() comes first.")
        return self._student

    def _ask(
        self,
        method: str,
        path: str,
        json: Any,
        headers: Mapping[str, str] | None,
        patience: float | None = None,
    ) -> Response:
        self._running()
        name = f"{method} {path}"
        seconds = self._examination.exercise.seconds
        body = None if json is None else jsons.dumps(json).encode()
        sent = {"Content-Type": "application/json"} if body is not None else {}
        patience = patience or seconds
        connection = _Connection(self._path, patience)
        # An answer may also come drop by drop, each in time.
        watch = threading.Timer(patience, connection.cut)
        watch.daemon = True
        watch.start()
        try:
            connection.request(method, path, body, {**sent, **(headers or {})})
            got = connection.getresponse()
            content = got.read(_MOST_BYTES + 1)
            if connection.was_cut:
                raise NotPassed(_late(name, seconds))
            if len(content) > _MOST_BYTES:
                raise NotPassed(_too_much(name))
            return Response(name, got.status, {k.lower(): v for k, v in got.getheaders()}, content)
        except (OSError, http.client.HTTPException) as error:
            if connection.was_cut or isinstance(error, TimeoutError):
                raise NotPassed(_late(name, seconds)) from error
            raise NotPassed(_no_answer(name, error)) from error
        finally:
            watch.cancel()
            connection.close()

    def _gather(self, asked: Sequence[Future[Response]]) -> None:
        """Wait until each request has come as far as it can; see `grader.checks.gathering`."""
        seat, runner = self._examination.sitting.seat, self._running().runner
        # Of a cell that has gone, the requests tell.
        with contextlib.suppress(SandboxError):
            gather(
                lambda: sum(not one.done() for one in asked),
                self._rivals.sessions,
                lambda: seat.processor_seconds(runner),
                seconds=self._examination.exercise.seconds,
                held=_HELD_S,
            )

    def _remove(self) -> None:
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)


class _Connection(http.client.HTTPConnection):
    """HTTP over a Unix socket."""

    def __init__(self, path: Path, seconds: float) -> None:
        super().__init__("localhost", timeout=seconds)
        self._path = path
        self._seconds = seconds
        self.was_cut = False
        # HTTPConnection lets go of its own where the end of the answer is the end of everything.
        self._held = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)

    def connect(self) -> None:
        self.sock = self._held
        self.sock.settimeout(self._seconds)
        self.sock.connect(str(self._path))

    def cut(self) -> None:
        """End it from another thread; whoever reads finds that there is no more."""
        self.was_cut = True
        with contextlib.suppress(OSError):
            self._held.shutdown(socket.SHUT_RDWR)


def _late(name: str, seconds: float) -> Failure:
    return Failure(
        Reason.TIMEOUT,
        f"{clean(name, 200)} was not answered within {seconds:g} seconds.",
        question="Is there a loop that cannot end, or a lock that is never given back?",
    )


def _no_answer(name: str, error: Exception) -> Failure:
    return Failure(
        Reason.KILLED,
        f"{clean(name, 200)} got no answer that is HTTP.",
        question="Does something in your code leave the program?",
        actual=clean(f"{type(error).__name__}: {error}", 300),
    )


def _too_much(name: str) -> Failure:
    return Failure(
        Reason.LIMIT,
        f"The answer to {clean(name, 200)} is larger than {_MOST_BYTES // (1024 * 1024)} MB.",
        question="How many rows does a client need at once?",
    )


def _no_json(response: Response) -> Failure:
    return Failure(
        Reason.ASSERTION,
        f"{clean(response.request, 200)} was answered with status {response.status} and a body "
        "that is not JSON.",
        misconception="",
        question="What does your application answer here, and what does the README ask for?",
        actual=response.text[:600],
    )


def _misshapen(response: Response) -> Failure:
    return misshapen(
        f"The answer to {clean(response.request, 200)}",
        "Which fields and types does the README ask for, and what came?",
        f"status {response.status}, {response.text[:600]}",
    )
