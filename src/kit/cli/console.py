"""The console of rich that commands render with."""

from __future__ import annotations

from typing import Never

from rich.console import Console


class KitConsole(Console):
    """Standard output for tables and reports; a reader that leaves is an error like any other."""

    def __init__(self) -> None:
        super().__init__(highlight=False)

    def on_broken_pipe(self) -> Never:
        """Say so to whoever ends the run: rich itself would end it with exit code 1."""
        raise BrokenPipeError
