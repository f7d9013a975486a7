"""One run of ``kit``: signals become orderly endings, and every ending has its exit code."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from collections.abc import Iterator, Sequence
from types import FrameType

from kit.cli import endings, output
from kit.cli.commands import PROGRAM, kit


def run(arguments: Sequence[str] | None = None) -> int:
    """Run the command line once and return its exit code; errors are told, never raised."""
    output.prepare_streams()
    with orderly_stop() as asked:
        try:
            code = _invoke(list(sys.argv[1:] if arguments is None else arguments))
            sys.stdout.flush()
            return code
        except KeyboardInterrupt as error:
            # Libraries on the way may have made a plain one out of ours.
            return endings.tell(endings.Stopped(asked[0]) if asked else error)
        except BaseException as error:
            return endings.tell(error)


def _invoke(arguments: list[str]) -> int:
    if f"_{PROGRAM.upper()}_COMPLETE" in os.environ:
        kit.main(arguments, prog_name=PROGRAM)
    # click's own main() turns Ctrl-C and a closed pipe into exit code 1, which means something else
    # here.
    with kit.make_context(PROGRAM, arguments) as context:
        result = kit.invoke(context)
    return result if isinstance(result, int) else 0


@contextlib.contextmanager
def orderly_stop() -> Iterator[list[int]]:
    """While inside, Ctrl-C, SIGTERM and SIGHUP raise `endings.Stopped`, and only the first does.

    A second one says that clean-up is under way, a third one ends it. A signal that the parent
    chose to ignore (``nohup``) stays ignored. Gives the list of the signals that came.
    """
    asked: list[int] = []

    def stop(number: int, _frame: FrameType | None) -> None:
        asked.append(number)
        if len(asked) == 2:
            with contextlib.suppress(OSError, ValueError):
                os.write(sys.stderr.fileno(), b"\nTidying up. Once more to leave at once.\n")
            return
        raise endings.Stopped(number)

    previous = {}
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) is not signal.SIG_IGN:
            # ValueError: not in the main thread, where the host program owns the signals.
            with contextlib.suppress(ValueError):
                previous[number] = signal.signal(number, stop)
    try:
        yield asked
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
