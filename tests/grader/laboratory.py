"""Runs source text as a submission, without a judge."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import docker
import psutil

from grader import wire
from grader.sandbox import ContainerSandbox, Runner, Sandbox
from grader.sandbox.outcomes import Answer, Outcome
from grader.sandbox.zygote import ZygoteSandbox
from grader.worker.limits import Limits
from pglab.scratch import Database, Role
from pglab.servers import Server
from pglab.servers.engine import open_engine
from pglab.urls import database_url, sqlalchemy_url


def processes_of(sandbox: Sandbox) -> list[psutil.Process]:
    """Every process of a sandbox that lives, those that lead the others first."""
    if isinstance(sandbox, ContainerSandbox):
        pids = _first_in_containers(sandbox)
    else:
        assert isinstance(sandbox, ZygoteSandbox)
        assert sandbox._process is not None
        pids = [sandbox._process.pid]
    firsts, children = [], []
    for pid in pids:
        with contextlib.suppress(psutil.NoSuchProcess):  # it ends behind our back
            firsts.append(psutil.Process(pid))
            children += firsts[-1].children(recursive=True)
    return firsts + children


def containers_of(directory: Path) -> list[Any]:
    """The containers that there are of the sandbox of this directory, running or not."""
    with contextlib.closing(open_engine()) as engine:
        label = f"kit.directory={directory}"
        found: list[Any] = engine.containers.list(
            all=True, ignore_removed=True, filters={"label": label}
        )
        return found


def _first_in_containers(sandbox: ContainerSandbox) -> list[int]:
    pids: list[int] = []
    if sandbox._directory is None:
        return pids
    for container in containers_of(sandbox._directory):
        with contextlib.suppress(docker.errors.NotFound):
            container.reload()
            pids.append(container.attrs["State"]["Pid"])
    return [pid for pid in pids if pid]


@dataclass
class Laboratory:
    """A sandbox and a database that submissions may enter."""

    server: Server
    sandbox: Sandbox
    role: Role
    database: Database

    def connect(self, runner: Runner) -> None:
        url = database_url(
            self.database.name,
            user=self.role.name,
            password=self.role.password,
            host=self.sandbox.socket_dir_inside,
            port=self.server.port,
        )
        connected = runner.ask({"op": "connect", "url": sqlalchemy_url(url)}, 60)
        assert connected == Answer(None), connected

    def submit(self, source: str, **limits: int) -> Submission:
        """A submission of one module, ``m.py``, imported in a cell of its own."""
        return Submission(self, {"m.py": source}, Limits(**limits))


class Submission:
    """A submission in a cell of its own, and the runner that imported it last."""

    def __init__(
        self,
        lab: Laboratory,
        files: Mapping[str, str | bytes],
        limits: Limits | None = None,
        *,
        beforehand: Mapping[str, str] | None = None,
    ) -> None:
        self.lab = lab
        self.files = files
        self.cell = lab.sandbox.cell(limits)
        if beforehand:
            self.cell.begin_preload(beforehand)
        self.runner = self.cell.runner()
        self.imported = self._open()

    def again(self) -> Outcome:
        """Reset the cell, as between two checks, and import the submission anew."""
        self.runner.close()
        self.cell.reset()
        self.runner = self.cell.runner()
        return self._open()

    def call(
        self,
        function: str,
        *args: Any,
        seconds: float = 60,
        commit: bool = False,
        **kwargs: Any,
    ) -> Outcome:
        request = {
            "op": "call",
            "function": function,
            "args": wire.encode(list(args)),
            "kwargs": wire.encode(kwargs),
            "commit": commit,
        }
        return self.runner.ask(request, seconds)

    def value(self, function: str, *args: Any, **kwargs: Any) -> Any:
        """What a call answers; it must answer."""
        outcome = self.call(function, *args, **kwargs)
        assert isinstance(outcome, Answer), outcome
        return outcome.value

    def close(self) -> None:
        self.runner.close()
        self.cell.close()

    def _open(self) -> Outcome:
        self.lab.connect(self.runner)
        files = {
            name: wire.encode(text.encode() if isinstance(text, str) else text)
            for name, text in self.files.items()
        }
        return self.runner.ask({"op": "import", "files": files, "module": "m"}, 60)
