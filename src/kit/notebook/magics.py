"""``%receipts`` switches query receipts; ``%receipt`` shows the last one in full."""

from __future__ import annotations

import sys
from typing import Any

from IPython.core.error import UsageError
from IPython.core.magic import Magics, line_magic, magics_class

from kit.notebook import taps, traffic
from kit.notebook.receipts import Receipt
from kit.notebook.showing import Shown
from kit.notebook.traffic import Recorder

MODES = {"on": "on", "plans": "on, with plans", "off": "off"}


def without_receipt_line(lines: list[str]) -> list[str]:
    """The lines of a cell without ``%%receipt``, which is no magic: the rest runs as ever.

    An empty line stays in its place, so that lines have the numbers that are seen; but another
    magic has to come first.
    """
    if not _asks_in_full(lines[:1]):
        return lines
    rest = lines[1:]
    return rest if rest and rest[0].startswith("%%") else ["\n", *rest]


def _asks_in_full(first: list[str]) -> bool:
    return bool(first) and first[0].strip() == "%%receipt"


@magics_class
class ReceiptMagics(Magics):
    """Query receipts: recorded before each cell, shown under it."""

    def __init__(self, shell: Any) -> None:
        super().__init__(shell)
        self._events = shell.events
        self._names = shell.user_global_ns
        self.mode = "on"
        self.last: Receipt | None = None
        self._recorders: list[Recorder] = []
        self._in_full = False

    @line_magic
    def receipts(self, line: str) -> None:
        """Switch query receipts: ``%receipts on``, ``%receipts off``, ``%receipts plans``.

        ``plans`` also shows, in each receipt, how the server would run the statements. Without a
        word the magic says how they are switched.
        """
        wanted = line.strip()
        if wanted and wanted not in MODES:
            msg = f"%receipts {wanted}: choose one of {', '.join(MODES)}."
            raise UsageError(msg)
        self.mode = wanted or self.mode
        if not wanted:
            print(f"Receipts are {MODES[self.mode]}. Switch them with %receipts {'|'.join(MODES)}.")

    @line_magic
    def receipt(self, line: str) -> Shown:
        """Show the last receipt in full: every statement, its parameters, and its plan.

        A cell that begins with ``%%receipt`` has its own receipt shown in full.
        """
        if line.strip():
            msg = "%receipt shows the last receipt, and takes no words."
            raise UsageError(msg)
        if self.last is None:
            return Shown("No cell has sent anything yet.", "<p>No cell has sent anything yet.</p>")
        return self.last.shown(unfolded=True, with_plans=True)

    def listen(self) -> None:
        """Record, and show a receipt under each cell from now on.

        Raises:
            CannotListen: psycopg is not as we know it.
        """
        taps.install()
        self.shell.input_transformers_cleanup.append(without_receipt_line)  # type: ignore[union-attr]
        self._events.register("pre_run_cell", self._before)
        self._events.register("post_run_cell", self._after)

    def unlisten(self) -> None:
        """Undo `listen`; safe to call where it was not called."""
        for name, hook in (("pre_run_cell", self._before), ("post_run_cell", self._after)):
            if hook in self._events.callbacks[name]:
                self._events.unregister(name, hook)
        if without_receipt_line in self.shell.input_transformers_cleanup:  # type: ignore[union-attr]
            self.shell.input_transformers_cleanup.remove(without_receipt_line)  # type: ignore[union-attr]
        while self._recorders:
            traffic.stop(self._recorders.pop())
        taps.uninstall()
        traffic.forget()

    def _before(self, info: Any = None) -> None:
        self._in_full = _asks_in_full(str(getattr(info, "raw_cell", "")).splitlines()[:1])
        self._recorders.append(traffic.start(self._names))

    def _after(self, _result: Any = None) -> None:
        if not self._recorders:
            return  # the cell that loaded the extension
        recorder = self._recorders.pop()
        traffic.stop(recorder)
        receipt = Receipt.of(recorder)
        if not receipt:
            return
        self.last = receipt
        if self._in_full or self.mode != "off":
            sys.stdout.flush()
            with_plans = self._in_full or self.mode == "plans"
            receipt.shown(unfolded=self._in_full, with_plans=with_plans).display()
