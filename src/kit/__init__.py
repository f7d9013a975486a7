"""What people touch: the command line, the notebook extension and the progress record."""

from __future__ import annotations

from typing import Any


def load_ipython_extension(shell: Any) -> None:
    """Do what ``%load_ext kit`` in a notebook asks for; see `kit.notebook`."""
    from kit.notebook.extension import load

    load(shell)


def unload_ipython_extension(shell: Any) -> None:
    """Undo it, as ``%unload_ext kit`` asks."""
    from kit.notebook.extension import unload

    unload(shell)
