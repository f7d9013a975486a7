"""The sandboxes that student code runs in: one interface, several backends, chosen by trying.

==========  ====================================================================================
bubblewrap  Linux namespaces for each submission, a read-only system, no network, no ``/proc``
container   a container for each submission: no network, a read-only root, no capabilities
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
from grader.sandbox.container import ContainerSandbox
from grader.sandbox.outcomes import Answer, Ended, Raised, Unusable
from grader.sandbox.process import ProcessSandbox
from grader.sandbox.runner import Runner

__all__ = [
    "Answer",
    "BubblewrapSandbox",
    "Cell",
    "ContainerSandbox",
    "Ended",
    "ProcessSandbox",
    "Raised",
    "Runner",
    "Sandbox",
    "Unusable",
    "open_sandbox",
]

BACKENDS: dict[str, type[Sandbox]] = {
    "bubblewrap": BubblewrapSandbox,
    "container": ContainerSandbox,
    "process": ProcessSandbox,
}
"""By name."""


def open_sandbox(choice: str, *, socket_dir: Path, own_work: bool, seed: int = 0) -> Sandbox:
    """A started sandbox.

    Args:
        choice: ``auto``, ``bubblewrap``, ``container`` or ``process``.
        socket_dir: the directory of PostgreSQL's Unix socket, the only way out of the sandbox.
        own_work: whether the code is the user's own, so that ``auto`` may fall back on a mere
            process.
        seed: of the run: the order of sets in student code depends on it, and on nothing else.

    Raises:
        SandboxError: no such sandbox, or none that works here.
    """
    # Not the seed itself: student code can read it, and the checks' data is made from that.
    hash_seed = int.from_bytes(hashlib.sha256(f"sets {seed}".encode()).digest()[:4])
    if choice != "auto":
        if choice not in BACKENDS:
            msg = f"There is no sandbox called {choice!r}. Choose auto, {', '.join(BACKENDS)}."
            raise SandboxError(msg)
        return BACKENDS[choice](socket_dir, hash_seed=hash_seed).start()
    problems = []
    # One's own work need not wait for a container.
    for backend in (BubblewrapSandbox, ProcessSandbox if own_work else ContainerSandbox):
        sandbox: Sandbox = backend(socket_dir, hash_seed=hash_seed)
        try:
            sandbox.start()
            if isinstance(sandbox, ContainerSandbox):  # only one that runs shows that it can
                sandbox.wait_ready()
            return sandbox
        except SandboxError as error:
            sandbox.close()
            problems.append(str(error))
    if own_work:
        raise SandboxError(problems[-1])
    raise SandboxError(
        f"Other people's code needs a sandbox, and none works here. {' '.join(problems)} Install "
        "bubblewrap (for example: apt install bubblewrap) or start a container engine; or, if you "
        "trust every submission, ask for --sandbox process."
    )
