"""One container with one cell in it, and the door by which the two find each other."""

from __future__ import annotations

import contextlib
import json
import os
import select
import shutil
import socket
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, Future
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from grader.errors import SandboxError
from grader.sandbox import base
from grader.sandbox.base import WORKER
from grader.sandbox.cell import Cell
from grader.sandbox.memory import resident_bytes
from grader.sandbox.places import HOME, SOCKET_DIR, nobodys_user, scratch_places
from grader.text import clean
from grader.worker.limits import Limits
from pglab.servers.engine import engine_errors

_DOOR_DIR = "/run/judge"
_DOOR = "door"
_KNOCK_SECONDS = 60.0
_LOOK_SECONDS = 0.5
_STRANGEST_USER = 60_000
"""The highest number of a user where the engine itself runs without root's rights."""
# Paths of the kernel's that tell about the machine. The counters in /sys/fs/cgroup stay.
_MASKED = (
    *(f"/proc/{name}" for name in ("acpi", "asound", "kcore", "keys", "latency_stats", "scsi")),
    *(f"/proc/{name}" for name in ("sched_debug", "timer_list", "timer_stats", "interrupts")),
    *(f"/sys/{name}" for name in ("block", "bus", "class", "dev", "devices", "firmware")),
    *(f"/sys/{name}" for name in ("hypervisor", "kernel", "module", "power")),
)
_FIXED = tuple(f"/proc/{name}" for name in ("bus", "fs", "irq", "sys", "sysrq-trigger"))


@dataclass(frozen=True)
class Room:
    """What is the same for all containers of a sandbox."""

    engine: Any
    """The engine's client (``docker.APIClient``), used in `errands` alone."""
    errands: Executor
    """One thread."""
    image: str
    labels: dict[str, str]
    environment: dict[str, str]
    socket_dir: Path
    readable: Sequence[Path]
    rootless: bool


