"""Empties a directory, whatever student code left in it."""

from __future__ import annotations

import itertools
import os
import secrets
import stat


def empty(place: str) -> None:
    """Delete all that is in a directory, however deep; no link is followed.

    What lies deep is moved up instead of being gone down to, so that neither the length of a path
    nor the depth of a call sets an end. Nothing else may be at work in the directory.

    Raises:
        OSError: something cannot be deleted.
    """
    root = os.fsencode(place)
    os.chmod(root, 0o700)
    prefix, numbers = secrets.token_hex(8), itertools.count()
    while names := os.listdir(root):
        for name in names:
            path = os.path.join(root, name)
            if not stat.S_ISDIR(os.lstat(path).st_mode):
                os.unlink(path)
                continue
            os.chmod(path, 0o700)
            for child in os.listdir(path):
                _let_move(os.path.join(path, child))
                number = f"{prefix}-{next(numbers)}".encode()
                os.rename(os.path.join(path, child), os.path.join(root, number))
            os.rmdir(path)


def _let_move(path: bytes) -> None:
    """A directory moves only if it can be written to, for its way up changes."""
    if stat.S_ISDIR(os.lstat(path).st_mode):
        os.chmod(path, 0o700)
