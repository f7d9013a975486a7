"""The judge's end of a cell, in which everything of one submission runs."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import socket
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from grader.errors import SandboxError
from grader.sandbox.memory import resident_bytes
from grader.sandbox.outcomes import Ended, over_memory, over_processor_time
from grader.sandbox.runner import Runner
from grader.worker import control
from grader.worker.limits import Limits

_OVER_PROCESSOR_TIME = (-24, -9)
"""How the kernel ends a process that has used its processor time: SIGXCPU, or SIGKILL where it
does not heed that.
"""
_SURELY_SPENT = 0.5
"""For its limit the kernel counts that time by samples, for its report exactly."""


class Cell:
    """One submission's cell. Close it, and every process of the submission is gone."""

    def __init__(
        self,
        channel: socket.socket,
        limits: Limits,
        last_words: Callable[[], str],
        *,
        isolated: bool = True,
    ) -> None:
        self._channel = channel
        self._limits = limits
        self._last_words = last_words
        self._isolated = isolated
        self._pid = 0
        """Of a cell that is not isolated; another's is a number of its own namespace."""
        self._known_as = 0
        """The same as it is seen from here, where that can be told."""
        self._awaited = 1
        """Answers that have not been read yet; the first one says that the cell is there."""

    def wait_ready(self) -> None:
        """Wait until nothing of the submission runs and a runner can start.

        Raises:
            SandboxError: the cell has ended or does not answer.
        """
        while self._awaited:
            self._receive()
        poll = select.poll()
        poll.register(self._channel, select.POLLIN)
        if poll.poll(0):  # it says nothing unasked, so it has hung up
            raise SandboxError(f"the cell ended: {self._last_words()}")

    def runner(self, *descriptors: int) -> Runner:
        """A freshly forked runner.

        Args:
            descriptors: at most two, to be left open in it; `Runner.descriptors` says what they
                are called there.

        Raises:
            SandboxError: the cell has ended or does not answer.
        """
        self.wait_ready()
        ours, theirs = socket.socketpair()
        read, write = os.pipe()
        try:
            self._send({"op": "run"}, [theirs.fileno(), write, *descriptors])
            theirs.close()
            told = self._receive()
        except BaseException:
            ours.close()
            os.close(read)
            raise
        finally:
            theirs.close()
            os.close(write)
        runner = Runner(ours, read, self._limits, self._memory_held, self._why_ended)
        runner.pid, runner.descriptors = told["pid"], told["descriptors"]
        return runner

    def end(self, runner: Runner) -> None:
        """Kill one runner and what it has started, as a machine that fails does, and wait for it.

        Raises:
            SandboxError: the cell has ended or does not answer.
        """
        self._send({"op": "end", "pid": runner.pid})
        self._receive()
        runner.close()

    def processor_seconds(self, runner: Runner) -> float:
        """Processor time that a runner's process has used so far, without what it has started;
        0 where that cannot be told.

        Raises:
            SandboxError: the cell has ended or does not answer.
        """
        self.wait_ready()
        self._send({"op": "spent", "pid": runner.pid})
        return float(self._receive()["processor_seconds"])

    def begin_preload(self, files: Mapping[str, str]) -> None:
        """Have modules of the course's own imported that its runners will need, without waiting.

        Args:
            files: their sources by file name; they need nothing of a submission.

        Raises:
            SandboxError: the cell has ended.
        """
        self._send({"op": "preload", "files": dict(files)})

    def begin_reset(self) -> None:
        """Have every process of the submission ended and its directories emptied, without waiting.

        Raises:
            SandboxError: the cell has ended.
        """
        self.wait_ready()
        self._send({"op": "reset"})

    def reset(self) -> list[int]:
        """The same, waiting until it is done.

        Returns:
            Exit codes of the runners; negative for a signal.

        Raises:
            SandboxError: the cell has ended or does not answer.
        """
        self.begin_reset()
        return list(self._receive().get("exits", {}).values())

    def close(self) -> None:
        self._channel.close()
        if self._pid and hasattr(signal, "SIGCONT"):
            # A submission that is not isolated can stop its cell, which then would not notice.
            with contextlib.suppress(OSError):
                os.kill(self._pid, signal.SIGCONT)

    def hang_up(self) -> None:
        """Have it end, and whoever waits for it wait no longer; from any thread. Close it too."""
        with contextlib.suppress(OSError):
            self._channel.shutdown(socket.SHUT_RDWR)

    def _memory_held(self) -> int:
        """Bytes of all that runs in the cell, itself included; 0 where it cannot be told."""
        return resident_bytes(self._known_as) if self._known_as else 0

    def _why_ended(self, runner: Runner) -> Ended | None:
        """Which limit of the kernel's a runner ran into that has hung up; None for no limit."""
        try:
            self.wait_ready()
            self._send({"op": "why", "pid": runner.pid})
            told = self._receive()
        except SandboxError:
            return None
        if told["killed_for_memory"]:
            return over_memory(self._limits)
        spent = told["processor_seconds"] >= _SURELY_SPENT * self._limits.cpu_seconds
        if spent and told["exit"] in _OVER_PROCESSOR_TIME:
            return over_processor_time(self._limits)
        return None

    def _send(self, message: Mapping[str, Any], descriptors: Sequence[int] = ()) -> None:
        try:
            control.send(self._channel, message, descriptors)
            self._awaited += 1
        except OSError as error:
            raise SandboxError(f"the cell is gone: {self._last_words()}") from error

    def _receive(self) -> dict[str, Any]:
        try:
            self._known_as = self._known_as or control.sender(self._channel)
            received = control.receive(self._channel)
        except OSError as error:
            raise SandboxError(f"the cell does not answer: {error}") from error
        if received is None:
            raise SandboxError(f"the cell ended: {self._last_words()}")
        self._awaited -= 1
        if not self._isolated:
            self._pid = received[0].get("cell", self._pid)
        return received[0]
