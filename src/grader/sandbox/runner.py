"""The judge's end of a runner, the process that runs student code."""

from __future__ import annotations

import os
import secrets
import selectors
import socket
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from grader import wire
from grader.results import Reason
from grader.sandbox.outcomes import (
    Answer,
    Ended,
    Outcome,
    Unusable,
    over_memory,
    raised_from,
)
from grader.worker.limits import Limits

OUTPUT_KEPT = 16_384
"""Bytes of a runner's printed output that are kept."""
_CHUNK = 65_536
_POLL_SECONDS = 0.1


@dataclass
class _Asked:
    """A request on its way."""

    number: str
    unsent: memoryview
    outcome: Outcome | None = None


class Runner:
    """The judge's end of one runner: asks, waits within a time limit, reads what is printed
    meanwhile.
    """

    def __init__(
        self,
        channel: socket.socket,
        output: int,
        limits: Limits,
        memory_held: Callable[[], int],
        why_ended: Callable[[Runner], Ended | None],
    ) -> None:
        self._channel = channel
        self._output = output
        self._limits = limits
        self._memory_held = memory_held
        self._why_ended = why_ended
        self._frames = wire.FrameBuffer()
        self._kept = bytearray()
        self._printed = 0
        self._look = time.monotonic() + _POLL_SECONDS
        self._ended: Ended | None = None
        self._asked: _Asked | None = None
        self._closed = False
        self.pid = 0
        """Of the process, as its cell counts."""
        self.descriptors: list[int] = []
        """What the descriptors that it was given are called there."""
        channel.setblocking(False)
        os.set_blocking(output, False)

    def ask(self, request: Mapping[str, Any], seconds: float) -> Outcome:
        """Send one request and wait for its answer.

        Args:
            request: plain JSON; an ``id`` that cannot be guessed is added.
            seconds: how long to wait.

        Raises:
            WireError: the request is too large, or not plain.
        """
        self.begin(request)
        return self.finish(seconds)

    def begin(self, request: Mapping[str, Any]) -> None:
        """Send one request; `finish` gets its answer, and must come before the next request.

        Raises:
            WireError: the request is too large, or not plain.
        """
        number = secrets.token_hex(8)
        self._asked = _Asked(number, memoryview(wire.frame({**request, "id": number})))
        self._kept.clear()
        self.has_answered()

    def has_answered(self, seconds: float = 0) -> bool:
        """Whether `finish` would return at once, after waiting for that at most so long."""
        asked = self._asked
        assert asked is not None, "begin() comes first"
        if asked.outcome is None:
            asked.outcome = self._ended or self._exchange_safely(asked, seconds)
        return asked.outcome is not None

    def finish(self, seconds: float) -> Outcome:
        """The answer to what `begin` sent, waiting at most this long from now."""
        asked = self._asked
        assert asked is not None, "begin() comes first"
        if not self.has_answered(seconds):
            asked.outcome = Ended(
                Reason.TIMEOUT, f"There was no answer within {seconds:g} seconds."
            )
        self._drain()
        self._asked = None
        assert asked.outcome is not None
        if isinstance(asked.outcome, Ended):
            self._ended = asked.outcome
        return asked.outcome

    @property
    def output(self) -> bytes:
        """What was printed during the last request, at most `OUTPUT_KEPT` bytes of it."""
        return bytes(self._kept)

    def close(self) -> None:
        """Hang up; safe to call twice."""
        if not self._closed:
            self._closed = True
            self._channel.close()
            os.close(self._output)

    def _exchange_safely(self, asked: _Asked, seconds: float) -> Outcome | None:
        try:
            return self._exchange(asked, seconds)
        except wire.WireError as error:
            return Ended(Reason.WIRE, f"What came back is not an answer: {error}.")
        except OSError:
            return self._gone()

    def _exchange(self, asked: _Asked, seconds: float) -> Outcome | None:
        """Send and read what can be within these seconds; None where there is no answer yet."""
        deadline = time.monotonic() + seconds
        with selectors.DefaultSelector() as selector:
            selector.register(self._output, selectors.EVENT_READ)
            writing = selectors.EVENT_WRITE if asked.unsent else 0
            selector.register(self._channel, selectors.EVENT_READ | writing)
            while True:
                now = time.monotonic()
                # By the clock and not when nothing else is ready, which a submission could prevent.
                if now >= self._look:
                    if over := self._over_memory():
                        return over
                    self._look = time.monotonic() + _POLL_SECONDS
                for key, events in selector.select(max(0.0, min(deadline, self._look) - now)):
                    if key.fileobj == self._output:
                        if not self._drain(1):
                            selector.unregister(self._output)
                        continue
                    if events & selectors.EVENT_WRITE:
                        asked.unsent = asked.unsent[self._channel.send(asked.unsent) :]
                        if not asked.unsent:
                            selector.modify(self._channel, selectors.EVENT_READ)
                    if events & selectors.EVENT_READ and (outcome := self._receive(asked.number)):
                        return outcome
                if self._printed > self._limits.output_bytes:
                    limit = self._limits.output_bytes // (1024 * 1024)
                    return Ended(Reason.LIMIT, f"It printed more than {limit} MB.")
                if time.monotonic() >= deadline:
                    return None

    def _receive(self, number: str) -> Outcome | None:
        """Read what has arrived; None as long as it is not a whole answer."""
        chunk = self._channel.recv(_CHUNK)
        if not chunk:
            return self._gone()
        self._frames.feed(chunk)
        message = self._frames.next()
        return None if message is None else self._read(message, number)

    def _read(self, message: Mapping[str, Any], number: str) -> Outcome:
        if message.get("id") != number or not self._frames.is_empty:
            raise wire.WireError("an answer to another question")
        if "value" in message:
            return Answer(wire.decode(message["value"]))
        if "unsendable" in message:
            return Unusable(str(message["unsendable"]))
        return raised_from(message.get("raised"))

    def _over_memory(self) -> Ended | None:
        if self._memory_held() > self._limits.memory_bytes:
            return over_memory(self._limits)
        return None

    def _gone(self) -> Ended:
        """It has hung up: because of a limit of the kernel's, or by itself."""
        ended = self._why_ended(self)
        return ended or Ended(Reason.KILLED, "The process ended before it answered.")

    def _drain(self, rounds: int = 64) -> bool:
        """Read what has been printed; False at the end of the stream."""
        for _ in range(rounds):
            try:
                chunk = os.read(self._output, _CHUNK)
            except BlockingIOError:
                return True
            if not chunk:
                return False
            self._printed += len(chunk)
            self._kept += chunk[: max(0, OUTPUT_KEPT - len(self._kept))]
        return True
