"""The console of rich that commands render with."""

from __future__ import annotations

from typing import Any, Never

from rich.console import Console


class KitConsole(Console):
    """Standard output for tables and reports; a reader that leaves is an error like any other.

    In a file or a pipe no line ends in spaces, with which rich fills the columns of tables.
    """

    def __init__(self) -> None:
        super().__init__(highlight=False)

    def print(self, *objects: Any, **options: Any) -> None:
        if self.is_terminal:
            super().print(*objects, **options)
            return
        with self.capture() as captured:
            super().print(*objects, **options)
        self.file.write("\n".join(line.rstrip(" ") for line in captured.get().split("\n")))
        self.file.flush()

    def on_broken_pipe(self) -> Never:
        """Say so to whoever ends the run: rich itself would end it with exit code 1."""
        raise BrokenPipeError
