"""The course's own modules beside an answer, imported once for all runners of a cell."""

from __future__ import annotations

import gc
import importlib
import os
import sys
import traceback
from collections.abc import Mapping
from pathlib import Path

from sqlalchemy.orm import configure_mappers


def preload(home: Path, files: Mapping[str, str]) -> None:
    """Import modules as a runner would, so that those forked afterwards have them.

    One that cannot be imported is left to them, who tell of it.

    Args:
        home: the directory of the submission's files; empty, and empty again afterwards.
        files: the modules' sources by file name. None of them needs anything of a submission.
    """
    sys.dont_write_bytecode = True
    sys.path.append(str(home))
    try:
        for name, source in files.items():
            (home / name).write_text(source, encoding="utf-8")
        for name in files:
            importlib.import_module(name.removesuffix(".py"))
        if _are_whole():
            configure_mappers()
    except Exception:
        traceback.print_exc()
    finally:
        sys.path.remove(str(home))
        for name in files:
            (home / name).unlink(missing_ok=True)
        importlib.invalidate_caches()
    gc.collect()
    gc.freeze()


def _are_whole() -> bool:
    """Whether the mapped classes need no others; found out by a fork, because a mapper that could
    not be configured stays broken, even where the submission defines what it lacks.
    """
    pid = os.fork()
    if pid == 0:
        try:
            configure_mappers()
        except BaseException:
            os._exit(1)
        os._exit(0)
    return os.waitpid(pid, 0)[1] == 0
