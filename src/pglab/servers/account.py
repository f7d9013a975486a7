"""The operating system account that a server runs as.

PostgreSQL refuses to run as root. Started by root (in a container, in CI, on a lab machine), the
kit runs it as ``postgres`` where that account exists, else as ``nobody``.
"""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pglab.errors import ServerStartError

__all__ = ["Account", "server_account"]


@dataclass(frozen=True)
class Account:
    """A user to run a program as; ``None`` means the user that we are."""

    uid: int | None = None
    gid: int | None = None

    @property
    def other(self) -> bool:
        """The account is not our own, so files must be given to it."""
        return self.uid is not None

    def popen_arguments(self) -> dict[str, Any]:
        """Arguments of ``subprocess`` functions that change to this account."""
        if self.uid is None:
            return {}
        return {"user": self.uid, "group": self.gid, "extra_groups": []}

    def own(self, path: Path) -> None:
        """Give a file or directory to this account."""
        if self.uid is not None and self.gid is not None:
            os.chown(path, self.uid, self.gid)

    def can_run(self, program: Path) -> bool:
        """Whether this account can execute a program, found by trying it with ``--version``."""
        try:
            done = subprocess.run(
                [program, "--version"],
                capture_output=True,
                check=False,
                cwd="/" if os.name == "posix" else None,
                timeout=30,
                **self.popen_arguments(),
            )
        except (PermissionError, FileNotFoundError):
            return False
        return done.returncode == 0

    def can_enter(self, directory: Path) -> bool:
        """Whether this account can pass through a directory and all those above it."""
        if self.uid is None:
            return True
        directory = directory.resolve()
        return all(self._may_search(place) for place in (directory, *directory.parents))

    def _may_search(self, directory: Path) -> bool:
        try:
            status = directory.stat()
        except FileNotFoundError:
            return True  # it will be made, and then it is ours to open
        except OSError:
            return False
        if status.st_uid == self.uid:
            return bool(status.st_mode & 0o100)
        if status.st_gid == self.gid:
            return bool(status.st_mode & 0o010)
        return bool(status.st_mode & 0o001)


def server_account() -> Account:
    """The account for a server of ours: ourselves, or an unprivileged one when we are root.

    Raises:
        ServerStartError: we are root and the machine has neither ``postgres`` nor ``nobody``.
    """
    if sys.platform == "win32" or os.geteuid() != 0:
        return Account()
    import pwd

    for name in ("postgres", "nobody"):
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        if entry.pw_uid != 0:
            return Account(entry.pw_uid, entry.pw_gid)
    raise ServerStartError(
        "PostgreSQL does not run as root, and this machine has no account named postgres or "
        "nobody to run it as. Run the command as an ordinary user, or add the account: "
        "useradd --system postgres"
    )
