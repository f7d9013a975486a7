"""The learner's own embedded server: durable, shared by processes, alive between commands."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Self

import psycopg

from pglab.errors import ServerStartError, ServerUnavailable
from pglab.passwords import new_password
from pglab.servers.account import server_account
from pglab.servers.binaries import Binaries, runnable_binaries
from pglab.servers.cluster import environment, postgres_command
from pglab.servers.embedded import EmbeddedServer, choose_port, close_to_the_public
from pglab.servers.locks import FileLock
from pglab.servers.places import server_place, socket_place
from pglab.servers.postmaster import (
    complaint,
    end_postmaster,
    postmaster_of,
    processes_in,
    read_pid_file,
    wait_ready,
)
from pglab.servers.prepared import make_cluster
from pglab.servers.privatefile import write_private
from pglab.servers.server import connect

if TYPE_CHECKING:
    import psutil

__all__ = ["DurableServer", "ServerStatus", "status"]

_START_S = 120.0
_SURVIVORS_S = 10.0
_LOG_DAYS = 7
_LOG_BYTES = 256 * 1024 * 1024


@dataclass(frozen=True)
class ServerStatus:
    """What ``kit db status`` shows of the learner's own server."""

    running: bool
    pid: int | None
    version: str | None
    """Of the running server; else the major version of the data; None where there is none."""
    data_dir: Path
    size_bytes: int
    url: str | None
    """Admin URL with its password, where the server runs."""


class DurableServer(EmbeddedServer):
    """The server whose data stays in the kit's home.

    Processes that ask at the same time get the same server; it goes on when they end, until
    :meth:`stop`.
    """

    durable = True

    def __init__(self, home: Path, *, version: int = 18) -> None:
        self._home = home
        self._major = version
        self._account = server_account()
        self._place = server_place(home, self._account)
        self._password = ""
        self._socket_dir = None
        self._port = 0

    @property
    def data_dir(self) -> Path:
        """Where the data is."""
        return self._place / f"data-{self._major}"

    @property
    def _password_file(self) -> Path:
        return self._place / f"password-{self._major}"

    @property
    def _output(self) -> Path:
        return self._place / f"start-{self._major}.txt"

    def start(self) -> Self:
        """Start the server, or find it running.

        Raises:
            ServerStartError: what went wrong and what to do next.
        """
        with self._lock():
            if sys.platform != "win32":
                self._socket_dir = socket_place(self._place / f"s{self._major}", self._account)
            if not self._runs():
                self._boot()
        return self

    def stop(self) -> None:
        """Stop the server for every process that uses it; safe when it does not run."""
        with self._lock():
            process = postmaster_of(self.data_dir)
            if process is not None:
                end_postmaster(process)

    def status(self) -> ServerStatus:
        """What is there and whether it runs, without starting anything."""
        process = postmaster_of(self.data_dir)
        running, version = process is not None, _major_of(self.data_dir)
        if running:
            if sys.platform != "win32":
                self._socket_dir = socket_place(self._place / f"s{self._major}", self._account)
            self._attach()
            with contextlib.suppress(ServerUnavailable):  # it is just starting or ending
                version = self.version
        return ServerStatus(
            running=running,
            pid=process.pid if process is not None else None,
            version=version,
            data_dir=self.data_dir,
            size_bytes=_size_of(self.data_dir),
            url=self.admin_url if running else None,
        )

    def _lock(self) -> FileLock:
        return FileLock(self._place / f"server-{self._major}.lock")

    def _attach(self) -> None:
        self._password = self._read_password()
        found = read_pid_file(self.data_dir)
        if found is not None and found.port is not None:
            self._port = found.port
        self.__dict__.pop("version", None)

    def _runs(self) -> bool:
        """Whether the server runs and answers; one that is just being killed does not."""
        deadline = time.monotonic() + _START_S
        while postmaster_of(self.data_dir) is not None:
            self._attach()
            try:
                connect(self.admin_url).close()
                return True
            except psycopg.OperationalError as error:
                if time.monotonic() > deadline:
                    raise ServerStartError(
                        f"Your PostgreSQL server runs but does not let the kit in: {error}. Its "
                        f"log is in {self.data_dir / 'log'}. kit db down stops it."
                    ) from error
                time.sleep(0.05)
        return False

    def _boot(self) -> None:
        binaries = runnable_binaries(self._major, self._place, self._account)
        if not self.data_dir.exists():
            self._make(binaries)
        self._inspect()
        _remove_false_pid_file(self.data_dir)
        _remove_old_logs(self.data_dir / "log")
        process = self._launch(binaries)
        try:
            ready = wait_ready(self.data_dir, lambda: process.poll() is None, timeout_s=_START_S)
        except TimeoutError as error:
            raise ServerStartError(
                f"Your PostgreSQL server is {error}; it may still be repairing its data after a "
                f"crash. Wait a little and try again; its log is in {self.data_dir / 'log'}."
            ) from error
        if not ready:
            raise ServerStartError(self._why_not(complaint(self._output, self.data_dir)))
        self._attach()
        close_to_the_public(self.admin_url)

    def _make(self, binaries: Binaries) -> None:
        """Make the cluster beside its place and move it there whole."""
        partial = self.data_dir.with_name(self.data_dir.name + ".partial")
        shutil.rmtree(partial, ignore_errors=True)
        password = new_password()
        try:
            make_cluster(binaries, partial, password, self._account, disposable=False)
            write_private(self._password_file, password)
            partial.rename(self.data_dir)
        finally:
            shutil.rmtree(partial, ignore_errors=True)

    def _inspect(self) -> None:
        """Refuse a directory that this server cannot serve, before it tries."""
        major = _major_of(self.data_dir)
        if major is None:
            raise ServerStartError(
                f"{self.data_dir} is not a complete PostgreSQL data directory (PG_VERSION is "
                "missing). If you have a backup, stop here and restore it. Else move the "
                "directory away, and the next command makes a new, empty one."
            )
        if major != str(self._major):
            raise ServerStartError(
                f"The data in {self.data_dir} is of PostgreSQL {major}, and this server is "
                f"PostgreSQL {self._major}, which cannot read it. Move the directory away, or "
                f"rename it to data-{major} if it is one of the kit's."
            )

    def _launch(self, binaries: Binaries) -> subprocess.Popen[bytes]:
        self._port = choose_port()
        command = postgres_command(
            binaries,
            self.data_dir,
            socket_dir=self._socket_dir,
            port=self._port,
            disposable=False,
        )
        try:
            with self._output.open("wb") as output:
                return subprocess.Popen(
                    command,
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=output,
                    cwd=self._place,
                    env=environment(),
                    start_new_session=True,
                    **self._account.popen_arguments(),
                )
        except OSError as error:
            raise ServerStartError(self._why_not(str(error))) from error

    def _read_password(self) -> str:
        try:
            return self._password_file.read_text(encoding="utf-8").strip()
        except OSError as error:
            raise ServerStartError(
                f"The password of your PostgreSQL server is not readable in {self._password_file}:"
                f" {error.strerror}. Without it nobody can log in. Restore the file; or stop the "
                f"server with kit db down and move {self.data_dir} away to begin with an empty one."
            ) from error

    def _why_not(self, said: str) -> str:
        if "No space left" in said:
            return (
                f"Your PostgreSQL server did not start: the disk of {self.data_dir} is full. Free "
                "some space there and try again."
            )
        start = f"Your PostgreSQL server did not start. It said: {said or 'nothing'}. "
        if "Address already in use" in said or "could not bind" in said:
            return start + "Another program has its port: try again, and it takes another one."
        if "Permission denied" in said:
            return start + f"Make {self.data_dir} readable for its owner again (chmod -R u+rwX)."
        return start + (
            f"Its log is in {self.data_dir / 'log'}. If the data is damaged and you have a backup, "
            "restore it; else move the directory away, and the next command makes a new, empty one."
        )


