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
from collections.abc import Callable
from pathlib import Path
from typing import Self
from weakref import WeakSet

from pglab.errors import ServerStartError
from pglab.passwords import new_password
from pglab.servers import supervisor
from pglab.servers.account import Account, server_account
from pglab.servers.binaries import Binaries, find_binaries, runnable_binaries
from pglab.servers.cluster import environment, postgres_command
from pglab.servers.embedded import EmbeddedServer, choose_port, close_to_the_public
from pglab.servers.locks import FileLock
from pglab.servers.places import (
    abandoned_places,
    cache_place,
    scratch_place,
    scratch_places,
    socket_place,
)
from pglab.servers.postmaster import complaint, end_postmaster, postmaster_of, wait_ready
from pglab.servers.prepared import copy_cluster, make_cluster, prepared_cluster

__all__ = ["DisposableServer", "private_directory", "sweep_disposable"]

_PREFIX, _NEW = "kit-pg-", "kit-new-"
_SOCKETS = "sockets.path"
_START_S = 60.0
_LOGS_KEPT = 8
"""Rotated log files (32 MB each) that are kept; a flood of statements must not fill the disk."""


class DisposableServer(EmbeddedServer):
    """A server in a private temporary directory that never outlives this process.

    Its data is lost at the end, so it never waits for the disk (``settings.DISPOSABLE``).
    """

    durable = False

    def __init__(
        self,
        home: Path,
        *,
        version: int = 18,
        placed: Callable[[Path], None] = lambda socket_dir: None,
    ) -> None:
        """A server that is not started yet.

        Args:
            home: the kit's directory, where the prepared cluster is kept.
            version: major version.
            placed: is told where the socket will be as soon as that place is there.
        """
        self._placed = placed
        self._home = home
        self._major = version
        self._password = ""
        self._socket_dir = None
        self._port = choose_port()
        self._directory: Path | None = None
        self._lock: FileLock | None = None
        self._watchman: subprocess.Popen[bytes] | None = None
        self._process = os.getpid()

    def start(self) -> Self:
        """Make and start the server.

        Raises:
            ServerStartError: what went wrong and what to do next.
        """
        if self._watchman is not None:
            return self
        account = server_account()
        sweep_disposable(account)
        atexit.register(self.stop)
        try:
            self._directory, self._lock = private_directory(scratch_place(account), account)
            if sys.platform != "win32":
                self._place_socket(self._directory, account)
            binaries = self._make_data(self._directory / "data", account)
            self._launch(binaries, self._directory, account)
            password = new_password()
            close_to_the_public(self.admin_url, password=password)
            self._password = password
        except BaseException:
            self.stop()
            raise
        return self

    def stop(self) -> None:
        """End the server and remove its directory; in a forked child this does nothing."""
        if os.getpid() != self._process:
            return
        atexit.unregister(self.stop)
        if self._watchman is not None:
            _dismiss(self._watchman)
            self._watchman = None
        if self._directory is not None:
            _end_and_remove(self._directory)
            self._directory = None
        if self._lock is not None:
            self._lock.release()
            self._lock = None

    def runs(self) -> bool:
        """Whether it has been started and has not ended since."""
        return self._watchman is not None and self._watchman.poll() is None

    def _place_socket(self, directory: Path, account: Account) -> None:
        self._socket_dir = socket_place(directory / "s", account)
        (directory / _SOCKETS).write_bytes(os.fsencode(self._socket_dir))
        self._placed(self._socket_dir)

    def _make_data(self, data: Path, account: Account) -> Binaries:
        """A copy of the prepared cluster; a new one where the home cannot keep a prepared one."""
        try:
            place = cache_place(self._home, account)
        except ServerStartError:
            binaries = find_binaries(self._major)
            if not account.can_run(binaries.program("postgres")):
                raise
            self._password = new_password()
            make_cluster(binaries, data, self._password, account, disposable=True)
            return binaries
        binaries = runnable_binaries(self._major, place, account)
        prepared = prepared_cluster(binaries, place, account)
        copy_cluster(prepared.data, data, account)
        self._password = prepared.password
        return binaries

    def _launch(self, binaries: Binaries, directory: Path, account: Account) -> None:
        data, output = directory / "data", directory / "output.txt"
        directories = [directory, *([self._socket_dir] if self._socket_dir else [])]
        order = {
            "program": postgres_command(
                binaries, data, socket_dir=self._socket_dir, port=self._port, disposable=True
            ),
            "output": str(output),
            "directories": [str(place) for place in directories],
            "logs": str(data / "log"),
            "logs_kept": _LOGS_KEPT,
            "environment": environment(),
            "user": account.uid,
            "group": account.gid,
        }
        watchman = self._watchman = _watchman(order)
        try:
            ready = wait_ready(data, lambda: watchman.poll() is None, timeout_s=_START_S)
        except TimeoutError as error:
            raise ServerStartError(
                f"The throw-away PostgreSQL server is {error}. Is the machine overloaded, or its "
                "disk full? Try again, or give --database another server."
            ) from error
        if not ready:
            raise ServerStartError(_why_not(complaint(output, data), directory))


