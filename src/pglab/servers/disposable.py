"""The throw-away embedded server: fast, forgetful, and gone with the process that owns it."""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Self

from pglab.errors import ServerStartError
from pglab.servers import supervisor
from pglab.servers.account import Account, server_account
from pglab.servers.binaries import Binaries, runnable_binaries
from pglab.servers.cluster import environment, initdb_command, postgres_command
from pglab.servers.embedded import (
    EmbeddedServer,
    choose_port,
    close_to_the_public,
    new_password,
    write_private,
)
from pglab.servers.locks import FileLock
from pglab.servers.places import server_place, socket_place, temporary_place
from pglab.servers.postmaster import complaint, end_postmaster, postmaster_of, wait_ready

__all__ = ["DisposableServer", "sweep_disposable"]

_PREFIX, _NEW = "kit-pg-", "kit-new-"
_START_S = 60.0


class DisposableServer(EmbeddedServer):
    """A server in a private temporary directory that never outlives this process.

    Its data is lost at the end, so it never waits for the disk (``settings.DISPOSABLE``).
    """

    durable = False

    def __init__(self, home: Path, *, version: int = 18) -> None:
        self._home = home
        self._major = version
        self._password = new_password()
        self._socket_dir = None
        self._port = choose_port()
        self._directory: Path | None = None
        self._lock: FileLock | None = None
        self._supervisor: subprocess.Popen[bytes] | None = None
        self._owner = os.getpid()

    def start(self) -> Self:
        """Make and start the server.

        Raises:
            ServerStartError: what went wrong and what to do next.
        """
        if self._supervisor is not None:
            return self
        account = server_account()
        temporary = temporary_place(account)
        sweep_disposable(temporary)
        binaries = runnable_binaries(self._major, server_place(self._home, account), account)
        atexit.register(self.stop)
        try:
            self._directory, self._lock = _private_directory(temporary, account)
            self._launch(binaries, account)
            close_to_the_public(self.admin_url)
        except BaseException:
            self.stop()
            raise
        return self

    def stop(self) -> None:
        """End the server and remove its directory; a forked child does nothing here."""
        if os.getpid() != self._owner:
            return
        atexit.unregister(self.stop)
        if self._supervisor is not None:
            if self._supervisor.stdin is not None:
                with contextlib.suppress(OSError):
                    self._supervisor.stdin.close()
            self._supervisor.wait()
            self._supervisor = None
        if self._directory is not None:
            _end_and_remove(self._directory)
            self._directory = None
        if self._lock is not None:
            self._lock.release()
            self._lock = None

    def _launch(self, binaries: Binaries, account: Account) -> None:
        assert self._directory is not None
        data, output = self._directory / "data", self._directory / "output.txt"
        directories = [self._directory]
        if sys.platform != "win32":
            self._socket_dir = socket_place(self._directory / "s", account)
            directories.append(self._socket_dir)
        password_file = self._directory / "password"
        write_private(password_file, self._password, account)
        data.mkdir(mode=0o700)
        account.own(data)
        programs = [
            initdb_command(binaries, data, password_file, disposable=True),
            postgres_command(
                binaries, data, socket_dir=self._socket_dir, port=self._port, disposable=True
            ),
        ]
        self._supervisor = _watched(programs, output, directories, account)
        try:
            ready = wait_ready(data, self._supervised, timeout_s=_START_S)
        except TimeoutError as error:
            raise ServerStartError(
                f"The throw-away PostgreSQL server is {error}. Is the machine overloaded, or its "
                "disk full? Try again, or give --database another server."
            ) from error
        if not ready:
            raise ServerStartError(_why_not(complaint(output, data), self._directory))
        password_file.unlink()

    def _supervised(self) -> bool:
        return self._supervisor is not None and self._supervisor.poll() is None


def _watched(
    programs: list[list[str]], output: Path, directories: list[Path], account: Account
) -> subprocess.Popen[bytes]:
    order = {
        "programs": programs,
        "output": str(output),
        "directories": [str(directory) for directory in directories],
        "environment": environment(),
        "user": account.uid,
        "group": account.gid,
    }
    process = subprocess.Popen(
        [sys.executable, "-I", "-S", supervisor.__file__],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    assert process.stdin is not None
    process.stdin.write(json.dumps(order).encode() + b"\n")
    process.stdin.flush()
    _close_in_forked_children(process)
    return process


def _close_in_forked_children(process: subprocess.Popen[bytes]) -> None:
    """A forked child that lives on must not hold the pipe open after we are gone."""
    if not hasattr(os, "register_at_fork"):
        return
    descriptor = process.stdin

    def close() -> None:
        if descriptor is not None and not descriptor.closed:
            with contextlib.suppress(OSError):
                os.close(descriptor.fileno())

    os.register_at_fork(after_in_child=close)


def _private_directory(temporary: Path, account: Account) -> tuple[Path, FileLock]:
    """A directory of our own, locked before its name is one that a sweep looks at."""
    new = Path(tempfile.mkdtemp(prefix=_NEW, dir=temporary))
    lock = FileLock(new / "owner.lock")
    lock.acquire()
    if account.other:
        new.chmod(0o711)
    directory = temporary / (_PREFIX + new.name.removeprefix(_NEW))
    new.rename(directory)
    return directory, lock


def sweep_disposable(temporary: Path) -> list[Path]:
    """Stop and remove the throw-away servers whose owners were killed; the directories removed.

    The owner of a directory holds a lock on a file in it for as long as it lives.
    """
    swept = []
    for directory in temporary.glob(_PREFIX + "*"):
        if not _ours(directory):
            continue
        lock = FileLock(directory / "owner.lock")
        try:
            taken = lock.acquire(wait=False)
        except OSError:
            continue
        if taken:
            _end_and_remove(directory)
            lock.release()
            swept.append(directory)
    for directory in temporary.glob(_NEW + "*"):
        with contextlib.suppress(OSError):
            if _ours(directory) and time.time() - directory.stat().st_mtime > 3600:
                shutil.rmtree(directory, ignore_errors=True)
    return swept


def _ours(directory: Path) -> bool:
    try:
        status = directory.lstat()
    except OSError:
        return False
    if directory.is_symlink() or not directory.is_dir():
        return False
    return os.name != "posix" or status.st_uid == os.geteuid()


def _end_and_remove(directory: Path) -> None:
    process = postmaster_of(directory / "data")
    if process is not None:
        end_postmaster(process)
    shutil.rmtree(directory, ignore_errors=True)


def _why_not(said: str, directory: Path) -> str:
    if "No space left" in said:
        return (
            f"The throw-away PostgreSQL server did not start: the disk of {directory.parent} is "
            "full. Free about 200 MB there, or set TMPDIR to another disk."
        )
    return (
        f"The throw-away PostgreSQL server did not start. It said: {said or 'nothing'}. "
        "Run kit doctor to see what this machine lacks."
    )
