"""The zygote: imports once what submissions need, then forks a cell for each of them.

It runs no student code and holds nothing of any submission. A request for a cell brings the cell's
own control channel along as a file descriptor.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import logging
import os
import signal
import socket
import sys
import traceback
from typing import Any, NoReturn

from grader.worker import cell, control, engines, hugepages
from grader.worker.limits import Limits

PRELOADED = (
    "sqlalchemy",
    "sqlalchemy.orm",
    "sqlalchemy.dialects.postgresql.psycopg",
    "psycopg",
)
ISOLATING = ("grader.worker.namespaces", "grader.worker.seccomp")
"""Linux only."""


def main(options: dict[str, Any]) -> None:
    """Serve until the judge hangs up.

    Args:
        options: ``control`` (file descriptor), ``isolated`` (whether cells get
            namespaces), ``user`` (a user id to become first, or null), ``scratch`` (directories
            that a cell with namespaces gets fresh).
    """
    if options["user"] is not None:
        os.setgroups([])
        os.setgid(options["user"])
        os.setuid(options["user"])
    channel = socket.socket(fileno=options["control"])
    warm_up(isolated=options["isolated"])
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    control.send(channel, {"ready": True})
    while (received := control.receive(channel)) is not None:
        request, descriptors = received
        if request["op"] == "meet":
            control.send(channel, _meet(request["url"]))
            continue
        if request["op"] == "preload":
            _preload(request["modules"])
            control.send(channel, {"ready": True})
            continue
        user, group = os.getuid(), os.getgid()
        try:
            pid = cell.fork(isolated=options["isolated"])
        except OSError:
            traceback.print_exc()  # the judge, who waits for the cell, sees its channel closed
        else:
            if pid == 0:
                channel.close()
                _become_cell(descriptors[0], request, options, user=user, group=group)
        for descriptor in descriptors:
            os.close(descriptor)


def warm_up(*, isolated: bool) -> None:
    """Do once what every runner would do by itself, and leave memory so that forks can share it."""
    for module in (*PRELOADED, *(ISOLATING if isolated else ())):
        importlib.import_module(module)
    # What these have to tell comes or does not as the server is quick: it is for a submission that
    # asks for it, and is not printed where nobody has said what becomes of it.
    for library in ("psycopg", "sqlalchemy"):
        logging.getLogger(library).addHandler(logging.NullHandler())
    from sqlalchemy import create_engine, literal, select
    from sqlalchemy.orm import Session

    engine = create_engine("postgresql+psycopg://")  # connects to nothing
    select(literal(1)).compile(engine)
    Session(engine).close()
    _settle()


def _settle() -> None:
    """Leave memory so that it can be shared and need not be written to."""
    gc.collect()
    gc.freeze()  # a collection in a runner would otherwise write to every page it shares
    hugepages.collapse()


def _preload(modules: list[str]) -> None:
    """Import what cells made from now on will need, and practise what is done with it; what is not
    installed is theirs to find out.
    """
    for module in modules:
        with contextlib.suppress(ImportError):
            importlib.import_module(module)
    if "fastapi" in modules and "fastapi" in sys.modules:
        _practise_serving()
    _settle()


def _practise_serving() -> None:
    from grader.worker.serving import practice

    try:
        practice.practise()
    except Exception:
        traceback.print_exc()  # runners work all the same, a little slower


def _meet(url: str) -> dict[str, Any]:
    """Learn once about the server what every runner would ask it."""
    try:
        engines.meet(url)
    except Exception as error:
        return {"problem": f"{type(error).__name__}: {error}"}
    _settle()
    return {"problem": None}


def _become_cell(
    descriptor: int, request: dict[str, Any], options: dict[str, Any], *, user: int, group: int
) -> NoReturn:
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    try:
        limits = Limits.from_plain(request["limits"])
        channel = socket.socket(fileno=descriptor)
        cell.start(
            channel,
            limits,
            isolated=options["isolated"],
            user=user,
            group=group,
            scratch=options.get("scratch", ()),
        )
    except BaseException:  # the last frame of a forked child: nothing may unwind into the zygote
        traceback.print_exc()
    finally:
        os._exit(0)