class Box(Cell):
    """A cell in a container of its own, which is being made while the judge does other things."""

    def __init__(self, room: Room, door_dir: Path, limits: Limits) -> None:
        """Have the container made.

        Args:
            room: where.
            door_dir: a directory that is not there yet; it is gone when the cell is ready.
            limits: of the submission.

        Raises:
            SandboxError: there is no way to listen for the cell.
        """
        self._room = room
        self._door_dir = door_dir
        self._door = _listen(door_dir)
        self._id = ""
        self._user = _user(rootless=room.rootless)
        self._process = 0
        self._closed = False
        super().__init__(self._door, limits, self._said)
        self._made: Future[None] = room.errands.submit(self._make)

    def wait_ready(self) -> None:
        if self._door.fileno() >= 0:
            self._let_in()
        super().wait_ready()
        self._channel.settimeout(base.CONTROL_SECONDS)

    def close(self) -> None:
        """Hang up, and have the container removed behind the judge's back."""
        if self._closed:
            return
        self._closed = True
        super().close()
        self._shut_door()
        self._made.cancel()
        with contextlib.suppress(RuntimeError):  # the sandbox is closed already, and removes it
            self._room.errands.submit(self._remove)

    def _let_in(self) -> None:
        """Wait until the cell has come to the door.

        Raises:
            SandboxError: it will never come.
        """
        try:
            self._channel = self._accept()
        except OSError as error:
            raise SandboxError(f"container could not be started: {error}.") from error
        finally:
            self._shut_door()
        self._channel.settimeout(_KNOCK_SECONDS)  # it imports its libraries first
        # As we count; 0 where we are in a container ourselves and cannot see it.
        credentials = self._channel.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12)
        self._process = int.from_bytes(credentials[:4], sys.byteorder)

    def _accept(self) -> socket.socket:
        deadline = time.monotonic() + _KNOCK_SECONDS
        while time.monotonic() < deadline:
            if select.select([self._door], [], [], _LOOK_SECONDS)[0]:
                return self._door.accept()[0]
            if self._made.done() and not self._asked(self._runs):
                raise SandboxError(f"container did not start: {self._asked(self._why)}")
        raise SandboxError(f"container did not start within {_KNOCK_SECONDS:g} seconds.")

    def _shut_door(self) -> None:
        self._door.close()
        shutil.rmtree(self._door_dir, ignore_errors=True)

    def _make(self) -> None:
        engine = self._room.engine
        self._id = self._create(auto_remove=True, log_config={"Type": "none"})
        engine.start(self._id)

    def _create(self, **more: Any) -> str:
        """The identifier of a new container that does not run yet."""
        made = self._room.engine.create_container(
            self._room.image,
            self._command(),
            user=f"{self._user}:{self._user}",
            environment={**self._room.environment, "HOME": HOME, **self._temporary()},
            working_dir="/",
            hostname="sandbox",
            labels=self._room.labels,
            host_config=self._host_config(**more),
        )
        return str(made["Id"])

    def _runs(self) -> bool:
        self._made.result()
        return self._is_running(self._id)

    def _is_running(self, identifier: str) -> bool:
        from docker.errors import NotFound

        try:
            return bool(self._room.engine.inspect_container(identifier)["State"]["Running"])
        except NotFound:  # it has ended, and was removed at once
            return False

    def _remove(self) -> None:
        if self._id:
            with contextlib.suppress(*engine_errors()):
                self._room.engine.remove_container(self._id, force=True, v=True)

    def _asked(self, errand: Callable[[], Any]) -> Any:
        """What the engine says.

        Raises:
            SandboxError: it does not do what it is asked for, or the sandbox is closed.
        """
        try:
            asked = self._room.errands.submit(errand)
        except RuntimeError as error:  # of an executor that was shut down
            raise SandboxError("the container sandbox was closed.") from error
        try:
            return asked.result()
        except engine_errors() as error:
            told = clean(str(getattr(error, "explanation", None) or error), 300)
            raise SandboxError(f"the container engine refuses the sandbox: {told}") from error

    def _said(self) -> str:
        if self._closed:
            return "it was closed."
        return "it does not answer." if self._asked(self._runs) else "it ended."

    def _why(self) -> str:
        """The last line of another container that starts in the same way, and is kept to be read.

        That of the first was not: it is gone at once, even where the judge is no longer there. If
        the other one comes to the door, the first was ended by somebody.
        """
        engine = self._room.engine
        again = self._create(log_config={"Type": "json-file", "Config": {"max-size": "64k"}})
        try:
            engine.start(again)
            while self._is_running(again):
                if select.select([self._door], [], [], _LOOK_SECONDS)[0]:
                    return "it was ended from outside."
            words = engine.logs(again, tail=1).decode(errors="replace").strip()
        finally:
            engine.remove_container(again, force=True, v=True)
        return clean(words, 300) if words else "it ended without a word."

    def _memory_held(self) -> int:
        """Resident bytes of everything in the container; 0 where it cannot be told."""
        return resident_bytes(self._process) if self._process else 0

    @property
    def _scratch(self) -> list[str]:
        return scratch_places(self._room.readable)

    def _temporary(self) -> dict[str, str]:
        return {} if "/tmp" in self._scratch else {"TMPDIR": HOME}  # noqa: S108

    def _command(self) -> list[str]:
        options = {
            "door": f"{_DOOR_DIR}/{_DOOR}",
            "limits": self._limits.to_plain(),
            "scratch": self._scratch,
        }
        return [sys.executable, "-s", "-P", str(WORKER), json.dumps(options)]

    def _host_config(self, **more: Any) -> dict[str, Any]:
        from docker.types import Mount

        limits = self._limits
        # What is written to the scratch places is memory too.
        memory = limits.memory_bytes + len(self._scratch) * limits.disk_bytes
        places = {
            **{str(path): str(path) for path in self._room.readable},
            SOCKET_DIR: str(self._room.socket_dir),
            _DOOR_DIR: str(self._door_dir),
        }
        options = (
            f"size={limits.disk_bytes},nr_inodes={limits.disk_files},mode=0700,"
            f"uid={self._user},gid={self._user}"
        )
        config: dict[str, Any] = self._room.engine.create_host_config(
            mounts=[
                Mount(inside, outside, type="bind", read_only=True, propagation="rprivate")
                for inside, outside in places.items()
            ],
            tmpfs=dict.fromkeys(self._scratch, options),
            network_mode="none",
            ipc_mode="none",
            read_only=True,
            cap_drop=["ALL"],
            security_opt=["no-new-privileges"],
            mem_limit=memory,
            memswap_limit=memory,
            pids_limit=limits.processes,
            nano_cpus=1_000_000_000,
            **more,
        )
        config["MaskedPaths"], config["ReadonlyPaths"] = list(_MASKED), list(_FIXED)
        return config


def _user(*, rootless: bool) -> int:
    """The number of a user that nobody else is, and that the engine may make one its own."""
    number = nobodys_user()
    return _STRANGEST_USER // 2 + number % (_STRANGEST_USER // 2) if rootless else number


def _listen(directory: Path) -> socket.socket:
    """A socket in a new directory, for whoever can come there: the directory above is closed."""
    door = socket.socket(socket.AF_UNIX)
    try:
        directory.mkdir(mode=0o755)
        directory.chmod(0o755)
        door.bind(str(directory / _DOOR))
        os.chmod(directory / _DOOR, 0o777)  # noqa: S103
        door.listen(1)
    except OSError as error:
        door.close()
        raise SandboxError(f"container cannot be prepared: {error}.") from error
    return door
