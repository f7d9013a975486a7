"""The words behind a magic, read as a command line is, with names of the notebook among them."""

from __future__ import annotations

import argparse
import shlex
from collections.abc import Mapping
from typing import Any, NoReturn

from IPython.core.error import UsageError


class Words(argparse.ArgumentParser):
    """Reads the line of a magic; what is wrong with it is a `UsageError`, and never an exit."""

    def __init__(self, magic: str, *, database: bool = False) -> None:
        """Read the words of one magic.

        Args:
            magic: as it is typed: ``%erd``.
            database: whether it takes ``--on``, the database that is asked.
        """
        super().__init__(prog=magic, add_help=False, allow_abbrev=False)
        if database:
            self.add_argument("--on", metavar="DATABASE")

    def read(self, line: str, names: Mapping[str, Any] | None = None) -> argparse.Namespace:
        """The arguments in a line; ``on`` is the object of that name, or a URL."""
        try:
            words = shlex.split(line)
        except ValueError as error:
            self.error(f"{error}")
        found = self.parse_args(words)
        if getattr(found, "on", None) is not None:
            found.on = self.named(found.on, names or {})
        return found

    def named(self, word: str, names: Mapping[str, Any]) -> Any:
        """The object of the notebook that has this name, or the word where it is a URL."""
        if "://" in word:
            return word
        if word not in names:
            self.error(f"there is no name “{word}” in this notebook")
        return names[word]

    def error(self, message: str) -> NoReturn:
        usage = " ".join(self.format_usage().removeprefix("usage: ").split())
        raise UsageError(f"{self.prog}: {message}. Write: {usage}")
