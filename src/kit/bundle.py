"""Writes a bundle of files into a new folder or a zip archive: wholly, or not at all."""

from __future__ import annotations

import os
import shutil
import stat
import tempfile
import zipfile
from collections.abc import Mapping
from pathlib import Path

from kit.errors import WrongUsage

_SUFFIX = ".zip"
_EPOCH = (1980, 1, 1, 0, 0, 0)
"""The time of every entry, so that the same files give the same bytes."""


def refuse_taken(target: Path) -> None:
    """Find out before any work what could only go wrong.

    Raises:
        WrongUsage: the target is there already, or its folder is not.
    """
    if target.exists():
        msg = f"{target} is there already. Name another one, so that nothing is overwritten."
        raise WrongUsage(msg)
    if not target.absolute().parent.is_dir():
        msg = f"{target.absolute().parent} is not a folder. Make it first, or name another one."
        raise WrongUsage(msg)


def write(files: Mapping[str, bytes], target: Path, *, top: str | None = None) -> None:
    """Write files by their paths. Those that begin with ``#!`` can be run.

    Args:
        target: a folder that is not there yet, or a file that ends in ``.zip``.
        top: the folder in an archive that holds them; called like the archive if not given, and
            ``""`` for none.

    Raises:
        WrongUsage: nothing can be written there.
    """
    try:
        if target.suffix == _SUFFIX:
            _write_zip(files, target, f"{target.stem}/" if top is None else top)
        else:
            _write_folder(files, target)
    except OSError as error:
        msg = f"{target} cannot be written: {error.strerror}. Name another place."
        raise WrongUsage(msg) from error


def _write_folder(files: Mapping[str, bytes], target: Path) -> None:
    staging = Path(tempfile.mkdtemp(prefix=".unfinished-", dir=target.absolute().parent))
    try:
        for name, content in files.items():
            file = staging / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content)
            file.chmod(_mode(content))
        staging.chmod(0o755)
        staging.rename(target)
    except BaseException:
        shutil.rmtree(staging, ignore_errors=True)
        raise


def _mode(content: bytes) -> int:
    return 0o755 if content.startswith(b"#!") else 0o644


def _write_zip(files: Mapping[str, bytes], target: Path, top: str) -> None:
    descriptor, name = tempfile.mkstemp(prefix=".unfinished-", dir=target.absolute().parent)
    staging = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file, zipfile.ZipFile(file, "w") as archive:
            for path, content in files.items():
                entry = zipfile.ZipInfo(f"{top}{path}", _EPOCH)
                entry.compress_type = zipfile.ZIP_DEFLATED
                entry.external_attr = (stat.S_IFREG | _mode(content)) << 16
                archive.writestr(entry, content)
        staging.chmod(0o644)
        staging.replace(target)
    except BaseException:
        staging.unlink(missing_ok=True)
        raise
