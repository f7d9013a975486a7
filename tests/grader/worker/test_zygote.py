"""A zygote outlives a cell that cannot be made."""

from __future__ import annotations

import socket
import subprocess
import sys

from grader.worker import control
from grader.worker.limits import Limits

ZYGOTE = """
import os, sys
from grader.worker import cell, zygote

forks = []

def refused_once(*, isolated):
    forks.append(isolated)
    if len(forks) == 1:
        raise OSError(11, "clone: Resource temporarily unavailable")
    return os.fork()

cell.fork = refused_once
zygote.main({"control": int(sys.argv[1]), "isolated": False, "user": None})
"""


def test_a_cell_that_cannot_be_made_leaves_the_zygote_alone() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        zygote = subprocess.Popen(
            [sys.executable, "-c", ZYGOTE, str(theirs.fileno())],
            pass_fds=[theirs.fileno()],
            stderr=subprocess.PIPE,
            text=True,
        )
        theirs.close()
        assert control.receive(ours) == ({"ready": True}, [])
        refused = ask_for_a_cell(ours)
        with refused:
            assert control.receive(refused) is None
        with ask_for_a_cell(ours) as made:
            received = control.receive(made)
            assert received is not None
            assert received[0]["ready"]
        ours.close()
        _, complaint = zygote.communicate(timeout=30)
    assert zygote.returncode == 0
    assert "Resource temporarily unavailable" in complaint


def ask_for_a_cell(zygote: socket.socket) -> socket.socket:
    ours, theirs = socket.socketpair()
    with theirs:
        control.send(zygote, {"op": "cell", "limits": Limits().to_plain()}, [theirs.fileno()])
    return ours
