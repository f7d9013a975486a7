"""A database cluster made once and copied, because copying is several times quicker than initdb."""

from __future__ import annotations

import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from pglab.errors import ServerStartError
from pglab.passwords import new_password
from pglab.servers.account import Account
from pglab.servers.binaries import Binaries
from pglab.servers.cluster import environment, initdb_command
from pglab.servers.locks import FileLock
from pglab.servers.privatefile import write_private

__all__ = ["PreparedCluster", "copy_cluster", "make_cluster", "prepared_cluster"]

_FORM = 1
"""Raised when what ``initdb_command`` makes changes, so that an older copy is not used."""


@dataclass(frozen=True)
class PreparedCluster:
    """A stopped cluster to copy, and the password of its superuser until the copy gets another."""

    data: Path
    password: str


def prepared_cluster(binaries: Binaries, place: Path, account: Account) -> PreparedCluster:
    """The prepared cluster of these binaries, made by whoever comes first.

    Raises:
        ServerStartError: initdb failed.
    """
    root = place / f"prepared-{binaries.major}-{binaries.wheel_version}-{_FORM}"
    with FileLock(place / "prepared.lock"):
        if not root.is_dir():
            _prepare(binaries, root, account)
    return PreparedCluster(root / "data", (root / "password").read_text(encoding="utf-8"))


def _prepare(binaries: Binaries, root: Path, account: Account) -> None:
    partial = root.with_name(root.name + ".partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(mode=0o711 if account.other else 0o700)
    password = new_password()
    try:
        make_cluster(binaries, partial / "data", password, account, disposable=True)
        write_private(partial / "password", password)
        partial.rename(root)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def make_cluster(
    binaries: Binaries, data: Path, password: str, account: Account, *, disposable: bool
) -> None:
    """Run initdb in a directory that it makes.

    Raises:
        ServerStartError: it failed; the message says why.
    """
    password_file = data.with_name(data.name + ".password")
    write_private(password_file, password, account)
    try:
        data.mkdir(mode=0o700)
        account.own(data)
        done = subprocess.run(
            initdb_command(binaries, data, password_file, disposable=disposable),
            capture_output=True,
            check=False,
            cwd=data.parent,
            env=environment(),
            **account.popen_arguments(),
        )
    except OSError as error:
        raise ServerStartError(_failed(data, str(error))) from error
    finally:
        password_file.unlink(missing_ok=True)
    if done.returncode != 0:
        said = (done.stderr + done.stdout).decode("utf-8", "replace")
        raise ServerStartError(_failed(data, said))


def copy_cluster(source: Path, target: Path, account: Account) -> None:
    """Copy a stopped cluster, for the account to own.

    Raises:
        ServerStartError: the copy failed, usually because the disk is full.
    """
    try:
        if sys.platform == "win32":
            shutil.copytree(source, target)
            return
        target.mkdir(mode=0o700)
        account.own(target)
        # A thousand small files: cp takes half the time that Python would.
        done = subprocess.run(
            ["cp", "-R", f"{source}/.", target],
            capture_output=True,
            check=False,
            cwd="/",
            **account.popen_arguments(),
        )
    except (OSError, shutil.Error) as error:
        raise ServerStartError(_failed(target, str(error))) from error
    if done.returncode != 0:
        raise ServerStartError(_failed(target, done.stderr.decode("utf-8", "replace")))


def _failed(data: Path, said: str) -> str:
    if "No space left" in said:
        return (
            f"There is no room for a PostgreSQL server: the disk of {data.parent} is full. Free "
            "about 200 MB there, or set KIT_HOME (for a throw-away server: TMPDIR) to another disk."
        )
    lines = [line.strip() for line in said.splitlines() if "error" in line.lower()]
    reason = lines[0] if lines else said.strip()[-300:]
    return (
        f"PostgreSQL could not make its data directory {data}: {reason}. "
        "Run kit doctor to see what this machine lacks."
    )
