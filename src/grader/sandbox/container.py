"""The container sandbox: a container for each submission, with no network, nothing to write to but
bounded memory, and PostgreSQL's socket as the only door.

Its image is made here, of empty folders alone. This machine's own Python, packages and system
libraries are mounted into it, to be read: a submission finds the versions that its learner has,
nothing needs to be pulled or kept in step, and what it can read is what bubblewrap would show it.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import itertools
import os
import shutil
import sys
import tarfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Self

from grader.errors import SandboxError
from grader.sandbox.base import Invitation, Sandbox
from grader.sandbox.box import Box, Room
from grader.sandbox.places import SOCKET_DIR, readable_places
from grader.worker.limits import Limits
from pglab.errors import PglabError
from pglab.servers.account import Account
from pglab.servers.container import owner_labels, sweep_containers
from pglab.servers.disposable import private_directory, sweep_disposable
from pglab.servers.engine import engine_errors, open_engine
from pglab.servers.locks import FileLock
from pglab.servers.places import temporary_place

IMAGE = "kit-sandbox"
_FOLDERS = ("dev", "etc", "proc", "run", "student", "sys", "tmp")
_ENGINE_SECONDS = 60


class ContainerSandbox(Sandbox):
    """A container for each cell, all of them gone with this process."""

    name = "container"
    isolated = True

    def __init__(self, socket_dir: Path, *, hash_seed: int = 0) -> None:
        super().__init__(socket_dir, hash_seed=hash_seed)
        self._room: Room | None = None
        self._directory: Path | None = None
        self._lock: FileLock | None = None
        self._numbers = itertools.count(1)

    @property
    def socket_dir_inside(self) -> str:
        return SOCKET_DIR

    def start(self) -> Self:
        """Have the first container made, after what killed judges left has been swept away."""
        if not sys.platform.startswith("linux"):
            raise SandboxError("The container sandbox shares Unix sockets, which needs Linux.")
        try:
            engine = open_engine(_ENGINE_SECONDS)
            sweep_containers()
            sweep_disposable()
            self._directory, self._lock = private_directory(temporary_place(Account()), Account())
            self._room = self._prepare(engine.api, self._directory)
        except PglabError as error:
            self._end()
            # What it says of the embedded server is no advice here.
            raise SandboxError(str(error).partition(", or use ")[0].rstrip(".") + ".") from error
        except engine_errors() as error:
            self._end()
            raise SandboxError(f"The container engine failed: {error}") from error
        self._ahead = (Limits(), self._begun_cell(Limits()))
        return self

    def wait_ready(self) -> None:
        if self._ahead is not None:
            self._ahead[1].wait_ready()

    def meet(self, invite: Invitation) -> None:
        """Nothing: every container starts anew, and would not know."""

    def preload(self, modules: Sequence[str]) -> None:
        """Nothing, for the same reason."""

    def _break_off(self) -> None:
        """Nothing: nobody waits for the engine while the mutex is held."""

    def _end(self) -> None:
        """Remove every container that is left."""
        self._close_ahead()
        if self._room is not None:
            self._room.errands.submit(_remove_all, self._room)
            self._room.errands.shutdown()
            self._room.engine.close()
            self._room = None
        if self._directory is not None:
            shutil.rmtree(self._directory, ignore_errors=True)
            self._directory = None
        if self._lock is not None:
            self._lock.release()
            self._lock = None

    def _new_cell(self, limits: Limits) -> Box:
        if self._room is None:
            self.start()
        assert self._room is not None
        assert self._directory is not None
        return Box(self._room, self._directory / str(next(self._numbers)), limits)

    def _prepare(self, engine: Any, directory: Path) -> Room:
        places = list(readable_places())
        links = [p for p in places if p.is_symlink() and p.parent == Path("/")]
        features = engine.info().get("SecurityOptions") or []
        return Room(
            engine=engine,
            errands=ThreadPoolExecutor(1, thread_name_prefix="containers"),
            image=_image(engine, links),
            labels=owner_labels(directory),
            environment=self._environment(),
            socket_dir=self._socket_dir,
            readable=[p for p in places if p not in links],
            rootless=any("rootless" in feature or "userns" in feature for feature in features),
        )


def _remove_all(room: Room) -> None:
    label = [f"{name}={value}" for name, value in room.labels.items()]
    with contextlib.suppress(*engine_errors()):
        for container in room.engine.containers(all=True, filters={"label": label}):
            with contextlib.suppress(*engine_errors()):
                room.engine.remove_container(container["Id"], force=True, v=True)


def _image(engine: Any, links: Sequence[Path]) -> str:
    """The name of the image, made where it is missing; named by its content.

    Args:
        engine: the engine's client.
        links: the symbolic links in this machine's root, such as ``/bin``.
    """
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        for name in _FOLDERS:
            folder = tarfile.TarInfo(name)
            folder.type, folder.mode = tarfile.DIRTYPE, 0o755
            archive.addfile(folder)
        for path in sorted(links):
            link = tarfile.TarInfo(path.name)
            link.type, link.linkname = tarfile.SYMTYPE, os.readlink(path)
            archive.addfile(link)
    tag = hashlib.sha256(packed.getvalue()).hexdigest()[:12]
    if not engine.images(f"{IMAGE}:{tag}", quiet=True):
        engine.import_image_from_data(packed.getvalue(), repository=IMAGE, tag=tag)
    return f"{IMAGE}:{tag}"