def _watchman(order: dict[str, object]) -> subprocess.Popen[bytes]:
    process = subprocess.Popen(
        [sys.executable, "-I", "-S", supervisor.__file__],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    _watchmen.add(process)
    assert process.stdin is not None
    process.stdin.write(json.dumps(order).encode() + b"\n")
    process.stdin.flush()
    return process


def _dismiss(watchman: subprocess.Popen[bytes]) -> None:
    """Close the pipe, which ends the server, and wait until the watchman has cleaned up."""
    if watchman.stdin is not None:
        with contextlib.suppress(OSError):
            watchman.stdin.close()
    watchman.wait()


_watchmen: WeakSet[subprocess.Popen[bytes]] = WeakSet()


def _let_go_in_a_forked_child() -> None:
    # A forked child that lives longer than its parent must not hold the pipe open.
    for watchman in list(_watchmen):
        if watchman.stdin is not None:
            with contextlib.suppress(OSError):
                watchman.stdin.close()


if sys.platform != "win32":
    os.register_at_fork(after_in_child=_let_go_in_a_forked_child)


def private_directory(temporary: Path, account: Account) -> tuple[Path, FileLock]:
    """A directory of our own, locked before its name is one that a sweep looks at."""
    new = Path(tempfile.mkdtemp(prefix=_NEW, dir=temporary))
    lock = FileLock(new / "owner.lock")
    lock.acquire()
    if account.other:
        new.chmod(0o711)
    directory = temporary / (_PREFIX + new.name.removeprefix(_NEW))
    new.rename(directory)
    return directory, lock


def sweep_disposable(account: Account | None = None) -> list[Path]:
    """Stop and remove the throw-away servers whose owners were killed; the directories removed.

    The owner of a directory holds a lock on a file in it for as long as it lives.
    """
    swept = []
    account = account or server_account()
    for place in scratch_places(account):
        swept += [each for each in place.glob(_PREFIX + "*") if _ours(each) and _end_if_dead(each)]
        for directory in place.glob(_NEW + "*"):
            with contextlib.suppress(OSError):
                if _ours(directory) and time.time() - directory.stat().st_mtime > 3600:
                    shutil.rmtree(directory, ignore_errors=True)
    for place in abandoned_places(account):
        for data in place.glob("data-*"):
            _end_server_in(data)
        shutil.rmtree(place, ignore_errors=True)
        swept.append(place)
    return swept


def _end_if_dead(directory: Path) -> bool:
    lock = FileLock(directory / "owner.lock")
    try:
        if not lock.acquire(wait=False):
            return False
    except OSError:
        return False
    _end_and_remove(directory)
    lock.release()
    return True


def _ours(directory: Path) -> bool:
    try:
        status = directory.lstat()
    except OSError:
        return False
    if directory.is_symlink() or not directory.is_dir():
        return False
    return sys.platform == "win32" or status.st_uid == os.geteuid()


def _end_and_remove(directory: Path) -> None:
    if directory.is_dir():
        _end_server_in(directory / "data")
        with contextlib.suppress(OSError):  # its socket may be elsewhere, for a shorter path
            shutil.rmtree(os.fsdecode((directory / _SOCKETS).read_bytes()), ignore_errors=True)
        shutil.rmtree(directory, ignore_errors=True)


def _end_server_in(data: Path) -> None:
    process = postmaster_of(data)
    if process is not None:
        end_postmaster(process)


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
