"""A web server on this machine, for this machine."""

from __future__ import annotations

import copy
import errno
import socket
from typing import TYPE_CHECKING, Any

from kit.errors import WrongUsage

if TYPE_CHECKING:
    from starlette.types import ASGIApp

PATIENCE_S = 3
"""How long answers that are under way may take once the server is asked to end."""


def listen(host: str, port: int) -> socket.socket:
    """Take the port, before anything else is started.

    Args:
        host: the address to be reached at; 127.0.0.1 is reached from this machine only.
        port: 0 for any that is free.

    Raises:
        WrongUsage: the port is taken or closed to this user, or the address is not this machine's.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family)
    except (OSError, OverflowError) as error:
        number = getattr(error, "errno", None)
        if number == errno.EADDRINUSE:
            msg = (
                f"Port {port} is in use: another program answers there, maybe a kit that still "
                f"runs. End it, or choose another port: --port {min(port + 1, 65535)}."
            )
        elif number == errno.EACCES:
            msg = f"Port {port} is only for administrators. Choose one above 1023: --port 8000."
        else:
            msg = f"Nobody can be reached at {host}, port {port}: {error}."
        raise WrongUsage(msg) from error


def run(app: ASGIApp, listening: socket.socket, *, log_requests: bool) -> None:
    """Answer requests until Ctrl-C.

    Args:
        app: the application.
        listening: as `listen` gave it.
        log_requests: whether to write a line for each request to standard error.
    """
    import uvicorn
    from uvicorn.config import LOGGING_CONFIG

    logging: dict[str, Any] = copy.deepcopy(LOGGING_CONFIG)
    logging["handlers"]["access"]["stream"] = "ext://sys.stderr"
    logging["loggers"]["uvicorn.error"]["level"] = "WARNING"
    config = uvicorn.Config(
        app,
        log_config=logging,
        access_log=log_requests,
        server_header=False,
        timeout_graceful_shutdown=PATIENCE_S,
    )
    uvicorn.Server(config).run(sockets=[listening])
