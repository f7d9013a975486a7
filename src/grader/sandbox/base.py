"""What a sandbox offers: cells for submissions, runners for checks, answers to calls."""

from __future__ import annotations

import json
import os
import secrets
import selectors
import socket
import subprocess
import sys
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from grader import wire
from grader.errors import SandboxError
from grader.results import Reason
from grader.worker.limits import Limits

OUTPUT_KEPT = 16_384
"""Bytes of a runner's printed output that are kept."""
_CONTROL_BYTES = 65_536
_CONTROL_SECONDS = 20.0
_POLL_SECONDS = 0.1
WORKER = Path(__file__).resolve().parents[1] / "worker"


@dataclass(frozen=True, slots=True)
class Answer:
    """The submission answered; `value` is whatever it chose to say, as exact built-in types."""

    value: Any


@dataclass(frozen=True, slots=True)
class Raised:
    """The submission's code raised. All of it is the submission's word."""

    type: str
    bases: list[str]
    message: str
    sqlstate: str | None
    frames: list[dict[str, Any]] = field(default_factory=list)
    syntax: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Unusable:
    """An answer that cannot be sent or understood."""

    problem: str


@dataclass(frozen=True, slots=True)
class Ended:
    """The runner did not answer: it took too long, ended, or went over a limit."""

    reason: Reason
    message: str


Outcome = Answer | Raised | Unusable | Ended


class Sandbox(ABC):
    """A zygote in its backend, and the cells forked from it. Used by one thread at a time."""

    name: str
    isolated: bool

    def __init__(self, socket_dir: Path) -> None:
        self._socket_dir = socket_dir
        self._control: socket.socket | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._ready = False

    @property
    @abstractmethod
    def socket_dir_inside(self) -> str:
        """The directory of PostgreSQL's socket as the submission sees it."""

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
        ours, theirs = socket.socketpair(socket.AF_UNIX, _BOUNDED)
        options = {**self._worker_options(), "control": theirs.fileno()}
        worker = [sys.executable, "-I", str(WORKER), json.dumps(options)]
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
        ours.settimeout(_CONTROL_SECONDS)
        self._control = ours
        return self

    def _environment(self) -> dict[str, str]:
        """Nothing of the judge's environment reaches the sandbox."""
        return {"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", "PYTHONUTF8": "1"}

    def wait_ready(self) -> None:
        """Wait until the zygote has imported its libraries.

        Raises:
            SandboxError: it ended instead; the message says what it printed.
        """
        if self._ready:
            return
        assert self._control is not None, "start() comes first"
        try:
            message = self._control.recv(_CONTROL_BYTES)
        except OSError:
            message = b""
        if not message:
            raise SandboxError(f"{self.name} did not start: {self._last_words()}")
        self._ready = True

    def cell(self, limits: Limits | None = None) -> Cell:
        """A new cell for one submission."""
        self.wait_ready()
        assert self._control is not None
        ours, theirs = socket.socketpair(socket.AF_UNIX, _BOUNDED)
        limits = limits or Limits()
        request = json.dumps({"op": "cell", "limits": limits.to_plain()}).encode()
        try:
            socket.send_fds(self._control, [request], [theirs.fileno()])
        except OSError as error:
            ours.close()
            raise SandboxError(f"{self.name} is gone: {self._last_words()}") from error
        finally:
            theirs.close()
        ours.settimeout(_CONTROL_SECONDS)
        return Cell(ours, limits, self._last_words, self._group_memory)

    def close(self) -> None:
        """End the zygote and every process below it."""
        if self._control is not None:
            self._control.close()
        process = self._process
        if process is None:
            return
        try:
            process.wait(timeout=1)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if process.stderr:
            process.stderr.close()
        self._process = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _last_words(self) -> str:
        process = self._process
        if process is None or process.stderr is None:
            return "it was closed."
        try:
            process.wait(timeout=1)
        except subprocess.TimeoutExpired:
            return "it does not answer."
        os.set_blocking(process.stderr.fileno(), False)
        words = (process.stderr.read() or b"").decode(errors="replace").strip()
        return (
            words.splitlines()[-1][:300] if words else f"it ended with code {process.returncode}."
        )

    def _group_memory(self) -> int:
        """Resident bytes of everything below the sandbox's process; 0 where it cannot be told."""
        return _resident_bytes(self._process.pid) if self._process else 0


