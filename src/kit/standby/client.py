"""Asks the checker that stays ready for a check, and starts it where there is none."""

from __future__ import annotations

import contextlib
import json
import os
import select
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kit.standby import place

if TYPE_CHECKING:
    from grader.gathered import Found
    from grader.results import Grading

DEFAULT_MINUTES = 10.0
_HEARD_SECONDS = 20.0
"""How long it may take until the checker says that it has heard; the check itself may take longer.
"""
_SHORT_SECONDS = 2.0
_TICK_SECONDS = 0.05
_CHUNK = 65_536


class Outdated(Exception):
    """The answer of a check is no longer wanted."""


def minutes() -> float:
    """How long a checker waits for the next check: ``KIT_WARM``, or ten minutes; 0 for none at all.

    A machine that builds and tests (``CI``) is left as it was found.
    """
    if sys.platform != "linux":
        return 0.0
    asked = os.environ.get("KIT_WARM", "")
    if not asked:
        return 0.0 if os.environ.get("CI") else DEFAULT_MINUTES
    with contextlib.suppress(ValueError):
        return max(0.0, float(asked))
    return DEFAULT_MINUTES


def check(
    exercises: Sequence[str],
    *,
    course_root: Path,
    home: Path,
    sandbox: str = "auto",
    seed: int | None = None,
    first: Sequence[str] = (),
    progress: Callable[[int, int], None] = lambda done, total: None,
    found: Found = lambda exercise, result: None,
    outdated: Callable[[], bool] = lambda: False,
) -> Grading | None:
    """What `grader.batch.check` finds, by the checker that stays ready; None where it is not to be
    had, or could not do it: then whoever asks does it without, and finds out why.

    Args:
        outdated: asked every now and then whether the answer is still wanted.

    Raises:
        Outdated: it is not.
    """
    if not minutes():
        return None
    request = {
        "op": "check",
        "course_root": str(course_root),
        "exercises": list(exercises),
        "sandbox": sandbox,
        "seed": seed,
        "first": list(first),
        "cwd": os.getcwd(),
        "environment": dict(os.environ),
    }
    with contextlib.suppress(OSError), _asked(home, request, outdated) as answers:
        for answer in answers:
            if "progress" in answer:
                progress(*answer["progress"])
            if "found" in answer:
                from grader.results import check_from_json

                exercise, result = answer["found"]
                found(exercise, check_from_json(result))
            if "grading" in answer:
                from grader.results import from_json

                return from_json(answer["grading"])
    return None


@contextlib.contextmanager
def stay(home: Path) -> Iterator[None]:
    """While inside, the checker that is there does not end for want of work."""
    with contextlib.ExitStack() as stack:
        with contextlib.suppress(OSError):
            if connection := place.connect(place.folder(home)):
                stack.enter_context(connection)
                _send(connection, {"op": "stay"})
        yield


def status(home: Path) -> Mapping[str, Any] | None:
    """What the checker that is there tells of itself: ``pid``, ``busy`` and ``minutes`` until it
    ends; None where there is none.
    """
    return _told(home, {"op": "status"})


def end(home: Path) -> bool:
    """End the checker that is there, and wait until it and its server are gone; whether there was
    one.
    """
    return _told(home, {"op": "end"}, seconds=_HEARD_SECONDS) is not None


def _told(
    home: Path, request: Mapping[str, Any], seconds: float = _SHORT_SECONDS
) -> Mapping[str, Any] | None:
    if not (home / "standby").is_dir():
        return None
    with contextlib.suppress(OSError), contextlib.ExitStack() as stack:
        if connection := place.connect(place.folder(home)):
            stack.enter_context(connection)
            connection.settimeout(seconds)
            _send(connection, request)
            return next(_answers(connection), None)
    return None


@contextlib.contextmanager
def _asked(
    home: Path, request: Mapping[str, Any], outdated: Callable[[], bool]
) -> Iterator[Iterator[dict[str, Any]]]:
    """The answers of a checker that has heard the request. One that is out of date ends when it
    hears it, and then there is another.

    Raises:
        OSError: there is none, or it is gone.
    """
    mark = place.fingerprint()
    for _ in range(2):
        with _connected(home, mark, request) as connection:
            connection.settimeout(_HEARD_SECONDS)
            _send(connection, {**request, "fingerprint": mark}, _streams())
            if next(_answers(connection), {}).get("heard"):
                yield _answers(connection, outdated)
                return
    raise ConnectionError("The checker that stays ready does not answer.")


def _connected(home: Path, mark: str, request: Mapping[str, Any]) -> socket.socket:
    from pglab.servers.locks import FileLock

    folder = place.folder(home)
    if connection := place.connect(folder):
        return connection
    with FileLock(folder / "lock"):
        if connection := place.connect(folder):
            return connection
        _start(home, folder, mark, request)
        if connection := place.connect(folder):
            return connection
    raise ConnectionError("The checker that stays ready did not start.")


def _start(home: Path, folder: Path, mark: str, request: Mapping[str, Any]) -> None:
    """Start a checker that gets ready for this request. Its socket is ours, so nobody has to wait
    until it has one.
    """
    with place.listen(folder) as listener, open(folder / "log.txt", "wb") as log:
        expected = ("course_root", "exercises", "sandbox", "seed")
        options = {
            "home": str(home),
            "listener": listener.fileno(),
            "fingerprint": mark,
            "minutes": minutes(),
            "expected": {name: request[name] for name in expected},
        }
        subprocess.Popen(
            [sys.executable, "-P", "-m", "kit.standby", json.dumps(options)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=log,
            pass_fds=[listener.fileno()],
            start_new_session=True,
            cwd="/",
        )


def _streams() -> tuple[int, int]:
    """Where a check file's own output goes, as it would if it ran in this process."""
    try:
        return sys.stdout.fileno(), sys.stderr.fileno()
    except (OSError, ValueError):  # a stream that is no file, as in a test
        return 1, 2


def _send(
    connection: socket.socket, message: Mapping[str, Any], descriptors: Sequence[int] = ()
) -> None:
    from grader.worker import control

    control.send(connection, message, descriptors)


def _answers(
    connection: socket.socket, outdated: Callable[[], bool] | None = None
) -> Iterator[dict[str, Any]]:
    """The lines that come, until the other side hangs up: as long as the connection waits, or with
    ``outdated`` as long as that is false.
    """
    rest = b""
    while True:
        if outdated is not None:
            while not select.select([connection], [], [], _TICK_SECONDS)[0]:
                if outdated():
                    raise Outdated
        chunk = connection.recv(_CHUNK)
        if not chunk:
            return
        *lines, rest = (rest + chunk).split(b"\n")
        for line in lines:
            answer: dict[str, Any] = json.loads(line)
            yield answer
