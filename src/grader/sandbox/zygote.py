"""A sandbox of forked cells: they come from a zygote that has imported its libraries."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import sys
from abc import abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

from grader.errors import SandboxError
from grader.sandbox import base
from grader.sandbox.base import WORKER, Invitation, Sandbox
from grader.sandbox.cell import Cell
from grader.text import clean
from grader.worker import control
from grader.worker.limits import Limits

_START_SECONDS = 60.0


class ZygoteSandbox(Sandbox):
    """A zygote in its backend, and the cells forked from it."""

    def __init__(self, socket_dir: Path, *, hash_seed: int = 0) -> None:
        super().__init__(socket_dir, hash_seed=hash_seed)
        self._control: socket.socket | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._ready = self._has_met = False
        self._preloaded: set[str] = set()

    @abstractmethod
    def _command(self, worker: Sequence[str], control: int) -> list[str]:
        """The command that runs ``worker`` in this backend, with ``control`` left open."""

    def _worker_options(self) -> dict[str, Any]:
        return {"isolated": self.isolated, "user": None}

    def start(self) -> Self:
        """Start the zygote and return at once; it imports its libraries meanwhile.

        Raises:
            SandboxError: the backend does not work on this machine.
        """
        if not hasattr(os, "fork"):
            raise SandboxError(
                "Student code runs in forked processes, which this system does not have. Check and "
                "grade on Linux or macOS; on Windows, inside WSL."
            )
        ours, theirs = socket.socketpair()
        options = {**self._worker_options(), "control": theirs.fileno()}
        worker = [sys.executable, "-s", "-P", str(WORKER), json.dumps(options)]
        try:
            self._process = subprocess.Popen(
                self._command(worker, theirs.fileno()),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                pass_fds=[theirs.fileno()],
                start_new_session=True,
                env=self._environment(),
            )
        except OSError as error:
            ours.close()
            msg = f"{self.name} could not be started: {error.strerror}."
            raise SandboxError(msg) from error
        finally:
            theirs.close()
        ours.settimeout(_START_SECONDS)
        self._control = ours
        self._ready = False
        self._preloaded.clear()
        return self

    def wait_ready(self) -> None:
        """Wait until the zygote has imported its libraries.

        Raises:
            SandboxError: it ended instead; the message says what it printed.
        """
        if self._ready:
            return
        assert self._control is not None, "start() comes first"
        try:
            received = control.receive(self._control)
        except OSError:
            received = None
        if received is None:
            raise SandboxError(f"{self.name} did not start: {self._last_words()}")
        self._control.settimeout(base.CONTROL_SECONDS)
        self._ready = True

    def meet(self, invite: Invitation) -> None:
        """Let the zygote connect to a database once, so that later processes know the server; see
        `Sandbox.meet`.
        """
        with self._mutex:
            if self._has_met:
                return
            self._has_met = True
            self.wait_ready()
            assert self._control is not None
            with invite() as url:
                try:
                    control.send(self._control, {"op": "meet", "url": url}, [])
                    received = control.receive(self._control)
                except OSError as error:
                    raise SandboxError(f"{self.name} does not answer: {error}") from error
        problem = "it ended" if received is None else received[0]["problem"]
        if problem:
            raise SandboxError(f"{self.name} could not meet the server: {problem}")

    def preload(self, modules: Sequence[str]) -> None:
        """Have the zygote import them: what cells do not have to import they do not wait for.

        One that has ended is not told; its cells import for themselves what they need.
        """
        with self._mutex:
            new = [module for module in modules if module not in self._preloaded]
            if not new or self._control is None:
                return
            self.wait_ready()
            with contextlib.suppress(OSError):
                control.send(self._control, {"op": "preload", "modules": new})
                control.receive(self._control)
                self._preloaded.update(new)
                self._close_ahead()  # it was made without them

    def _new_cell(self, limits: Limits) -> Cell:
        """A cell that is being made, from a new zygote where there is none any more."""
        if self._process is not None and self._process.poll() is not None:
            self._end()
        if self._control is None:
            self.start()
        self.wait_ready()
        assert self._control is not None
        ours, theirs = socket.socketpair()
        ours.settimeout(base.CONTROL_SECONDS)
        control.tell_senders(ours)
        try:
            request = {"op": "cell", "limits": limits.to_plain()}
            control.send(self._control, request, [theirs.fileno()])
            theirs.close()
            return Cell(ours, limits, self._last_words, isolated=self.isolated)
        except OSError as error:
            ours.close()
            raise SandboxError(f"{self.name} is gone: {self._last_words()}") from error
        except BaseException:
            ours.close()
            raise
        finally:
            theirs.close()

    def _break_off(self) -> None:
        process = self._process
        if process is not None and process.poll() is None:
            self._kill(process)

    def _end(self) -> None:
        """End the zygote. What was not closed before goes with it, or when it notices."""
        self._close_ahead()
        if self._control is not None:
            self._control.close()
            self._control = None
        process, self._process = self._process, None
        if process is None:
            return
        if process.poll() is None:
            self._kill(process)
        process.wait()
        if process.stderr:
            process.stderr.close()

    def _kill(self, process: subprocess.Popen[bytes]) -> None:
        """End the zygote, which still runs. Its cells notice, tidy up and follow."""
        process.kill()

    def _last_words(self) -> str:
        process = self._process
        if process is None or process.stderr is None:
            return "it was closed."
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(timeout=1)
        os.set_blocking(process.stderr.fileno(), False)
        words = (process.stderr.read() or b"").decode(errors="replace").strip()
        if words:
            return clean(words.splitlines()[-1], 300)
        if process.returncode is None:
            return "it does not answer."
        return f"it ended with code {process.returncode}."