# Message boundaries and file descriptors on one socket: SEQPACKET also tells when the other side
# has gone.
_BOUNDED = getattr(socket, "SOCK_SEQPACKET", socket.SOCK_DGRAM)
if sys.platform == "darwin":
    _BOUNDED = socket.SOCK_DGRAM


class Cell:
    """One submission's cell. Close it, and every process of the submission is gone."""

    def __init__(
        self,
        control: socket.socket,
        limits: Limits,
        last_words: Callable[[], str],
        memory: Callable[[], int],
    ) -> None:
        self._control = control
        self._limits = limits
        self._last_words = last_words
        self._memory = memory
        self._receive()

    def runner(self) -> Runner:
        """A freshly forked runner."""
        ours, theirs = socket.socketpair()
        read, write = os.pipe()
        try:
            socket.send_fds(self._control, [b'{"op":"run"}'], [theirs.fileno(), write])
        except OSError as error:
            ours.close()
            os.close(read)
            raise SandboxError(f"the cell is gone: {self._last_words()}") from error
        finally:
            theirs.close()
            os.close(write)
        self._receive()
        return Runner(ours, read, self._limits, self._memory)

    def reset(self) -> list[int]:
        """End every process of the submission and empty its directories.

        Returns:
            Exit codes of the runners; negative for a signal.
        """
        self._send({"op": "reset"})
        return list(self._receive().get("exits", {}).values())

    def close(self) -> None:
        self._control.close()

    def _send(self, message: Mapping[str, Any]) -> None:
        try:
            self._control.send(json.dumps(message).encode())
        except OSError as error:
            raise SandboxError(f"the cell is gone: {self._last_words()}") from error

    def _receive(self) -> dict[str, Any]:
        try:
            message = self._control.recv(_CONTROL_BYTES)
        except OSError as error:
            raise SandboxError(f"the cell does not answer: {error}") from error
        if not message:
            raise SandboxError(f"the cell ended: {self._last_words()}")
        answer: dict[str, Any] = json.loads(message)
        return answer


