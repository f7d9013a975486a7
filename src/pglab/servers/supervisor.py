"""The watchman of a throw-away server: when its owner ends, the server ends.

A program of its own, run as ``python -I -S supervisor.py`` with the standard library alone, so that
it starts in milliseconds. Its standard input is a pipe that only the owner holds: the first line is
the order, the rest never comes, and the end of the pipe means that the owner has stopped working,
however it died. Then the server gets SIGINT, SIGQUIT, SIGKILL in turn, and the directories are
removed. Where the server ends by itself they are left for the owner to read what it said.

The order is a line of JSON: ``program`` (its arguments), ``environment``, ``user`` and ``group``
(numbers or null) to run it as, ``output`` (a file for what it says), ``directories`` (to remove at
the end), ``logs`` and ``logs_kept`` (a directory, and how many of its files are kept).
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from typing import Any

PATIENCE_S = 10.0
LOOK_S = 2.0


class Watch:
    """Runs the server of an order until it ends or its owner does."""

    def __init__(self, order: dict[str, Any]) -> None:
        self.order = order
        self.over = threading.Event()
        self.gone = threading.Event()
        self.server = self._start()

    def _start(self) -> subprocess.Popen[bytes]:
        account: dict[str, Any] = {}
        if self.order["user"] is not None:
            account = {"user": self.order["user"], "group": self.order["group"]}
            account["extra_groups"] = []
        with open(self.order["output"], "ab") as output:
            return subprocess.Popen(
                self.order["program"],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                cwd=self.order["directories"][0],
                env=self.order["environment"],
                **account,
            )

    def run(self) -> int:
        """Wait for the end of the server; its exit code."""
        code = self.server.wait()
        self.gone.set()
        return code

    def end(self) -> None:
        """Stop the server: politely, then at once, then by force."""
        self.over.set()
        for number in _signals():
            if self.gone.is_set():
                return
            self.server.send_signal(number)
            self.gone.wait(PATIENCE_S)

    def prune_logs(self) -> None:
        """Remove the oldest logs for as long as the server runs."""
        while not self.gone.wait(LOOK_S):
            with contextlib.suppress(OSError):
                names = sorted(
                    name for name in os.listdir(self.order["logs"]) if name.endswith(".json")
                )
                for name in names[: -self.order["logs_kept"]]:
                    os.unlink(os.path.join(self.order["logs"], name))

    def remove(self) -> None:
        """Remove the directories, again while a dying process still writes into them."""
        for _ in range(50):
            for directory in self.order["directories"]:
                shutil.rmtree(directory, ignore_errors=True)
            if not any(map(os.path.lexists, self.order["directories"])):
                return
            time.sleep(0.02)


def _signals() -> tuple[signal.Signals, ...]:
    if sys.platform == "win32":  # ends the process at once; not tried by the tests
        return (signal.SIGTERM,)
    return (signal.SIGINT, signal.SIGQUIT, signal.SIGKILL)


def main() -> int:
    """Follow the order that comes first on standard input."""
    line = sys.stdin.buffer.readline()
    if not line:
        return 0
    watch = Watch(json.loads(line))

    def wait_for_the_end_of_the_owner() -> None:
        sys.stdin.buffer.read()
        watch.end()

    def obey(*_: object) -> None:
        threading.Thread(target=watch.end, daemon=True).start()

    signal.signal(signal.SIGTERM, obey)
    for work in (wait_for_the_end_of_the_owner, watch.prune_logs):
        threading.Thread(target=work, daemon=True).start()
    code = watch.run()
    if watch.over.is_set():
        watch.remove()
        return 0
    return code or 1


if __name__ == "__main__":
    sys.exit(main())
