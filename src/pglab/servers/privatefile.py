"""Files that only their owner reads, written whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path

from pglab.errors import ServerStartError
from pglab.servers.account import Account

__all__ = ["write_private"]


def write_private(path: Path, text: str, account: Account | None = None) -> None:
    """Write a file with mode 0600, for the account to own where one is given.

    Raises:
        ServerStartError: it cannot be written.
    """
    partial = path.with_name(path.name + ".partial")
    try:
        partial.unlink(missing_ok=True)
        with open(partial, "x", encoding="utf-8", opener=_private) as file:
            file.write(text)
        if account is not None:
            account.own(partial)
        partial.replace(path)
    except OSError as error:
        raise ServerStartError(
            f"The kit cannot write {path}: {error.strerror}. Free some space, or set KIT_HOME to "
            "a directory that you may write to."
        ) from error


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
