"""A process forked for one check: gets ready, waits to be asked, answers, and tidies up.

It is asked by its keeper, which hands it the connection to whoever wants the check. When they hang
up before they have their answer, as after Ctrl-C, the check is broken off.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import secrets
import signal
import socket
import sys
import threading
import traceback
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from grader.worker import control, namespaces
from kit.cli.options import processors

if TYPE_CHECKING:
    from grader.results import Grading
    from grader.standby import Standby
    from pglab.servers.server import Server

_LIBRARIES = (
    "grader.batch",
    "grader.plugin",
    "grader.session",
    "grader.standby",
    "grader.checks.data",
    "grader.checks.faults",
    "grader.checks.plan",
    "grader.checks.probe",
    "grader.checks.rivals",
    "grader.checks.schema",
)


_LANES = 2
"""Checks that run side by side, where there are processors for them. For each a judge is made
ready, which takes longer than a few checks do: not while somebody waits."""


def import_all() -> None:
    """Import what checks need, for those that are forked to have it."""
    for name in _LIBRARIES:
        importlib.import_module(name)


def warm_up() -> None:
    """Import it, and what only a run of pytest imports."""
    import_all()
    from grader import session

    session.warm_up()


def attachment(server: Server) -> dict[str, Any]:
    """What an attendant needs to know of the server."""
    from pglab.servers.attached import Attachment

    return Attachment.of(server).to_plain()


def complain() -> None:
    """Write what went wrong to the keeper's log, unless it is that the end was asked for."""
    if not isinstance(sys.exception(), KeyboardInterrupt):
        traceback.print_exc()


def attend(
    channel: socket.socket,
    expected: Mapping[str, Any],
    socket_dir: Path,
    server: Mapping[str, Any] | None,
    *,
    hurry: bool,
) -> None:
    """Serve one check.

    Args:
        channel: to the keeper.
        expected: what is likely to be asked for.
        socket_dir: where the server's socket is or will be.
        server: its `attachment`; None where the keeper will tell when the server is there.
        hurry: somebody waits already, so less is made ready.
    """
    if sys.platform == "linux":
        namespaces.die_with_parent(signal.SIGKILL)
    from grader.standby import Standby

    with contextlib.ExitStack() as stack:
        standby = Standby(
            socket_dir,
            choice=expected["sandbox"],
            seed=_drawn(expected["seed"]),
            lanes=1 if hurry else min(processors(), _LANES),
        )
        stack.callback(standby.close)
        import_all()
        if server is None:
            server = _receive(channel)[0]["server"]
        _attach(standby, server)
        _prepare(standby, expected)
        request, (connection, *streams) = _receive(channel)
        asking = stack.enter_context(socket.socket(fileno=connection))
        if any(request[name] != expected[name] for name in ("sandbox", "seed")):
            standby.close()
            standby = Standby(socket_dir, choice=request["sandbox"], seed=_drawn(request["seed"]))
            stack.callback(standby.close)
            _attach(standby, server)
        _answer(asking, request, streams, standby)
        control.send(channel, {"answered": True})


def _receive(channel: socket.socket) -> tuple[dict[str, Any], list[int]]:
    """What the keeper says next; where it has gone there is nothing left to do."""
    received = control.receive(channel)
    if received is None:
        raise KeyboardInterrupt
    return received


def _attach(standby: Standby, server: Mapping[str, Any]) -> None:
    from pglab.servers.attached import AttachedServer, Attachment

    standby.attach(AttachedServer(Attachment(**server)))


def _prepare(standby: Standby, expected: Mapping[str, Any]) -> None:
    """Make ready what an exercise needs. One that is broken is told of when it is checked."""
    from grader.catalog import load_course
    from grader.errors import CatalogError

    with contextlib.suppress(CatalogError, OSError):
        course = load_course(Path(expected["course_root"]))
        if len(expected["exercises"]) == 1:
            standby.prepare(course.select(expected["exercises"]))


def _answer(
    asking: socket.socket, request: Mapping[str, Any], streams: list[int], standby: Standby
) -> None:
    """Check, and say what was found, but not where the kit was at fault: then whoever asked does it
    without us, and finds out why.
    """
    from grader import batch
    from grader.results import CheckResult, check_to_json, to_json

    def progress(done: int, total: int) -> None:
        with contextlib.suppress(OSError):
            _say(asking, {"progress": [done, total]})

    def found(exercise: str, result: CheckResult) -> None:
        with contextlib.suppress(OSError):
            _say(asking, {"found": [exercise, check_to_json(result)]})

    with _listened_to(asking), _at(request, streams):
        grading = batch.check(
            request["exercises"],
            course_root=Path(request["course_root"]),
            home=Path(),  # a standby keeps nothing there
            standby=standby,
            first=request["first"],
            progress=progress,
            found=found,
        )
    if errors := [*_errors(grading)]:
        print(*errors, sep="\n", file=sys.stderr, flush=True)  # to the keeper's log
    else:
        _say(asking, {"grading": to_json(grading)})


def _errors(grading: Grading) -> Iterator[str]:
    """Why checks could not be judged."""
    from grader.results import Outcome

    for submission in grading.submissions:
        for exercise in submission.exercises:
            for check in exercise.checks:
                if check.outcome is Outcome.ERROR:
                    why = check.failure.message if check.failure else "nobody knows why"
                    yield f"{exercise.exercise}, {check.name}: {why}"


def _say(asking: socket.socket, message: Mapping[str, Any]) -> None:
    asking.sendall(json.dumps(message).encode() + b"\n")


@contextlib.contextmanager
def _listened_to(asking: socket.socket) -> Iterator[None]:
    """While inside, the main thread is interrupted when the other side hangs up."""
    over = threading.Event()
    main = threading.get_ident()

    def listen() -> None:
        with contextlib.suppress(OSError):
            asking.recv(1)  # nothing more comes until they hang up
        if not over.is_set():
            signal.pthread_kill(main, signal.SIGINT)

    threading.Thread(target=listen, daemon=True).start()
    try:
        yield
    finally:
        over.set()


@contextlib.contextmanager
def _at(request: Mapping[str, Any], streams: list[int]) -> Iterator[None]:
    """While inside, check files find what they would find in the process of whoever asked: its
    environment, directory and output. Other processes that are started there say nothing on
    standard error (`kit.cli.output.quiet_children`).
    """
    os.environ.clear()
    os.environ.update(request["environment"])
    os.chdir(request["cwd"])
    output, errors = streams
    os.dup2(output, sys.stdout.fileno())
    os.close(output)
    told = sys.stderr
    sys.stderr = open(  # noqa: SIM115 - closed below
        errors, "w", buffering=1, encoding=told.encoding
    )
    try:
        yield
    finally:
        # Whoever reads that output waits until the last one who could write to it has let go.
        with contextlib.suppress(OSError):
            sys.stdout.flush()
            sys.stderr.close()
        sys.stderr = told
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)


def _drawn(seed: int | None) -> int:
    return secrets.randbelow(2**31) if seed is None else int(seed)
