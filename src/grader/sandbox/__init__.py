"""The sandboxes that student code runs in: one interface, several backends, chosen by trying.

==========  ====================================================================================
bubblewrap  Linux namespaces for each submission, a read-only system, no network, no ``/proc``
process     a child process with limits on time and resources, nothing more: for your own work
==========  ====================================================================================
"""

from __future__ import annotations

from pathlib import Path

from grader.errors import SandboxError
from grader.sandbox.base import Answer, Cell, Ended, Raised, Runner, Sandbox, Unusable
from grader.sandbox.bubblewrap import BubblewrapSandbox
from grader.sandbox.process import ProcessSandbox

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


def open_sandbox(choice: str, *, socket_dir: Path, own_work: bool) -> Sandbox:
    """A started sandbox.

    Args:
        choice: ``auto``, ``bubblewrap`` or ``process``.
        socket_dir: the directory of PostgreSQL's Unix socket, the only way out of the sandbox.
        own_work: whether the code is the user's own, so that ``auto`` may fall back on a mere
            process.

    Raises:
        SandboxError: no such sandbox, or none that works here.
    """
    backends: dict[str, type[Sandbox]] = {
        "bubblewrap": BubblewrapSandbox,
        "process": ProcessSandbox,
    }
    if choice != "auto":
        if choice not in backends:
            msg = f"There is no sandbox called {choice!r}. Choose auto, {', '.join(backends)}."
            raise SandboxError(msg)
        return backends[choice](socket_dir).start()
    try:
        return BubblewrapSandbox(socket_dir).start()
    except SandboxError as error:
        if own_work:
            return ProcessSandbox(socket_dir).start()
        msg = (
            f"Other people's code needs a sandbox, and bubblewrap does not work here: {error} "
            "Install bubblewrap (for example: apt install bubblewrap), or, if you trust every "
            "submission, ask for --sandbox process."
        )
        raise SandboxError(msg) from error
