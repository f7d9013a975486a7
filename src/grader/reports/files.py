"""Files that appear whole or not at all."""

from __future__ import annotations

import errno
import os
import secrets
from collections.abc import Iterable
from pathlib import Path

from grader.errors import ReportError

_CURES = {
    errno.ENOSPC: "The disk is full: free some space, or name a folder elsewhere.",
    errno.EDQUOT: "Your quota is used up: free some space, or name a folder elsewhere.",
    errno.EROFS: "The file system is read-only: name a folder elsewhere.",
    errno.EACCES: "You may not write there: change its permissions, or name another folder.",
    errno.EPERM: "You may not write there: change its permissions, or name another folder.",
    errno.ENOTDIR: "A file stands where a folder is needed: move it, or name another folder.",
    errno.EEXIST: "A file stands where a folder is needed: move it, or name another folder.",
    errno.EISDIR: "A folder stands where the file should go: move it, or name another folder.",
}


def write_whole(path: Path, chunks: Iterable[bytes]) -> Path:
    """Write a file beside its place, then move it there in one step.

    Args:
        path: where the file goes; its folder is made if need be, what stood there is replaced.
        chunks: the content, in order.

    Returns:
        ``path``.

    Raises:
        ReportError: it cannot be written. What stood at ``path`` before is as it was.
    """
    unfinished = path.with_name(f".unfinished-{secrets.token_hex(8)}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            # Not tempfile: its files are closed to everybody else whatever the umask says.
            with unfinished.open("xb") as file:
                for chunk in chunks:
                    file.write(chunk)
                file.flush()
                os.fsync(file.fileno())
            os.replace(unfinished, path)
        except BaseException:
            unfinished.unlink(missing_ok=True)
            raise
    except OSError as error:
        cure = _CURES.get(error.errno or 0, "Name another folder for the reports.")
        msg = f"{path} cannot be written: {error.strerror or error}. {cure}"
        raise ReportError(msg) from error
    return path