class Runner:
    """The judge's end of one runner: asks, waits within a time limit, reads what is printed
    meanwhile.
    """

    def __init__(
        self, channel: socket.socket, output: int, limits: Limits, memory: Callable[[], int]
    ) -> None:
        self._channel = channel
        self._output = output
        self._limits = limits
        self._memory = memory
        self._frames = wire.FrameBuffer()
        self._kept = bytearray()
        self._printed = 0
        self._ended: Ended | None = None
        channel.setblocking(False)
        os.set_blocking(output, False)

    def ask(self, request: Mapping[str, Any], seconds: float) -> Outcome:
        """Send one request and wait for its answer.

        Args:
            request: plain JSON; an ``id`` that cannot be guessed is added.
            seconds: how long to wait.
        """
        if self._ended:
            return self._ended
        self._kept.clear()
        number = secrets.token_hex(8)
        try:
            outcome = self._exchange(wire.frame({**request, "id": number}), number, seconds)
        except wire.WireError as error:
            outcome = Ended(Reason.WIRE, f"What came back is not an answer: {error}.")
        except OSError:
            outcome = Ended(Reason.KILLED, "The process ended before it answered.")
        self._drain()
        if isinstance(outcome, Ended):
            self._ended = outcome
        return outcome

    @property
    def output(self) -> bytes:
        """What was printed during the last request, at most `OUTPUT_KEPT` bytes of it."""
        return bytes(self._kept)

    def close(self) -> None:
        self._channel.close()
        os.close(self._output)

    def _exchange(self, request: bytes, number: str, seconds: float) -> Outcome:
        deadline = time.monotonic() + seconds
        pending = memoryview(request)
        with selectors.DefaultSelector() as selector:
            selector.register(self._output, selectors.EVENT_READ)
            selector.register(self._channel, selectors.EVENT_READ | selectors.EVENT_WRITE)
            while True:
                left = deadline - time.monotonic()
                if left <= 0:
                    return Ended(Reason.TIMEOUT, f"There was no answer within {seconds:g} seconds.")
                ready = selector.select(min(left, _POLL_SECONDS))
                if not ready and (over := self._over_memory()):
                    return over
                for key, events in ready:
                    if key.fileobj == self._output:
                        if not self._drain(1):
                            selector.unregister(self._output)
                        if self._printed > self._limits.output_bytes:
                            return Ended(Reason.LIMIT, _printed_too_much(self._limits))
                        continue
                    if events & selectors.EVENT_WRITE:
                        pending = pending[self._channel.send(pending) :]
                        if not pending:
                            selector.modify(self._channel, selectors.EVENT_READ)
                    if events & selectors.EVENT_READ:
                        chunk = self._channel.recv(_CONTROL_BYTES)
                        if not chunk:
                            return Ended(Reason.KILLED, "The process ended before it answered.")
                        self._frames.feed(chunk)
                        if (message := self._frames.next()) is not None:
                            return self._read(message, number)

    def _read(self, message: Mapping[str, Any], number: str) -> Outcome:
        if message.get("id") != number or not self._frames.is_empty:
            raise wire.WireError("an answer to another question")
        if "value" in message:
            return Answer(wire.decode(message["value"]))
        if "unsendable" in message:
            return Unusable(str(message["unsendable"]))
        return _raised(message.get("raised"))

    def _over_memory(self) -> Ended | None:
        if self._memory() > self._limits.memory_bytes:
            limit = self._limits.memory_bytes // (1024 * 1024)
            return Ended(Reason.LIMIT, f"It used more than {limit} MB of memory.")
        return None

    def _drain(self, rounds: int = 64) -> bool:
        """Read what has been printed; False at the end of the stream."""
        for _ in range(rounds):
            try:
                chunk = os.read(self._output, _CONTROL_BYTES)
            except BlockingIOError:
                return True
            if not chunk:
                return False
            self._printed += len(chunk)
            self._kept += chunk[: max(0, OUTPUT_KEPT - len(self._kept))]
        return True


def _printed_too_much(limits: Limits) -> str:
    return f"It printed more than {limits.output_bytes // (1024 * 1024)} MB."


def _raised(plain: Any) -> Raised:
    """The description of an exception, with every field checked."""
    if not isinstance(plain, dict):
        raise wire.WireError("neither a value nor an exception")
    frames, bases, syntax = plain.get("frames"), plain.get("bases"), plain.get("syntax")
    sqlstate = plain.get("sqlstate")
    return Raised(
        type=str(plain.get("type", ""))[:120],
        bases=[str(b)[:120] for b in bases[:16]] if isinstance(bases, list) else [],
        message=str(plain.get("message", ""))[:2000],
        sqlstate=sqlstate if isinstance(sqlstate, str) and len(sqlstate) == 5 else None,
        frames=[f for f in frames[:8] if isinstance(f, dict)] if isinstance(frames, list) else [],
        syntax=syntax if isinstance(syntax, dict) else None,
    )


def _resident_bytes(pid: int) -> int:
    """Resident memory of a process's descendants (Linux); shared pages of the zygote count once
    each.
    """
    total, pending = 0, [pid]
    page = os.sysconf("SC_PAGE_SIZE") if hasattr(os, "sysconf") else 4096
    while pending:
        current = pending.pop()
        try:
            resident, shared = Path(f"/proc/{current}/statm").read_text().split()[1:3]
            total += (int(resident) - int(shared)) * page
            children = Path(f"/proc/{current}/task/{current}/children").read_text()
        except (OSError, ValueError):
            continue
        pending += [int(child) for child in children.split()]
    return total
