"""The taps in psycopg: its own functions, and a note of what each of them sends or waits for.

Written for psycopg 3.3, whose private names are listed in `_taps`.
``tests/notebooks/test_traffic.py`` compares what is noted with libpq's own trace of the protocol,
and so notices when a later psycopg sends in another way.
"""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Generator
from typing import Any

import psycopg
from psycopg import (
    _connection_base,
    _copy,
    _copy_async,
    _copy_base,
    _cursor_base,
    _pipeline_base,
    _server_cursor_base,
    client_cursor,
    generators,
)

from kit.notebook.traffic import recorder_for

Tap = Callable[[Any], Any]
"""Takes psycopg's own function and returns one that also notes what it does."""

_originals: list[tuple[Any, str, Any]] = []


class CannotListen(Exception):
    """This version of psycopg sends in a way that we do not know."""


def install() -> None:
    """Put the taps into psycopg; safe to call twice.

    Raises:
        CannotListen: psycopg is not as we know it; nothing was changed.
    """
    if _originals:
        return
    taps = _taps()
    missing = [name for owner, name, _ in taps if name not in vars(owner)]
    if missing:
        msg = (
            f"There are no receipts: psycopg {psycopg.__version__} has no {', '.join(missing)}, so "
            "what a cell sends cannot be counted. Install psycopg 3.3 to have them."
        )
        raise CannotListen(msg)
    for owner, name, tap in taps:
        original = vars(owner)[name]
        _originals.append((owner, name, original))
        setattr(owner, name, tap(original))


def uninstall() -> None:
    """Take the taps out again."""
    while _originals:
        owner, name, original = _originals.pop()
        setattr(owner, name, original)


def _taps() -> list[tuple[Any, str, Tap]]:
    """Where psycopg 3.3 sends, and where it waits."""
    pipeline = _pipeline_base.BasePipeline
    return [
        (_cursor_base.BaseCursor, "_maybe_prepare_gen", _tap_execution),
        (_cursor_base.BaseCursor, "_execute_send", _tap_send),
        (client_cursor.ClientCursorMixin, "_execute_send", _tap_send),
        (_connection_base.BaseConnection, "_exec_command", _tap_command),
        (_connection_base.BaseConnection, "_connect_gen", _tap_connect),
        (_cursor_base, "execute", _tap_wait(asks=True)),
        (_server_cursor_base, "execute", _tap_wait(asks=True)),
        (generators, "execute", _tap_wait(asks=True)),
        (_cursor_base, "send", _tap_wait(asks=True)),
        (_cursor_base, "fetch", _tap_wait(asks=False)),
        (_copy, "copy_to", _tap_wait(asks=False)),
        (_copy_async, "copy_to", _tap_wait(asks=False)),
        (_copy, "copy_end", _tap_wait(asks=True)),
        (_copy_async, "copy_end", _tap_wait(asks=True)),
        (_copy_base, "copy_from", _tap_wait(asks=False)),
        (pipeline, "_enqueue_sync", _tap_pipeline_sync),
        (pipeline, "_communicate_gen", _tap_pipeline),
        (pipeline, "_fetch_gen", _tap_pipeline),
        (pipeline, "_process_results", _tap_pipeline_results),
    ]


def _tap_execution(original: Any) -> Any:
    @functools.wraps(original)
    def execute(self: Any, pgq: Any, **options: Any) -> Any:
        recorder = recorder_for(self._pgconn)
        if recorder is not None and not recorder.send_again(self._pgconn, pgq):
            recorder.send(self._pgconn, pgq, piped_by=self if self._conn._pipeline else None)
        return original(self, pgq, **options)

    return execute


def _tap_send(original: Any) -> Any:
    @functools.wraps(original)
    def send(self: Any, query: Any, **options: Any) -> Any:
        recorder = recorder_for(self._pgconn)
        if recorder is not None:
            recorder.send(self._pgconn, query, piped_by=self if self._conn._pipeline else None)
        return original(self, query, **options)

    return send


def _tap_command(original: Any) -> Any:
    @functools.wraps(original)
    def command(self: Any, command: Any, *rest: Any, **options: Any) -> Any:
        recorder = recorder_for(self.pgconn)
        if recorder is not None:
            if isinstance(command, str):
                text = command.encode()
            else:
                text = command if isinstance(command, bytes) else command.as_bytes(self)
            # A copy, because psycopg uses the same bytes for each BEGIN, and each is one more.
            text = bytes(bytearray(text))
            recorder.send(self.pgconn, text, piped_by=self if self._pipeline else None)
        return original(self, command, *rest, **options)

    return command


def _tap_connect(original: Any) -> Any:
    function = original.__func__

    @functools.wraps(function)
    def connect(cls: Any, conninfo: str = "") -> Generator[Any, Any, Any]:
        connection = yield from function(cls, conninfo)
        recorder = recorder_for(connection.pgconn)
        if recorder is not None:
            recorder.connections += 1
        return connection

    return classmethod(connect)


def _tap_wait(*, asks: bool) -> Tap:
    def tap(original: Any) -> Any:
        @functools.wraps(original)
        def wait(pgconn: Any, *rest: Any, **options: Any) -> Generator[Any, Any, Any]:
            recorder = recorder_for(pgconn)
            if recorder is None:
                return (yield from original(pgconn, *rest, **options))
            recorder.ask(pgconn, asks)
            began = time.perf_counter()
            try:
                answer = yield from original(pgconn, *rest, **options)
            finally:
                recorder.wait(pgconn, time.perf_counter() - began)
            recorder.answer(pgconn, _results(answer))
            return answer

        return wait

    return tap


def _results(answer: Any) -> list[Any]:
    """The results in an answer of libpq, which may be one, several, or a piece of a COPY."""
    answers = answer if isinstance(answer, list) else [answer]
    return [one for one in answers if hasattr(one, "command_tuples")]


def _tap_pipeline(original: Any) -> Any:
    @functools.wraps(original)
    def communicate(self: Any, **options: Any) -> Generator[Any, Any, Any]:
        recorder = recorder_for(self.pgconn)
        if recorder is None:
            return (yield from original(self, **options))
        recorder.ask(self.pgconn, False)
        began = time.perf_counter()
        try:
            return (yield from original(self, **options))
        finally:
            recorder.wait(self.pgconn, time.perf_counter() - began)

    return communicate


def _tap_pipeline_sync(original: Any) -> Any:
    @functools.wraps(original)
    def sync(self: Any) -> Any:
        recorder = recorder_for(self.pgconn)
        if recorder is not None:
            recorder.ask(self.pgconn, True)
        return original(self)

    return sync


def _tap_pipeline_results(original: Any) -> Any:
    @functools.wraps(original)
    def process(self: Any, queued: Any, results: Any) -> Any:
        recorder = recorder_for(self.pgconn)
        if recorder is not None and queued is not None:
            recorder.answer(queued[0], results)
        return original(self, queued, results)

    return process
