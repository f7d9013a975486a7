"""The zygote: imports once what submissions need, then forks a cell for each of them.

It runs no student code and holds nothing of any submission. The judge speaks to it over one socket
that keeps message boundaries; a request for a cell brings the cell's own control socket along as a
file descriptor.
"""

from __future__ import annotations

import importlib
import json
import os
import signal
import socket
import sys
from typing import Any

from grader.worker import cell
from grader.worker.limits import Limits

PRELOADED = (
    "sqlalchemy",
    "sqlalchemy.orm",
    "sqlalchemy.dialects.postgresql.psycopg",
    "psycopg",
)


def main(arguments: list[str]) -> None:
    """Serve until the judge hangs up.

    Args:
        arguments: one JSON object: ``control`` (file descriptor), ``isolated`` (whether cells get
            namespaces),
            ``user`` (a user id to become first, or null).
    """
    options: dict[str, Any] = json.loads(arguments[0])
    if options["user"] is not None:
        os.setgroups([])
        os.setgid(options["user"])
        os.setuid(options["user"])
    sys.path[:] = [p for p in sys.path if p not in options.get("hidden_paths", [])]
    control = socket.socket(fileno=options["control"])
    for module in PRELOADED:
        importlib.import_module(module)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    control.send(json.dumps({"ready": True, "pid": os.getpid()}).encode())
    while True:
        message, descriptors, _, _ = socket.recv_fds(control, cell.CONTROL_BYTES, 4)
        if not message:
            return
        request = json.loads(message)
        if os.fork() == 0:
            control.close()
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            try:
                cell.start(
                    socket.socket(fileno=descriptors[0]),
                    Limits.from_plain(request["limits"]),
                    isolated=options["isolated"],
                )
            finally:
                os._exit(0)
        for descriptor in descriptors:
            os.close(descriptor)
