"""The sandboxes that student code runs in: one interface, several backends, chosen by trying.

==========  ====================================================================================
bubblewrap  Linux namespaces for each submission, a read-only system, no network, no ``/proc``
process     a child process with limits on time and resources, nothing more: for your own work
==========  ====================================================================================
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from grader.errors import SandboxError
from grader.sandbox.base import Sandbox
from grader.sandbox.bubblewrap import BubblewrapSandbox
from grader.sandbox.cell import Cell
from grader.sandbox.outcomes import Answer, Ended, Raised, Unusable
from grader.sandbox.process import ProcessSandbox
from grader.sandbox.runner import Runner

__all__ = [
    "Answer",
    "BubblewrapSandbox",
    "Cell",
    "Ended",
    "ProcessSandbox",
    "Raised",
    "Runner",
    "Sandbox",
    "Unusable",
    "open_sandbox",
]


def open_sandbox(choice: str, *, socket_dir: Path, own_work: bool, seed: int = 0) -> Sandbox:
    """A started sandbox.

    Args:
        choice: ``auto``, ``bubblewrap`` or ``process``.
        socket_dir: the directory of PostgreSQL's Unix socket, the only way out of the sandbox.
        own_work: whether the code is the user's own, so that ``auto`` may fall back on a mere
            process.
        seed: of the run: the order of sets in student code depends on it, and on nothing else.

    Raises:
        SandboxError: no such sandbox, or none that works here.
    """
    backends: dict[str, type[Sandbox]] = {
        "bubblewrap": BubblewrapSandbox,
        "process": ProcessSandbox,
    }
    # Not the seed itself: student code can read it, and the checks' data is made from that.
    hash_seed = int.from_bytes(hashlib.sha256(f"sets {seed}".encode()).digest()[:4])
    if choice != "auto":
        if choice not in backends:
            msg = f"There is no sandbox called {choice!r}. Choose auto, {', '.join(backends)}."
            raise SandboxError(msg)
        return backends[choice](socket_dir, hash_seed=hash_seed).start()
    try:
        return BubblewrapSandbox(socket_dir, hash_seed=hash_seed).start()
    except SandboxError as error:
        if own_work:
            return ProcessSandbox(socket_dir, hash_seed=hash_seed).start()
        msg = (
            f"Other people's code needs a sandbox, and bubblewrap does not work here: {error} "
            "Install bubblewrap (for example: apt install bubblewrap), or, if you trust every "
            "submission, ask for --sandbox process."
        )
        raise SandboxError(msg) from error