def status(home: Path, *, version: int = 18) -> ServerStatus:
    """What ``kit db status`` shows: is there a server of this home, and does it run."""
    return DurableServer(home, version=version).status()


def _major_of(data: Path) -> str | None:
    try:
        return (data / "PG_VERSION").read_text(encoding="ascii", errors="replace").strip()
    except OSError:
        return None


def _size_of(directory: Path) -> int:
    total = 0
    for place, _, files in os.walk(directory):
        for name in files:
            try:
                total += os.lstat(os.path.join(place, name)).st_size
            except OSError:
                continue
    return total


def _remove_false_pid_file(data: Path) -> None:
    """Remove a pid file whose number now belongs to a stranger.

    PostgreSQL removes a stale pid file itself when no process has its number. It refuses to start
    when some other program got the number after a reboot. The file is removed only if nothing at
    all works in the directory: what is left of a killed server would damage the data of a new one.
    """
    if read_pid_file(data) is None:
        return
    survivors = processes_in(data)
    if survivors:
        _wait_for_the_end_of(survivors, data)
    (data / "postmaster.pid").unlink(missing_ok=True)


def _wait_for_the_end_of(survivors: list[psutil.Process], data: Path) -> None:
    import psutil

    _, alive = psutil.wait_procs(survivors, timeout=_SURVIVORS_S)
    if alive:
        numbers = ", ".join(str(process.pid) for process in alive)
        raise ServerStartError(
            f"A PostgreSQL server in {data} was killed and left processes behind that still use "
            f"its data ({numbers}). End them (kill {numbers.replace(',', '')}) and try again."
        )


def _remove_old_logs(directory: Path) -> None:
    """Keep a week of logs and at most 256 MB of them."""
    kept = 0
    for path in sorted(directory.glob("postgresql-*"), reverse=True):
        try:
            found = path.stat()
            kept += found.st_size
            if kept > _LOG_BYTES or found.st_mtime < time.time() - _LOG_DAYS * 86400:
                path.unlink()
        except OSError:
            continue
