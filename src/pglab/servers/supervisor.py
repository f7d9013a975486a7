"""The watchman of a throw-away server: when its owner ends, the server ends.

A program of its own, run as ``python -I -S supervisor.py`` with the standard library alone, so that
it starts in milliseconds. Its standard input is a pipe that only the owner holds: the first line is
the order (JSON), the rest never comes, and the end of the pipe means that the owner has stopped
working, however it died. Then the running program gets SIGINT, SIGQUIT, SIGKILL in turn, and the
directories are removed. Where a program ends by itself the directories are left for the owner to
read what it said.

Order: ``programs`` (argument lists, run one after the other, the last is the server), ``output``
(a file for what they say), ``directories`` (to remove at the end), ``environment``, and ``user``
and ``group`` (numbers or null) to run them as.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
from typing import Any

PATIENCE_S = 10.0


class Watch:
    """Runs the programs of an order until they end or the owner does."""

    def __init__(self, order: dict[str, Any]) -> None:
        self.order = order
        self.over = threading.Event()
        self.gone = threading.Event()
        self.lock = threading.Lock()
        self.child: subprocess.Popen[bytes] | None = None

    def run(self) -> int:
        """Run the programs; the exit code of the first that fails, or 0."""
        code = 0
        for program in self.order["programs"]:
            with self.lock:
                if self.over.is_set():
                    break
                self.child = self._start(program)
            code = self.child.wait()
            if code != 0:
                break
        self.gone.set()
        return code

    def _start(self, program: list[str]) -> subprocess.Popen[bytes]:
        account: dict[str, Any] = {}
        if self.order["user"] is not None:
            account = {
                "user": self.order["user"],
                "group": self.order["group"],
                "extra_groups": [],
            }
        with open(self.order["output"], "ab") as output:
            return subprocess.Popen(
                program,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                cwd=self.order["directories"][0],
                env=self.order["environment"],
                **account,
            )

    def end(self) -> None:
        """Stop what runs: politely, then at once, then by force."""
        with self.lock:
            self.over.set()
        if self.child is None:
            return
        for number in _signals():
            if self.gone.is_set():
                return
            self.child.send_signal(number)
            self.gone.wait(PATIENCE_S)

    def remove(self) -> None:
        """Remove the directories, and try again while a dying process still writes."""
        for _ in range(20):
            for directory in self.order["directories"]:
                shutil.rmtree(directory, ignore_errors=True)
            if not any(os.path.exists(place) for place in self.order["directories"]):
                return
            self.gone.wait()
            threading.Event().wait(0.05)


def _signals() -> tuple[signal.Signals, ...]:
    if sys.platform == "win32":  # TerminateProcess; not tried by the tests, which run on Linux
        return (signal.SIGTERM,)
    return (signal.SIGINT, signal.SIGQUIT, signal.SIGKILL)


def main() -> int:
    """Follow the order that comes first on standard input."""
    line = sys.stdin.buffer.readline()
    if not line:
        return 0
    watch = Watch(json.loads(line))

    def wait_for_the_owner() -> None:
        sys.stdin.buffer.read()
        watch.end()

    watcher = threading.Thread(target=wait_for_the_owner, daemon=True)
    signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=watch.end).start())
    watcher.start()
    code = watch.run()
    if watch.over.is_set():
        watch.remove()
        return 0
    return code or 1


if __name__ == "__main__":
    sys.exit(main())
