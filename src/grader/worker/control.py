"""The control channels between judge, zygote and cells: JSON lines that bring file descriptors.

A stream socket is used and not one that keeps message boundaries, because only a stream tells on
every system when the other side has gone. Standard library only.
"""

from __future__ import annotations

import json
import socket
import struct
from collections.abc import Mapping, Sequence
from typing import Any

_CHUNK = 65_536
_MOST_DESCRIPTORS = 4
_CREDENTIALS = struct.Struct("iII")
"""Process, user and group: Linux's ``struct ucred``."""


def send(
    channel: socket.socket, message: Mapping[str, Any], descriptors: Sequence[int] = ()
) -> None:
    """Send a message, with copies of these file descriptors.

    Raises:
        OSError: the other side has gone.
    """
    line = json.dumps(message).encode() + b"\n"
    sent = socket.send_fds(channel, [line], list(descriptors)) if descriptors else 0
    if sent < len(line):  # to send nothing fails where who has read it all has gone already
        channel.sendall(line[sent:])


def tell_senders(channel: socket.socket) -> None:
    """From now on `sender` knows who sends, where the system can tell (Linux)."""
    if hasattr(socket, "SO_PASSCRED"):
        channel.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)


def sender(channel: socket.socket) -> int:
    """The process that has sent the next message, by its number here, whatever it is where that
    process lives; the kernel says so. 0 where it does not, or the other side has gone.

    Raises:
        TimeoutError: there is no next message within the channel's timeout.
    """
    if not hasattr(socket, "SCM_CREDENTIALS"):
        return 0
    size = socket.CMSG_SPACE(_CREDENTIALS.size)
    try:
        _, told, _, _ = channel.recvmsg(1, size, socket.MSG_PEEK)
    except ConnectionError:
        return 0
    for level, kind, content in told:
        if (level, kind) == (socket.SOL_SOCKET, socket.SCM_CREDENTIALS):
            return int(_CREDENTIALS.unpack(content)[0])
    return 0


def receive(channel: socket.socket) -> tuple[dict[str, Any], list[int]] | None:
    """The next message and its file descriptors; None where the other side has gone.

    What comes after it stays on its way, with the descriptors that it brings.

    Raises:
        TimeoutError: none came within the channel's timeout.
    """
    line, descriptors = b"", []
    while not line.endswith(b"\n"):
        try:
            waiting = channel.recv(_CHUNK, socket.MSG_PEEK)
            if not waiting:
                return None
            size = waiting.find(b"\n") + 1 or len(waiting)
            chunk, more, _, _ = socket.recv_fds(channel, size, _MOST_DESCRIPTORS)
        except ConnectionError:
            return None
        descriptors += more
        line += chunk
    message: dict[str, Any] = json.loads(line)
    return message, descriptors
