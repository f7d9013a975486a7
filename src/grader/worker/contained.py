"""The first process of a container: it knocks at the judge's door, then is the one cell there."""

from __future__ import annotations

import os
import socket
from typing import Any

from grader.worker import cell, zygote
from grader.worker.limits import Limits


def main(options: dict[str, Any]) -> None:
    """Serve until the judge hangs up.

    Args:
        options: ``door`` (the path of the judge's socket), ``limits``, ``scratch`` (directories
            that are fresh for every check).

    Raises:
        OSError: the judge is not there.
    """
    os.environ.pop("HOSTNAME", None)  # the engine's, which tells the container's name
    channel = socket.socket(socket.AF_UNIX)
    channel.connect(options["door"])
    zygote.warm_up(isolated=True)
    limits = Limits.from_plain(options["limits"])
    cell.start(channel, limits, isolated=True, contained=True, scratch=options["scratch"])
