"""Reports of unexpected failures, kept in the kit's own folder for whoever mends them."""

from __future__ import annotations

import datetime
import os
import platform
import sys
import tempfile
import traceback
from importlib import metadata
from pathlib import Path

from kit import home

KEPT = 20
"""How many reports are kept; older ones are deleted."""


def write(error: BaseException) -> Path | str:
    """Write what happened to a file and return its path; never fails itself.

    Args:
        error: what was raised, with its traceback.
    """
    from kit.cli.endings import plain

    now = datetime.datetime.now(datetime.UTC)
    text = plain(
        f"{now.isoformat(timespec='seconds')}\n"
        f"kit {metadata.version('kit')}, Python {platform.python_version()}\n"
        f"{platform.platform()}\n"
        f"{' '.join(sys.argv)}\n\n{''.join(traceback.format_exception(error))}"
    )
    name = f"{now:%Y%m%d-%H%M%S}-{os.getpid()}.txt"
    for folder in (home.location() / "crashes", Path(tempfile.gettempdir())):
        try:
            folder.mkdir(parents=True, exist_ok=True)
            path = folder / name
            path.write_text(text, encoding="utf-8", errors="backslashreplace")
            if folder.name == "crashes":
                for old in sorted(folder.glob("*.txt"))[:-KEPT]:
                    old.unlink()
            return path
        except OSError:
            continue
    return "no file, because none could be written; KIT_DEBUG=1 shows them"
