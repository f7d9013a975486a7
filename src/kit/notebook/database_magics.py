"""Magics that look at a database: which one, and what is in it."""

from __future__ import annotations

from typing import Any

from IPython.core.magic import Magics, line_magic, magics_class

from kit.notebook import places
from kit.notebook.arguments import Words


@magics_class
class DatabaseMagics(Magics):
    """Each takes ``--on NAME``: a scratch database, an engine or a URL of the notebook."""

    @line_magic
    def use(self, line: str) -> None:
        """Make a database the one that ``%%sql`` and other magics ask: ``%use lab``.

        Without a name: the learner's own again.
        """
        words = Words("%use")
        words.add_argument("database", nargs="?")
        name = words.read(line).database
        places.use(None if name is None else words.named(name, self._names))

    @property
    def _names(self) -> dict[str, Any]:
        names: dict[str, Any] = self.shell.user_ns  # type: ignore[union-attr]
        return names
