"""The command line ``kit``.

A command parses, calls one function and renders. Nothing heavy is imported before a command needs
it, so that ``kit --help`` answers at once.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run ``kit`` and return its exit code.

    Args:
        arguments: the words after ``kit``; those of this process if not given.

    Returns:
        0 all right, 1 something is wrong with the work that was checked, 2 wrong usage, 3 the kit
        or the machine is at fault, 128 + N ended by signal N (130 for Ctrl-C, 141 for a closed
        pipe).
    """
    try:
        from kit.cli.running import run

        return run(arguments)
    except KeyboardInterrupt:
        return 130
    except ModuleNotFoundError as error:
        if error.name != "click":
            raise
        sys.stderr.write("Error: The kit is not installed completely: click is missing. ")
        sys.stderr.write("In the project's folder: pip install -e .\n")
        return 3
